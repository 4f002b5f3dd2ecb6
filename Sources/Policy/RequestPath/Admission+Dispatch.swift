import Time

extension Admission {
    /// Puts a queued record into its flow and sets its timer.
    mutating func enqueue(_ slot: Int, now: Instant) {
        let tenant = Int(self.slab[slot].tenant)
        self.queues.enqueue(slot, slab: &self.slab, held: self.tenants[tenant].isHeld)
        self.timers.set(slot, at: self.lastUse(of: self.slab[slot]))
    }

    /// The instant after which sending a queued request is of no use.
    func lastUse(of record: RequestRecord) -> Instant {
        let over = record.deadline.nanosSince(record.due)
        let grace = min(over, record.due.nanosSince(record.arrival) / 16)
        return record.due.advanced(byNanos: grace)
    }

    /// Sends queued work of a model while an endpoint has room. Where only `changed` can have gained
    /// room, the others are not asked again for a request that they had none for.
    mutating func pump(
        _ model: Int, changed: Int? = nil, now: Instant, into actions: inout ActionBuffer
    ) {
        while let (slot, isOverdue) = self.head(of: model, now: now) {
            let endpoint: Int?
            if let changed, slot == self.pools[model].stuckSlot {
                endpoint = self.hasRoom(changed, for: slot, now: now) ? changed : nil
            } else {
                endpoint = self.pick(model, for: slot, now: now)
            }
            guard let endpoint else {
                self.pools[model].stuckSlot = slot
                return
            }
            self.pools[model].stuckSlot = -1
            let lane = Int(self.queues.flows[Int(self.slab[slot].flow)].lane)
            if self.isHopeless(slot, at: endpoint, now: now) {
                self.refuseLate(slot, now: now, into: &actions)
            } else {
                self.pools[model].overdueLast = isOverdue
                self.dispatch(slot, to: endpoint, now: now, into: &actions)
            }
            if self.queues.lanes[lane].turn < 0 {
                self.observeIdle(lane: lane, model: model, now: now, into: &actions)
            }
        }
        self.pools[model].stuckSlot = -1
    }

    /// The request to send next, and whether it goes before higher classes for having waited.
    mutating func head(of model: Int, now: Instant) -> (slot: Int, isOverdue: Bool)? {
        var first: Int?
        for lane in self.pools[model].lanes {
            guard let slot = self.queues.next(lane: lane) else { continue }
            guard first != nil else {
                first = slot
                if self.pools[model].overdueLast { break }
                continue
            }
            if now >= self.overdueAt(slot) { return (slot, true) }
        }
        return first.map { ($0, false) }
    }

    private func overdueAt(_ slot: Int) -> Instant {
        let record = self.slab[slot]
        let model = Int(record.served)
        let bounds = self.plan.models[model].classes[Int(record.classIndex)]
        let engine = self.pools[model].steps.firstTokenNanos(tokens: Double(record.prefillTokens))
        let useful = record.due.nanosSince(record.arrival)
        let last = min(bounds.maxWaitNanos ?? useful, useful)
        return record.arrival.advanced(byNanos: last - min(last / 2, UInt64(2 * engine)))
    }

    private mutating func hasRoom(_ index: Int, for slot: Int, now: Instant) -> Bool {
        let model = self.endpoints[index].model
        switch self.endpoints[index].room(
            for: self.slab[slot], plan: self.plan.models[model], now: now)
        {
        case .free:
            return true
        case .closed:
            return false
        case .sequences:
            self.endpoints[index].limits.noteBound(sequences: true)
            return false
        case .prefill:
            self.endpoints[index].limits.noteBound(sequences: false)
            return false
        }
    }

    /// The endpoint with room that would complete the request first; one that failed it only when
    /// there is no other.
    private mutating func pick(_ model: Int, for slot: Int, now: Instant) -> Int? {
        let record = self.slab[slot]
        var best: Int?
        var bestNanos = Double.infinity
        for position in self.pools[model].endpoints.indices {
            let index = Int(self.pools[model].endpoints[position])
            guard self.hasRoom(index, for: slot, now: now) else { continue }
            var nanos = self.completionNanos(record, at: index)
            if index == Int(record.failedOn) { nanos += 1e15 }
            if nanos < bestNanos {
                bestNanos = nanos
                best = index
            }
        }
        return best
    }

    private func completionNanos(_ record: RequestRecord, at index: Int) -> Double {
        let endpoint = self.endpoints[index]
        let steps = endpoint.steps.isLearned ? endpoint.steps : self.pools[endpoint.model].steps
        let prefill = Double(endpoint.ledger.prefillWaiting) + Double(record.prefillTokens)
        // Half of a step is taken to grow with the batch.
        let filled = Double(endpoint.ledger.inFlight + 1) / Double(max(1, endpoint.share.slots))
        return steps.firstTokenNanos(tokens: prefill)
            + Double(record.outputTokens) * steps.interTokenNanos * (0.5 + 0.5 * filled)
    }

