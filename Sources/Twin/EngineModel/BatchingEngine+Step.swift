import Statistics
package import Time

extension BatchingEngine {
    /// Plans the next step and says how long it takes; nil when there is nothing to do. Must be
    /// followed by `endStep` before it is called again.
    package mutating func beginStep(now: Instant) -> StepPlan? {
        precondition(!isStepping, "a step was begun inside a step")
        if isIdle { return nil }
        isStepping = true
        scheduled.removeAll(keepingCapacity: true)
        preempted.removeAll(keepingCapacity: true)
        var budget = configuration.batchedTokensMax
        scheduleRunning(budget: &budget)
        if preempted.isEmpty { admitWaiting(budget: &budget) }
        precondition(!scheduled.isEmpty, "an engine with work must be able to do some of it")
        let work = plannedWork()
        return StepPlan(durationNanos: duration(of: work, now: now), work: work)
    }

    /// Completes the step and appends what happened, in the order of scheduling; `events` is not
    /// emptied first.
    package mutating func endStep(into events: inout [EngineEvent]) {
        precondition(isStepping, "a step was ended that had not begun")
        for id in preempted {
            guard let slot = slotByID[id] else { continue }
            events.append(slab[Int(slot)].event(.preempted))
        }
        preempted.removeAll(keepingCapacity: true)
        var someLeave = abortedInStep > 0
        for entry in scheduled where slab[Int(entry.slot)].place == .running {
            if advance(entry, into: &events) { someLeave = true }
        }
        if someLeave { removeLeavers() }
        counters.steps += 1
        isStepping = false
    }

    // MARK: - Scheduling

    private mutating func scheduleRunning(budget: inout Int) {
        var position = 0
        while position < running.count, budget > 0 {
            let slot = running[position]
            let index = Int(slot)
            let tokens = min(slab[index].tokens - slab[index].computed, budget)
            guard makeRoom(for: slot, tokens: tokens) else { return }
            scheduled.append(Scheduled(slot: slot, tokens: Int32(tokens)))
            budget -= tokens
            position += 1
        }
    }

    /// Gives a running sequence blocks for `tokens` more, preempting from the newest on; false when
    /// it had to be preempted itself.
    private mutating func makeRoom(for slot: Int32, tokens: Int) -> Bool {
        let index = Int(slot)
        let missing = blocks(for: slab[index].computed + tokens) - blocksHeld(by: index)
        guard missing > 0 else { return true }
        while !pool.take(missing) {
            guard let victim = running.popLast() else {
                preconditionFailure("a running sequence is not in the running list")
            }
            preempt(victim)
            if victim == slot { return false }
        }
        slab[index].owned += missing
        return true
    }

    private mutating func preempt(_ slot: Int32) {
        releaseBlocks(of: slot)
        slab[Int(slot)].computed = 0
        slab[Int(slot)].place = .waiting
        slab[Int(slot)].wasPreempted = true
        waiting.prepend(slot, in: &slab)
        preempted.append(slab[Int(slot)].id)
        counters.preemptions += 1
    }

    private mutating func admitWaiting(budget: inout Int) {
        while budget > 0, running.count < configuration.sequencesMax, waiting.first != -1 {
            let slot = waiting.first
            let index = Int(slot)
            // At least one token must be computed, or there would be nothing to sample from.
            let limit = min(
                slab[index].hashLimit, (slab[index].tokens - 1) / configuration.hashTokens)
            let (hits, withoutHolder) = pool.match(slab[index].hashes, limit: limit)
            let cached = hits * configuration.hashTokens
            let tokens = min(slab[index].tokens - cached, budget)
            let missing = blocks(for: cached + tokens) - hits * pool.blocksPerHash
            guard missing <= pool.available - withoutHolder * pool.blocksPerHash else { return }
            for position in 0..<hits { pool.hold(slab[index].hashes[position]) }
            guard pool.take(missing) else { preconditionFailure("counted blocks were not there") }
            waiting.remove(slot, in: &slab)
            slab[index].held = hits
            slab[index].owned = missing
            slab[index].computed = cached
            slab[index].cached = cached
            slab[index].place = .running
            running.append(slot)
            scheduled.append(Scheduled(slot: slot, tokens: Int32(tokens)))
            budget -= tokens
            countLookup(index, cached: cached)
        }
    }

    private mutating func countLookup(_ index: Int, cached: Int) {
        guard configuration.prefixCaching, !slab[index].wasPreempted else { return }
        counters.prefixQueries += UInt64(slab[index].promptTokens)
        counters.prefixHits += UInt64(cached)
    }

    private func blocks(for tokens: Int) -> Int {
        (tokens + configuration.blockTokens - 1) / configuration.blockTokens
    }

    private func blocksHeld(by index: Int) -> Int {
        slab[index].held * pool.blocksPerHash + slab[index].owned
    }

    // MARK: - Time

    private func plannedWork() -> StepWork {
        var work = StepWork(prefillTokens: 0, sequences: 0, kvTokens: 0)
        for entry in scheduled {
            let index = Int(entry.slot)
            if slab[index].produced > 0, slab[index].computed + 1 == slab[index].tokens {
                work.sequences += 1
                work.kvTokens += slab[index].tokens
            } else {
                work.prefillTokens += Int(entry.tokens)
            }
        }
        return work
    }

    private mutating func duration(of work: StepWork, now: Instant) -> UInt64 {
        var nanos = configuration.cost.nanos(of: work)
        if configuration.stepNoise > 0 {
            // A step is never faster than half its mean: the machine has only so much to give.
            nanos *= max(0.5, random.normal(mean: 1, deviation: configuration.stepNoise))
        }
        nanos *= max(slowFactor, 0)
        // An hour bounds what an absurd cost or factor may ask for.
        let bounded = UInt64(min(max(nanos, 1), 3.6e12))
        return stalledUntil.nanosSince(now) + bounded
    }

    // MARK: - Completion

    /// Moves one sequence on; true when it leaves the engine.
    private mutating func advance(_ entry: Scheduled, into events: inout [EngineEvent]) -> Bool {
        let index = Int(entry.slot)
        slab[index].computed += Int(entry.tokens)
        slab[index].work += Int(entry.tokens)
        publishPrefixes(index)
        guard slab[index].computed == slab[index].tokens else { return false }
        if slab[index].produced == 0 {
            counters.promptTokens += UInt64(slab[index].promptTokens)
        }
        if slab[index].outputTokens > 0 {
            slab[index].produced += 1
            counters.generationTokens += 1
            if slab[index].produced == 1 {
                events.append(slab[index].event(.firstToken))
            } else if slab[index].produced % configuration.tellsEvery == 0 {
                events.append(slab[index].event(.token))
            }
        }
        guard slab[index].produced >= slab[index].outputTokens else { return false }
        events.append(slab[index].event(.finished))
        counters.finished += 1
        slab[index].place = .leaving
        slotByID[slab[index].id] = nil
        return true
    }

    private mutating func publishPrefixes(_ index: Int) {
        while slab[index].held < slab[index].hashLimit,
            slab[index].computed >= (slab[index].held + 1) * configuration.hashTokens
        {
            pool.publish(slab[index].hashes[slab[index].held])
            slab[index].owned -= pool.blocksPerHash
            slab[index].held += 1
        }
    }

    private mutating func removeLeavers() {
        var kept = 0
        for position in running.indices {
            let slot = running[position]
            if slab[Int(slot)].place == .leaving {
                free(slot)
            } else {
                running[kept] = slot
                kept += 1
            }
        }
        running.removeLast(running.count - kept)
        abortedInStep = 0
    }
}
