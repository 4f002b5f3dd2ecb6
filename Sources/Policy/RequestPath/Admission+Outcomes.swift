import Time

extension Admission {
    mutating func firstToken(_ slot: Int, now: Instant, into actions: inout ActionBuffer) {
        let record = self.slab[slot]
        guard record.phase == .inFlight, record.firstTokenAt == nil else { return }
        let index = Int(record.endpoint)
        self.slab[slot].firstTokenAt = now
        self.slab[slot].progressAt = now
        self.slab[slot].outputSeen = 1
        self.pools[Int(record.served)].outputs.produced(1)
        self.timers.clear(slot)
        self.dropHedge(slot, now: now)
        self.creditPrefill(slot, now: now)
        if record.streams { self.learnFirstToken(record, now: now) }
        if record.streams, now > record.due { self.countMissed(record) }
        self.noteSuccess(index, into: &actions)
        self.afterChange(at: index, now: now, into: &actions)
    }

    mutating func progress(
        _ slot: Int, outputTokens: UInt32, now: Instant, into actions: inout ActionBuffer
    ) {
        let record = self.slab[slot]
        guard record.phase == .inFlight, outputTokens > record.outputSeen else { return }
        let index = Int(record.endpoint)
        let fresh = outputTokens - record.outputSeen
        self.pools[Int(record.served)].outputs.produced(fresh)
        if record.firstTokenAt != nil {
            self.endpoints[index].limits.learnTokens(
                fresh, nanos: now.nanosSince(record.progressAt))
        }
        self.slab[slot].outputSeen = outputTokens
        self.slab[slot].progressAt = now
        if self.look(index, now: now) {
            self.refresh(index)
            self.pump(Int(record.served), changed: index, now: now, into: &actions)
        }
    }

    mutating func finish(
        _ slot: Int, usage: Usage?, now: Instant, into actions: inout ActionBuffer
    ) {
        guard self.slab[slot].phase == .inFlight else { return }
        let index = Int(self.slab[slot].endpoint)
        let usage = usage.map { self.slab[slot].plausible($0) }
        if let usage { self.learnUsage(slot, usage, now: now) }
        let record = self.slab[slot]
        let output = usage?.outputTokens ?? self.outputTokens(of: record, now: now)
        if output > max(record.outputSeen, usage?.outputTokens ?? 0) {
            self.pools[Int(record.served)].outputs.produced(output - record.outputSeen)
        }
        let isCut = record.cap.map { output / record.choices >= $0 } ?? false
        self.endAnswers(of: record, output, cut: isCut)
        let prefill =
            usage.map { Double(max($0.promptTokens, $0.cachedTokens) - $0.cachedTokens) }
            ?? Double(record.prefillTokens)
        let context = Double(usage?.promptTokens ?? record.promptTokens) + Double(output)
        self.endAttempt(slot, now: now)
        self.settle(slot, prefillTokens: prefill, outputTokens: Double(output), context: context)
        // The first token was this answer's success.
        if record.firstTokenAt == nil { self.noteSuccess(index, into: &actions) }
        self.afterChange(at: index, now: now, into: &actions)
    }

    /// Each choice is an answer of its own, of equal length as far as is known.
    private mutating func endAnswers(of record: RequestRecord, _ output: UInt32, cut: Bool) {
        for _ in 0..<record.choices {
            self.pools[Int(record.served)].outputs.ended(output / record.choices, cut: cut)
        }
    }

    /// The engine will not serve the request: nothing is charged and nothing learned.
    mutating func declined(_ slot: Int, now: Instant, into actions: inout ActionBuffer) {
        guard self.slab[slot].phase == .inFlight else { return }
        let index = Int(self.slab[slot].endpoint)
        self.endAttempt(slot, now: now)
        self.settleUnserved(slot)
        self.noteSuccess(index, into: &actions)
        self.afterChange(at: index, now: now, into: &actions)
    }

    /// Output tokens of an answer whose engine told no usage: those that were relayed, or where
    /// none were counted either, as many as fit into its time at the expected time for each.
    /// Believing it to be one token would make every answer look over at once, and the queue short.
    private func outputTokens(of record: RequestRecord, now: Instant) -> UInt32 {
        guard record.outputSeen <= 1 else { return record.outputSeen }
        let steps = self.endpoints[Int(record.endpoint)].steps
        let first =
            record.streams
            ? 0 : steps.firstTokenNanos(tokens: Double(record.prefillAtDispatch))
        let since = record.streams ? record.firstTokenAt ?? now : record.dispatchedAt
        let tokens = 1 + (Double(now.nanosSince(since)) - first) / steps.interTokenNanos
        let most = min(record.cap ?? .max, record.outputTokensMax ?? .max, Self.outputTokensMax)
        return UInt32(min(max(1, tokens), Double(most)))
    }

    /// No answer is believed to be longer because it took long.
    private static let outputTokensMax: UInt32 = 65_536

