import Time

extension Admission {
    mutating func tick(now: Instant, into actions: inout ActionBuffer) {
        while let (at, slot) = self.timers.first, at <= now {
            self.timers.clear(slot)
            switch self.slab[slot].phase {
            case .free: assertionFailure("a timer of a settled request")
            case .queued: self.expire(slot, now: now, into: &actions)
            case .inFlight: self.passDeadline(slot, now: now, into: &actions)
            }
        }
        while let (at, index) = self.endpointTimers.first, at <= now {
            self.endpointTimers.clear(index)
            self.endpointDue(index, now: now, into: &actions)
        }
        self.comeDownLadders(now: now, into: &actions)
    }

    /// A queued request can no longer make its bound.
    private mutating func expire(_ slot: Int, now: Instant, into actions: inout ActionBuffer) {
        let model = Int(self.slab[slot].served)
        if self.pools[model].capacity.open == 0, self.waitForStart(slot, now: now) { return }
        self.refuseLate(slot, now: now, into: &actions)
        self.pump(model, now: now, into: &actions)
    }

    /// While no replica is ready the time allowed for a cold start replaces the bound.
    private mutating func waitForStart(_ slot: Int, now: Instant) -> Bool {
        let record = self.slab[slot]
        guard let coldStart = self.plan.models[Int(record.served)].coldStartNanos else {
            return false
        }
        let until = record.arrival.advanced(byNanos: coldStart)
        guard until > now, until > record.due else { return false }
        self.queues.remove(slot, slab: &self.slab)
        self.slab[slot].due = until
        self.slab[slot].deadline = until
        self.slab[slot].waited = .coldStart
        self.enqueue(slot, now: now)
        return true
    }

    /// Refuses a request that was admitted and can no longer make its bound.
    mutating func refuseLate(_ slot: Int, now: Instant, into actions: inout ActionBuffer) {
        let record = self.slab[slot]
        let model = Int(record.served)
        self.dequeue(slot)
        let isCold = self.pools[model].capacity.open == 0
        let wait: Double
        if isCold {
            wait = self.timeToCapacity(of: model, now: now)
        } else {
            let prediction = self.predict(
                record.demand, flow: Int(record.flow), pool: model, now: now)
            wait = prediction.waitNanos
            // It would have come later still: the margin must know.
            self.learnError(record, actualNanos: now.nanosSince(record.arrival) * 9 / 8, now: now)
        }
        let reason: RefusalReason =
            isCold ? .noCapacity : record.waited == .quota ? .rateLimited : .saturated
        let slotNanos = self.retrySlot(record, reason, excessNanos: wait, now: now)
        let refusal = Refusal(
            reason: reason, retryAfterNanos: self.retryAfter(slotNanos), late: now > record.arrival)
        actions.append(.refuse(record.id, refusal))
        if reason.isForCapacity {
            self.countMissed(record)
            self.refusedLately.add(
                tenant: Int(record.tenant), promptHash: record.promptHash,
                afterNanos: refusal.retryAfterNanos, now: now)
        }
        self.settleUnserved(slot)
    }

    private mutating func passDeadline(
        _ slot: Int, now: Instant, into actions: inout ActionBuffer
    ) {
        let record = self.slab[slot]
        let index = Int(record.endpoint)
        if !record.streams {
            self.creditPrefill(slot, now: now)
            self.afterChange(at: index, now: now, into: &actions)
            return
        }
        if now < record.deadline { return self.considerHedge(slot, now: now, into: &actions) }
        actions.append(.abort(record.id))
        self.learnError(record, actualNanos: now.nanosSince(record.arrival), now: now)
        self.endAttempt(slot, now: now)
        // An engine that took several times what it should is at fault; a late dispatch is not.
        let steps = self.pools[Int(record.served)].steps
        let expected = steps.firstTokenNanos(tokens: Double(record.prefillAtDispatch))
        if Double(now.nanosSince(record.dispatchedAt)) > 4 * expected {
            self.noteFailure(
                index, .stalled, prompt: record.promptHash, now: now, into: &actions)
        }
        self.settle(
            slot, prefillTokens: Double(record.prefillTokens), outputTokens: 0,
            context: Double(record.promptTokens))
        self.afterChange(at: index, now: now, into: &actions)
    }

    private mutating func endpointDue(
        _ index: Int, now: Instant, into actions: inout ActionBuffer
    ) {
        guard self.endpoints[index].isKnown else { return }
        if let probeAt = self.endpoints[index].health.probeAt, probeAt <= now {
            self.endpoints[index].health.probeSent(now: now)
            actions.append(.probe(EndpointID(raw: index)))
        }
        if self.endpoints[index].busyUntil <= now {
            self.endpoints[index].busyUntil = .zero
        }
        self.refresh(index)
        self.setEndpointTimer(index)
        self.pump(self.endpoints[index].model, changed: index, now: now, into: &actions)
    }
}
