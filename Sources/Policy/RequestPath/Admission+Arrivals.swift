import Time

extension Admission {
    /// What becomes of an arrival at one model.
    private enum Verdict {
        case admit(flow: Int, Prediction, plannedNanos: Double)
        case refuse(RefusalReason, afterNanos: Double)
    }

    mutating func arrive(_ arrival: Arrival, now: Instant, into actions: inout ActionBuffer) {
        guard self.isSound(arrival) else {
            assertionFailure("an arrival of a live request, or of an unknown model or tenant")
            guard self.slab.slot(of: arrival.request) == nil else { return }
            return self.turnAway(arrival, .noCapacity, afterNanos: 1e9, into: &actions, now: now)
        }
        var record = self.estimate(arrival, now: now)
        if self.isTooLong(arrival, record) {
            return self.turnAway(arrival, .tooLong, afterNanos: 1e9, into: &actions, now: now)
        }
        let tenant = arrival.tenant.raw
        record.chargedTokens = record.contextTokens
        let wait = self.tenants[tenant].wait(tokens: record.chargedTokens, now: now)
        if wait > 0 {
            return self.turnAway(
                arrival, .rateLimited, afterNanos: Double(wait), into: &actions, now: now)
        }
        var verdict = self.judge(&record, model: arrival.model.raw, now: now, into: &actions)
        if case .refuse(let reason, _) = verdict,
            let other = self.refuge(from: record, reason: reason)
        {
            var moved = record
            let second = self.judge(&moved, model: other, now: now, into: &actions)
            if case .admit = second { (record, verdict) = (moved, second) }
        }
        switch verdict {
        case .refuse(let reason, let excessNanos):
            let afterNanos = self.retrySlot(record, reason, excessNanos: excessNanos, now: now)
            self.countAtFrontDoor(arrival, record, refused: reason, now: now)
            self.turnAway(arrival, reason, afterNanos: afterNanos, into: &actions, now: now)
        case .admit(let flow, let prediction, let plannedNanos):
            self.countAtFrontDoor(arrival, record, refused: nil, now: now)
            record.flow = Int32(flow)
            record.predictedNanos = UInt64(saturating: prediction.totalNanos)
            record.plannedNanos = UInt64(saturating: plannedNanos)
            self.tenants[tenant].spend(tokens: record.chargedTokens)
            self.accept(record, of: arrival, now: now, into: &actions)
        }
    }

    /// A class that a reload has taken away since the request was read is no fault: see `judge`.
    private func isSound(_ arrival: Arrival) -> Bool {
        self.plan.models.indices.contains(arrival.model.raw)
            && self.plan.tenants.indices.contains(arrival.tenant.raw)
            && arrival.classIndex >= 0
            && self.slab.slot(of: arrival.request) == nil
    }

    private mutating func turnAway(
        _ arrival: Arrival, _ reason: RefusalReason, afterNanos: Double,
        into actions: inout ActionBuffer, now: Instant
    ) {
        let refusal = Refusal(reason: reason, retryAfterNanos: self.retryAfter(afterNanos))
        if reason.isForCapacity {
            self.refusedLately.add(
                tenant: arrival.tenant.raw, promptHash: arrival.promptHash,
                afterNanos: refusal.retryAfterNanos, now: now)
        }
        actions.append(.refuse(arrival.request, refusal))
    }

    /// Counts what a new request asks for; who comes back after a refusal was counted then.
    private mutating func countAtFrontDoor(
        _ arrival: Arrival, _ record: RequestRecord, refused reason: RefusalReason?, now: Instant
    ) {
        guard reason?.isForCapacity ?? true else { return }
        let isKnown = self.refusedLately.take(
            tenant: arrival.tenant.raw, promptHash: arrival.promptHash, now: now)
        // What a client says is believed only where its prompt cannot be told.
        guard !isKnown, !(arrival.isRetry && arrival.promptHash == 0) else { return }
        let model = arrival.model.raw
        let nanos = self.pools[model].replicaNanos(
            prefillTokens: Double(record.prefillTokens), outputTokens: Double(record.outputTokens))
        self.pools[model].frontDoor.offeredNanos += nanos
        if reason != nil { self.pools[model].frontDoor.missedNanos += nanos }
    }

    /// A request that was let in was not served in time for want of capacity.
    mutating func countMissed(_ record: RequestRecord) {
        let model = Int(record.asked)
        self.pools[model].frontDoor.missedNanos += self.pools[model].replicaNanos(
            prefillTokens: Double(record.prefillTokens), outputTokens: Double(record.outputTokens))
    }

    /// When a refused client shall come back, in nanoseconds: where capacity exists and is
    /// contended its class's next free slot, else when the cause has passed.
    mutating func retrySlot(
        _ record: RequestRecord, _ reason: RefusalReason, excessNanos: Double, now: Instant
    ) -> Double {
        guard reason == .saturated || reason == .queueFull else { return excessNanos }
        let model = Int(record.served)
        let lane = self.pools[model].lanes.lowerBound + Int(record.classIndex)
        let admitted = self.queues.lanes[lane].admitted.perNano(now: now).requests
        // A class that higher ones leave nothing is not told to wait for ever.
        let least = self.capacity(of: model).slotRate * 0.05
        let wait = self.queues.lanes[lane].retries.take(
            excessNanos: excessNanos, admittedPerNano: max(admitted, least), now: now)
        return self.withCapacityOnItsWay(wait, model: model, now: now)
    }