    mutating func cancel(_ slot: Int, now: Instant, into actions: inout ActionBuffer) {
        let record = self.slab[slot]
        let model = Int(record.served)
        guard record.phase == .inFlight else {
            self.dequeue(slot)
            self.settleUnserved(slot)
            self.pump(model, now: now, into: &actions)
            return
        }
        // Of a whole answer nothing is seen before its end, and the engine has worked all the same.
        let output =
            record.streams ? record.outputSeen : self.outputTokens(of: record, now: now)
        if output > record.outputSeen {
            self.pools[model].outputs.produced(output - record.outputSeen)
        }
        self.endAnswers(of: record, output, cut: true)
        self.endAttempt(slot, now: now)
        self.settle(
            slot, prefillTokens: Double(record.prefillTokens), outputTokens: Double(output),
            context: Double(record.promptTokens) + Double(output))
        self.afterChange(at: Int(record.endpoint), now: now, into: &actions)
    }

    mutating func attemptFailed(
        _ slot: Int, _ failure: Failure, beforeFirstByte: Bool, now: Instant,
        into actions: inout ActionBuffer
    ) {
        guard self.slab[slot].phase == .inFlight else { return }
        let index = Int(self.slab[slot].endpoint)
        let model = Int(self.slab[slot].served)
        if self.slab[slot].hedge >= 0, beforeFirstByte {
            // The second try takes its place.
            self.promoteHedge(slot, now: now)
            self.slab[slot].failedOn = Int32(index)
            self.noteFailure(
                index, failure, prompt: self.slab[slot].promptHash, now: now, into: &actions)
            return self.afterChange(at: index, now: now, into: &actions)
        }
        self.endAttempt(slot, now: now)
        self.noteFailure(
            index, failure, prompt: self.slab[slot].promptHash, now: now, into: &actions)
        self.slab[slot].failedOn = Int32(index)
        let again = beforeFirstByte && self.slab[slot].firstTokenAt == nil
        if again, self.mayRetry(slot, failure, now: now) {
            self.slab[slot].phase = .queued
            self.slab[slot].endpoint = -1
            self.queues.charge(flow: Int(self.slab[slot].flow), work: -self.slab[slot].charged)
            self.slab[slot].charged = 0
            self.enqueue(slot, now: now)
            // What waits behind it may fit where it does not.
            self.pools[model].stuckSlot = -1
        } else {
            let record = self.slab[slot]
            if record.outputSeen > 0 {
                self.endAnswers(of: record, record.outputSeen, cut: true)
            }
            actions.append(.fail(record.id, failure))
            self.settle(
                slot, prefillTokens: Double(record.prefillTokens),
                outputTokens: Double(record.outputSeen),
                context: Double(record.promptTokens) + Double(record.outputSeen))
        }
        self.afterChange(at: index, now: now, into: &actions)
    }

    /// Whether a failed attempt may be followed by another; spends the budget if so.
    private mutating func mayRetry(_ slot: Int, _ failure: Failure, now: Instant) -> Bool {
        let record = self.slab[slot]
        let model = Int(record.served)
        guard record.retryable, now < self.lastUse(of: record) else { return false }
        let hasOther = self.pools[model].capacity.open > 0
        switch failure {
        case .busy, .draining:
            // The engine did no work: no fault, no budget, but not for ever.
            self.slab[slot].turnedAway += 1
            return record.turnedAway < Self.turnedAwayMax && (hasOther || failure == .busy)
        case .refused, .disconnected, .stalled, .serverError, .malformed:
            self.slab[slot].failures += 1
            guard record.failures == 0, hasOther else { return false }
            return self.pools[model].retries.spend()
        }
    }

    private static let turnedAwayMax: UInt8 = 8

    /// Ends the attempt in the ledgers; the record lives on.
    mutating func endAttempt(_ slot: Int, now: Instant) {
        let index = Int(self.slab[slot].endpoint)
        self.timers.clear(slot)
        self.dropHedge(slot, now: now)
        self.creditPrefill(slot, now: now)
        self.endpoints[index].ledger.credit(self.slab[slot])
        let tenant = Int(self.slab[slot].tenant)
        let wasHeld = self.tenants[tenant].isHeld
        self.tenants[tenant].inFlight -= 1
        if wasHeld, !self.tenants[tenant].isHeld {
            self.queues.setHeld(false, tenant: tenant)
            self.holdsChanged = true
        }
    }

    mutating func creditPrefill(_ slot: Int, now: Instant) {
        guard self.slab[slot].prefillOwed else { return }
        self.slab[slot].prefillOwed = false
        self.endpoints[Int(self.slab[slot].endpoint)].ledger.creditPrefill(
            self.slab[slot], now: now)
    }

    /// Corrects what the request was charged to what it used, and forgets it.
    mutating func settle(
        _ slot: Int, prefillTokens: Double, outputTokens: Double, context: Double
    ) {
        let record = self.slab[slot]
        let work = TokenWork.of(prefillTokens: prefillTokens, outputTokens: outputTokens)
        self.queues.charge(flow: Int(record.flow), work: work - record.charged)
        self.tenants[Int(record.tenant)].settle(tokensDelta: context - record.chargedTokens)
        self.chains[slot].hashes = []
        self.slab.remove(slot)
    }

