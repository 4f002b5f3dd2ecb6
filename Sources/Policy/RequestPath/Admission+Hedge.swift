import Time

extension Admission {
    /// When a request that has just been sent should be looked at for a second try; `nil` where
    /// there can be none.
    mutating func hedgeInstant(_ slot: Int, now: Instant) -> Instant? {
        let record = self.slab[slot]
        let model = Int(record.served)
        guard self.pools[model].bounds.hedgeShare > 0, record.retryable, record.attempt == 1,
            self.pools[model].endpoints.count > 1
        else { return nil }
        let steps = self.pools[model].steps
        let delay = self.pools[model].hedging.delay(
            predictedNanos: steps.firstTokenNanos(tokens: Double(record.prefillAtDispatch)),
            stepNanos: steps.interTokenNanos, now: now)
        return now.advanced(byNanos: delay)
    }

    /// The first token of a request is late: sends it to a second engine as well, where one has
    /// room that nobody waits for, would answer sooner than this one has been silent, and the
    /// budget allows.
    mutating func considerHedge(_ slot: Int, now: Instant, into actions: inout ActionBuffer) {
        let record = self.slab[slot]
        let model = Int(record.served)
        self.timers.set(slot, at: max(now, record.deadline))
        guard record.hedge < 0, record.retryable, self.head(of: model, now: now) == nil,
            let index = self.pick(model, for: slot, besides: Int(record.endpoint), now: now),
            index != Int(record.endpoint)
        else { return }
        // What the pool has learned since the endpoint last changed counts.
        self.refresh(index)
        let prefillTokens = self.prefill(slot, at: index).owed
        let there = self.rooms[index].firstTokenNanos(prefillTokens: prefillTokens, now: now)
        let silent = now.nanosSince(record.dispatchedAt)
        guard there < Double(silent), now.advanced(byNanos: UInt64(there)) < record.deadline,
            self.pools[model].hedging.spend(
                work: TokenWork.of(prefillTokens: Double(prefillTokens), outputTokens: 0))
        else { return }
        self.slab[slot].hedge = Int32(index)
        self.slab[slot].prefillTokensAtHedge = prefillTokens
        self.slab[slot].cachedBelievedAtHedge = self.cachedBelieved(slot, at: index)
        self.slab[slot].prefillAtHedge =
            self.prefillLeft(at: index, now: now) + prefillTokens
        self.endpoints[index].ledger.debit(self.slab[slot].secondTry, now: now)
        self.slab[slot].hedgedAt = now
        self.refresh(index)
        actions.append(
            .hedge(
                record.id,
                Dispatch(
                    endpoint: EndpointID(raw: index), model: ModelID(raw: model),
                    outputTokensCap: record.cap, attempt: Int(record.attempt),
                    waited: record.waited)))
    }

    /// Prompt tokens believed to be cached where a second try goes; none without hashes.
    private func cachedBelieved(_ slot: Int, at index: Int) -> UInt32 {
        guard !self.chains[slot].hashes.isEmpty else { return 0 }
        return max(1, self.slab[slot].promptTokens) - self.prefill(slot, at: index).believed
    }

    /// The second try has answered first: it is the attempt from here on.
    mutating func hedgeWon(_ slot: Int, now: Instant, into actions: inout ActionBuffer) {
        let record = self.slab[slot]
        guard record.phase == .inFlight, record.hedge >= 0 else { return }
        // All that is known of the slower engine: it takes at least this long.
        self.endpoints[Int(record.endpoint)].steps.learnFirstToken(
            tokens: record.prefillAtDispatch, nanos: now.nanosSince(record.dispatchedAt))
        self.promoteHedge(slot, now: now)
        self.afterChange(at: Int(record.endpoint), now: now, into: &actions)
    }

    /// The second try failed, or was cancelled (`nil`); the first goes on.
    mutating func hedgeFailed(
        _ slot: Int, _ failure: Failure?, now: Instant, into actions: inout ActionBuffer
    ) {
        let record = self.slab[slot]
        guard record.phase == .inFlight, record.hedge >= 0 else { return }
        self.dropHedge(slot, now: now)
        if let failure {
            self.noteFailure(
                Int(record.hedge), failure, prompt: record.promptHash, now: now, into: &actions)
        }
        self.afterChange(at: Int(record.hedge), now: now, into: &actions)
    }

    /// Takes the first try out of its ledger and puts the second in its place: what is owed and
    /// cached there is the request's from now on.
    mutating func promoteHedge(_ slot: Int, now: Instant) {
        let record = self.slab[slot]
        self.endpoints[Int(record.endpoint)].ledger.creditPrefill(record, now: now)
        self.endpoints[Int(record.endpoint)].ledger.credit(record)
        self.slab[slot].endpoint = record.hedge
        self.slab[slot].dispatchedAt = record.hedgedAt
        self.slab[slot].prefillAtDispatch = record.prefillAtHedge
        self.slab[slot].prefillTokens = record.prefillTokensAtHedge
        self.slab[slot].cachedBelieved = record.cachedBelievedAtHedge
        self.slab[slot].hedge = -1
        self.prefixes.insert(self.chains[slot].hashes, at: Int(record.hedge))
    }

    /// Takes the second try out of its ledger.
    mutating func dropHedge(_ slot: Int, now: Instant) {
        let record = self.slab[slot]
        let index = Int(record.hedge)
        guard index >= 0 else { return }
        self.slab[slot].hedge = -1
        self.endpoints[index].ledger.creditPrefill(record.secondTry, now: now)
        self.endpoints[index].ledger.credit(record.secondTry)
        self.refresh(index)
        self.forgetIfDone(index)
        // Its room is another's than the caller's: whoever waits is to be asked of all.
        self.pools[Int(record.served)].stuckSlot = -1
    }
}