    /// The first token would come too late even if it were sent now.
    private func isHopeless(_ slot: Int, at index: Int, now: Instant) -> Bool {
        let record = self.slab[slot]
        guard now > record.arrival else { return false }
        let steps = self.endpoints[index].steps
        guard steps.isLearned else { return now >= self.lastUse(of: record) }
        let engine = steps.firstTokenNanos(
            tokens: Double(self.endpoints[index].ledger.prefillWaiting)
                + Double(record.prefillTokens))
        return now.advanced(byNanos: UInt64(engine * 0.8)) >= self.lastUse(of: record)
    }

    private mutating func dispatch(
        _ slot: Int, to index: Int, now: Instant, into actions: inout ActionBuffer
    ) {
        self.queues.remove(slot, slab: &self.slab)
        self.timers.clear(slot)
        let model = Int(self.slab[slot].served)
        let cap = self.cap(for: self.slab[slot])
        let lane = self.pools[model].lanes.lowerBound + Int(self.slab[slot].classIndex)
        if self.slab[slot].arrival == now {
            self.slab[slot].waited = .none
        } else if self.slab[slot].waited == .saturation,
            self.pools[model].latestDispatched > self.slab[slot].arrival
        {
            self.slab[slot].waited = .fairness
        }
        self.pools[model].latestDispatched = max(
            self.pools[model].latestDispatched, self.slab[slot].arrival)
        self.slab[slot].phase = .inFlight
        self.slab[slot].endpoint = Int32(index)
        self.slab[slot].attempt += 1
        self.slab[slot].cap = cap
        if let cap { self.slab[slot].outputTokens = min(self.slab[slot].outputTokens, cap) }
        self.slab[slot].dispatchedAt = now
        self.slab[slot].prefillOwed = true
        if self.slab[slot].attempt == 1 {
            self.pools[model].retries.earn(share: self.plan.models[model].retryShare)
        }
        self.chargeFlow(slot)
        self.endpoints[index].ledger.debit(self.slab[slot])
        self.slab[slot].prefillAtDispatch = UInt32(self.endpoints[index].ledger.prefillWaiting)
        self.refresh(index)
        self.takeTenantSlot(Int(self.slab[slot].tenant))
        self.setAttemptTimer(slot, now: now)
        let record = self.slab[slot]
        let moved = record.served != record.asked
        actions.append(
            .dispatch(
                record.id,
                Dispatch(
                    endpoint: EndpointID(raw: index), model: ModelID(raw: model),
                    outputTokensCap: cap,
                    ladderStep: cap != nil || moved ? self.ladderStep(record, lane: lane) : 0,
                    attempt: Int(record.attempt), waited: record.waited)))
    }

    /// The step that shaped a dispatch: of the model asked for, where the request was moved.
    private func ladderStep(_ record: RequestRecord, lane: Int) -> Int {
        guard record.served != record.asked else { return self.queues.lanes[lane].ladder.step }
        let ladder = self.plan.models[Int(record.asked)].ladder
        let moved = ladder.firstIndex(of: .model(ModelID(raw: Int(record.served))))
        return (moved ?? 0) + 1
    }

    private mutating func chargeFlow(_ slot: Int) {
        let record = self.slab[slot]
        let work = TokenWork.of(
            prefillTokens: Double(record.prefillTokens), outputTokens: Double(record.outputTokens))
        self.queues.charge(flow: Int(record.flow), work: work)
        self.slab[slot].charged += work
    }

    /// A streamed answer is aborted at its deadline; of a whole one the prompt is taken as computed
    /// when it should be, since nothing will tell.
    private mutating func setAttemptTimer(_ slot: Int, now: Instant) {
        if self.slab[slot].streams {
            self.timers.set(slot, at: max(now, self.slab[slot].deadline))
            return
        }
        let steps = self.pools[Int(self.slab[slot].served)].steps
        let nanos = steps.firstTokenNanos(tokens: Double(self.slab[slot].prefillAtDispatch))
        self.timers.set(slot, at: now.advanced(byNanos: UInt64(nanos)))
    }

    private mutating func takeTenantSlot(_ tenant: Int) {
        self.tenants[tenant].inFlight += 1
        guard self.tenants[tenant].isHeld else { return }
        self.queues.setHeld(true, tenant: tenant)
        self.holdsChanged = true
    }
}