    /// Gives back what a request that was never served was charged, and forgets it.
    mutating func settleUnserved(_ slot: Int) {
        self.settle(slot, prefillTokens: 0, outputTokens: 0, context: 0)
    }

    /// Takes a queued request out of its queue.
    mutating func dequeue(_ slot: Int) {
        self.timers.clear(slot)
        self.queues.remove(slot, slab: &self.slab)
        let model = Int(self.slab[slot].served)
        if self.pools[model].stuckSlot == slot { self.pools[model].stuckSlot = -1 }
    }

    /// Looks for work that fits into what an endpoint has gained or lost.
    mutating func afterChange(at index: Int, now: Instant, into actions: inout ActionBuffer) {
        _ = self.look(index, now: now)
        self.refresh(index)
        let model = self.endpoints[index].model
        self.forgetIfDone(index)
        self.pump(model, changed: index, now: now, into: &actions)
    }

    /// Lets the endpoint's limits steer. Whether they may have moved.
    private mutating func look(_ index: Int, now: Instant) -> Bool {
        let model = self.endpoints[index].model
        let before = self.endpoints[index].limits.looks
        let mean = self.endpoints[index].limits.look(
            now: now, boundNanos: self.pools[model].bounds.interTokenNanos)
        if let mean {
            self.endpoints[index].steps.learnInterToken(nanos: mean)
            self.pools[model].steps.learnInterToken(nanos: mean)
        }
        return self.endpoints[index].limits.looks != before
    }

    private mutating func learnFirstToken(_ record: RequestRecord, now: Instant) {
        let index = Int(record.endpoint)
        let model = Int(record.served)
        let nanos = now.nanosSince(record.dispatchedAt)
        let steps = self.endpoints[index].steps
        let expected = steps.isLearned ? steps : self.pools[model].steps
        self.pools[model].hedging.learn(
            nanos: nanos,
            predictedNanos: expected.firstTokenNanos(tokens: Double(record.prefillAtDispatch)),
            stepNanos: expected.interTokenNanos, now: now)
        self.endpoints[index].steps.learnFirstToken(
            tokens: record.prefillAtDispatch, nanos: nanos)
        self.pools[model].steps.learnFirstToken(tokens: record.prefillAtDispatch, nanos: nanos)
        self.endpoints[index].limits.learnFirstToken(
            nanos: nanos, tokens: record.prefillAtDispatch,
            stepNanos: self.endpoints[index].steps.measuredInterTokenNanos,
            boundNanos: record.due.nanosSince(record.arrival))
        self.learnError(record, actualNanos: now.nanosSince(record.arrival), now: now)
    }

    /// Shows the lane how long a request took that had been predicted to wait.
    mutating func learnError(_ record: RequestRecord, actualNanos: UInt64, now: Instant) {
        guard record.waited != .coldStart, record.attempt <= 1 else { return }
        let model = Int(record.served)
        let lane = self.pools[model].lanes.lowerBound + Int(record.classIndex)
        self.queues.lanes[lane].tolerance.settle(
            planned: Double(record.plannedNanos), actual: Double(actualNanos))
        let slack = Self.slack(of: record)
        self.queues.lanes[lane].errors.judge(
            missed: actualNanos > record.due.nanosSince(record.arrival), share: Self.missShare)
        // What would be in time however wrong says nothing of what would not.
        guard Double(max(record.predictedNanos, actualNanos)) > slack * 0.4 else { return }
        let ratio = (Double(actualNanos) + slack) / (Double(record.predictedNanos) + slack)
        self.queues.lanes[lane].errors.add(ratio: ratio, now: now)
    }

    /// Of admitted requests so many may be later than planned: below the 1 % of a p99.
    private static let missShare = 0.003

    private mutating func learnUsage(_ slot: Int, _ usage: Usage, now: Instant) {
        let record = self.slab[slot]
        let model = Int(record.served)
        self.pools[model].ratio.learn(
            bytes: record.promptBytes, images: record.images, exact: record.promptTokensExact,
            usage: usage)
        if self.pools[model].prefixTrust.learn(
            believed: record.cachedBelieved, found: usage.cachedTokens)
        {
            // Whom no endpoint had room for may owe less now, anywhere.
            self.pools[model].stuckSlot = -1
        }
        guard usage.outputTokens > record.outputSeen else { return }
        let fresh = usage.outputTokens - record.outputSeen
        self.pools[model].outputs.produced(fresh)
        if record.streams, record.firstTokenAt != nil {
            self.endpoints[Int(record.endpoint)].limits.learnTokens(
                fresh, nanos: now.nanosSince(record.progressAt))
        } else if !record.streams {
            self.endpoints[Int(record.endpoint)].limits.learnTokens(
                usage.outputTokens, nanos: now.nanosSince(record.dispatchedAt))
        }
    }
}