    /// A time a client is told to wait: at least 10 ms, at most an hour, and up to a quarter more,
    /// so that those who were refused together do not come back together.
    mutating func retryAfter(_ nanos: Double) -> UInt64 {
        let least = UInt64(min(max(nanos, 10e6), 3600e9))
        return least + least / 4096 * UInt64(self.draw(below: 1024))
    }

    func estimate(_ arrival: Arrival, now: Instant) -> RequestRecord {
        let model = arrival.model.raw
        var record = RequestRecord()
        record.asked = Int32(arrival.model.raw)
        record.tenant = Int32(arrival.tenant.raw)
        record.classIndex = Int32(arrival.classIndex)
        record.promptBytes = arrival.promptBytes
        record.images = arrival.images
        record.bodyBytes = arrival.bodyBytes
        record.outputTokensMax = arrival.outputTokensMax
        record.choices = min(max(1, arrival.choices), Self.choicesMax)
        record.promptHash = arrival.promptHash
        record.promptTokensExact = arrival.promptTokensExact != nil
        record.cappable = arrival.cappable
        record.retryable = arrival.retryable
        record.streams = arrival.streams
        record.arrival = now
        record.deadline = now.advanced(byNanos: arrival.deadlineNanos ?? .max)
        record.promptTokens =
            arrival.promptTokensExact
            ?? self.pools[model].ratio.tokens(bytes: arrival.promptBytes, images: arrival.images)
        record.prefillTokens =
            self.leastPrefillTokens(
                PrefixChain(arrival), promptTokens: record.promptTokens, model: model)
            ?? max(
                1,
                UInt32(
                    saturating: Double(record.promptTokens) * self.pools[model].ratio.uncachedShare)
            )
        record.outputTokens = UInt32(
            saturating: self.pools[model].outputs.expected(
                limit: arrival.outputTokensMax.map { $0 / record.choices })
                * Double(record.choices))
        return record
    }

    /// Engines allow no more than OpenAI's 128, or few more.
    private static let choicesMax: UInt32 = 128

    private func isTooLong(_ arrival: Arrival, _ record: RequestRecord) -> Bool {
        guard let most = self.plan.models[arrival.model.raw].maxContextTokens else { return false }
        let ratio = self.pools[arrival.model.raw].ratio
        let prompt =
            arrival.promptTokensExact ?? ratio.tokensAtLeast(bytes: arrival.promptBytes)
        return UInt64(prompt) + UInt64(arrival.outputTokensMax ?? 0) > UInt64(most)
    }

    /// Whether one model can take the request inside its plan. Sets what depends on the model.
    private mutating func judge(
        _ record: inout RequestRecord, model: Int, now: Instant, into actions: inout ActionBuffer
    ) -> Verdict {
        let classIndex = min(
            Int(record.classIndex), self.plan.models[model].classes.count - 1)
        guard classIndex >= 0 else { return .refuse(.noCapacity, afterNanos: 60e9) }
        let lane = self.pools[model].lanes.lowerBound + classIndex
        let isCold = self.pools[model].capacity.open == 0
        record.served = Int32(model)
        record.classIndex = Int32(classIndex)
        self.setBounds(&record, model: model, isCold: isCold, now: now)
        if isCold, self.plan.models[model].coldStartNanos == nil {
            return .refuse(.noCapacity, afterNanos: self.timeToCapacity(of: model, now: now))
        }
        let isHeld = self.tenants[Int(record.tenant)].isHeld
        let flow = self.queues.flow(
            lane: lane, tenant: Int(record.tenant),
            weight: self.plan.tenants[Int(record.tenant)].weight)
        let work = TokenWork.of(
            prefillTokens: Double(record.prefillTokens), outputTokens: Double(record.outputTokens))
        self.queues.noteArrived(flow: flow, work: work, now: now)
        var prediction = self.predict(record.demand, flow: flow, pool: model, now: now)
        if prediction.waitNanos <= 0,
            let soonest = self.soonestFirstToken(record, model: model, now: now)
        {
            prediction.engineNanos = soonest
        }
        self.observe(lane: lane, model: model, prediction, record, now: now, into: &actions)
        if self.isFull(lane: lane, model: model, record) {
            return .refuse(.queueFull, afterNanos: max(prediction.waitNanos, 100e6))
        }
        if isCold {
            prediction.waitNanos += self.timeToCapacity(of: model, now: now)
        } else {
            prediction.waitNanos = self.withCapacityOnItsWay(
                prediction.waitNanos, model: model, now: now)
        }
        if isHeld {
            let wait = self.quotaWait(tenant: Int(record.tenant), flow: flow, model: model)
            prediction.waitNanos = max(prediction.waitNanos, wait)
        }
        return self.weigh(record, prediction, flow: flow, isHeld: isHeld, isCold: isCold, now: now)
    }

    /// Whether the class's queue has no place for another request.
    private func isFull(lane: Int, model: Int, _ record: RequestRecord) -> Bool {
        let classIndex = Int(record.classIndex)
        let requests = Int(self.queues.lanes[lane].queued.requests)
        let bytes = self.queues.lanes[lane].bytes + UInt64(record.bodyBytes)
        return requests >= self.plan.models[model].classes[classIndex].queueRequestsMax
            || bytes > self.plan.models[model].classes[classIndex].queueBytesMax
    }

    private func setBounds(
        _ record: inout RequestRecord, model: Int, isCold: Bool, now: Instant
    ) {
        let classIndex = Int(record.classIndex)
        let planNanos = self.plan.models[model].classes[classIndex].planNanos
        let deadlineNanos = self.plan.models[model].classes[classIndex].deadlineNanos
        var due = now.advanced(byNanos: planNanos)
        var deadline = now.advanced(byNanos: max(deadlineNanos, planNanos))
        if isCold, let coldStart = self.plan.models[model].coldStartNanos {
            due = now.advanced(byNanos: coldStart)
            deadline = due
        }
        record.due = min(due, record.deadline)
        record.deadline = min(deadline, record.deadline)
    }

    private mutating func weigh(
        _ record: RequestRecord, _ prediction: Prediction, flow: Int, isHeld: Bool, isCold: Bool,
        now: Instant
    ) -> Verdict {
        let model = Int(record.served)
        var allowed = Double(record.due.nanosSince(now))
        let prefill = Double(record.prefillTokens)
        if self.pools[model].steps.isLearned,
            self.pools[model].steps.idleFirstTokenNanos(tokens: prefill) > allowed
        {
            // Waiting does not help: the longest time that is told, beyond what clients obey.
            return .refuse(.infeasible, afterNanos: .infinity)
        }
        let lane = Int(self.queues.flows[flow].lane)
        if let wait = self.queues.heldForOthers(flow: flow, now: now) {
            return .refuse(.saturated, afterNanos: wait)
        }
        // With room at once where nobody waits there is nothing to gain from a refusal.
        if prediction.waitNanos <= 0, self.pools[model].capacity.prefillWaiting == 0 {
            self.queues.lanes[lane].tolerance.admit(prediction.totalNanos)
            return .admit(flow: flow, prediction, plannedNanos: prediction.totalNanos)
        }
        let patience = self.queues.lanes[lane].fairShare.patience(of: self.queues.flows[flow])
        if patience < 1 {
            let alone = self.pools[model].steps.firstTokenNanos(tokens: prefill)
            allowed = min(allowed, alone + max(0, allowed - alone) * patience)
        }
        let slack = Self.slack(of: record)
        let factor = self.queues.lanes[lane].errors.value(now: now)
        let likely = (prediction.totalNanos + slack) * factor - slack
        let lower = isCold ? nil : self.queues.lanes[lane].tolerance.boundBroken(by: likely)
        if likely <= min(allowed, lower ?? .infinity) {
            self.queues.lanes[lane].tolerance.admit(likely)
            return .admit(flow: flow, prediction, plannedNanos: likely)
        }
        if !isHeld, !isCold { self.queues.noteRefused(flow: flow, now: now) }
        let reason: RefusalReason = isHeld ? .rateLimited : isCold ? .noCapacity : .saturated
        return .refuse(reason, afterNanos: likely - min(allowed, lower ?? .infinity))
    }

    /// What is added to both sides before a prediction's error is taken as a ratio.
    static func slack(of record: RequestRecord) -> Double {
        Double(record.due.nanosSince(record.arrival)) / 4
    }

    /// Nanoseconds until a tenant at its concurrency limit may send one more than it has queued.
    private func quotaWait(tenant: Int, flow: Int, model: Int) -> Double {
        let limit = Double(max(1, self.tenants[tenant].concurrency ?? 1))
        let pool = self.pools[model]
        let residence =
            pool.steps.firstTokenNanos(tokens: 512)
            + pool.outputs.meanServed * pool.steps.interTokenNanos
        return (self.queues.flows[flow].queued.requests + 1) / limit * residence
    }

    /// Queues the request, and sends it at once where there is room.
    private mutating func accept(
        _ accepted: RequestRecord, of arrival: Arrival, now: Instant,
        into actions: inout ActionBuffer
    ) {
        let slot = self.slab.insert(arrival.request)
        self.keepChain(PrefixChain(arrival), slot: slot)
        var record = accepted
        record.id = arrival.request
        record.phase = .queued
        let model = Int(record.served)
        let isHeld = self.tenants[Int(record.tenant)].isHeld
        record.waited =
            self.pools[model].capacity.open == 0 ? .coldStart : isHeld ? .quota : .saturation
        self.slab[slot] = record
        self.queues.noteAdmitted(flow: Int(record.flow), record.demand, now: now)
        self.enqueue(slot, now: now)
        self.pump(model, now: now, into: &actions)
    }
}
