import Baselines
import EngineModel
import Report
import RequestPath
import Statistics
import Time
import Workload

/// Engines: they take work, step, and tell what came of it.
extension Simulation {
    mutating func dispatch(_ slot: Int, _ dispatch: Dispatch) {
        let index = dispatch.endpoint.raw
        guard endpoints.indices.contains(index) else {
            return account.fault("endpoint \(index) does not exist", now: now)
        }
        account.endWait(live[slot], now: now)
        account.clock.fly(live[slot].tenant, 1, now: now)
        attempts += 1
        if account.isCounted(live[slot]) {
            account.dispatches += 1
            account.firstDispatches += dispatch.attempt <= 1 ? 1 : 0
        }
        live[slot].phase = .atEngine
        live[slot].endpoint = index
        live[slot].sequence = LiveRequests.sequence(slot: slot, attempt: attempts)
        live[slot].isDegraded = dispatch.ladderStep > 0
        live[slot].sentAt = now
        live[slot].firstTokenAt = nil
        live[slot].producedTokens = 0
        if endpoints[index].isStalled { expectSilence(index, from: now) }
        if endpoints[index].isDown || endpoints[index].refuses {
            return fails(slot, .refused)
        }
        if endpoints[index].errorShare > 0, chance.uniform() < endpoints[index].errorShare {
            return fails(slot, .serverError)
        }
        submit(slot, to: index, limit: dispatch.outputTokensCap.map { Int($0) })
    }

    private mutating func submit(_ slot: Int, to index: Int, limit: Int?) {
        let arrival = live[slot].arrival
        let output = min(live[slot].outputWanted, limit ?? .max)
        let cached = endpoints[index].engine.cachedTokens(
            hashes: arrival.prefixHashes, promptTokens: arrival.inputTokens)
        let submission = endpoints[index].engine.submit(
            SequenceRequest(
                id: SequenceID(live[slot].sequence), promptTokens: arrival.inputTokens,
                outputTokens: output, prefixHashes: arrival.prefixHashes))
        switch submission {
        case .accepted:
            let prefill = arrival.inputTokens - cached
            live[slot].prefillWaiting = prefill
            endpoints[index].prefillWaiting += prefill
            noteQueue(index)
            if !endpoints[index].isStepping { kicked.append(index) }
        case .queueFull: fails(slot, .busy)
        case .promptTooLong, .invalid: fails(slot, nil)
        }
    }

    /// Prefill that waits at an engine beyond what the policy meant to have there.
    private mutating func noteQueue(_ index: Int) {
        let waiting = endpoints[index].prefillWaiting
        let target =
            policy.prefillTokensMax(at: EndpointID(raw: index))
            ?? endpoints[index].engine.configuration.batchedTokensMax
        let excess = waiting - max(target, account.largestPrompt)
        guard account.isCounting(now) else { return }
        account.queuePeak = max(account.queuePeak, waiting)
        account.queueOvershoot = max(account.queueOvershoot, excess)
    }

    /// The gateway will learn in a moment that the attempt failed; nil: that the engine does not
    /// take such a request.
    private mutating func fails(_ slot: Int, _ failure: Failure?) {
        live[slot].failure = failure
        heap.add(
            .attemptFails(slot: Int32(slot), generation: live[slot].generation),
            at: now.nanos + Monitor.answerNanos)
    }

    mutating func attemptFails(_ slot: Int, _ generation: UInt32) {
        guard live[slot].phase == .atEngine, live[slot].generation == generation else { return }
        let id = live.id(of: slot)
        if let failure = live[slot].failure, live[slot].second != nil {
            return firstLost(slot, failure)
        }
        leaveEngine(slot)
        guard let failure = live[slot].failure else {
            tell(.finish(id, usage: nil))
            return settle(slot, .failed(reason: "http_400", at: .prefill))
        }
        live[slot].failure = nil
        fellBack(slot, failure)
    }

    /// The request is the gateway's again: its attempt failed.
    mutating func fellBack(_ slot: Int, _ failure: Failure) {
        let isBefore = !live[slot].isAnswered
        live[slot].phase = .waiting
        account.clock.wait(live[slot].tenant, 1, now: now)
        tell(.attemptFailed(live.id(of: slot), failure, beforeFirstByte: isBefore))
    }

    /// Takes a request out of its engine, wherever it stands there.
    mutating func leaveEngine(_ slot: Int) {
        dropSecond(slot)
        let index = live[slot].endpoint
        let sequence = SequenceID(live[slot].sequence)
        let computed = endpoints[index].engine.computedTokens(of: sequence)
        live[slot].computedTokens += UInt64(computed)
        endpoints[index].computedTokens += UInt64(computed)
        live[slot].produced(
            endpoints[index].engine.producedTokens(of: sequence),
            at: endpoints[index].stepEndedAt)
        _ = endpoints[index].engine.abort(sequence)
        account.clock.fly(live[slot].tenant, -1, now: now)
        prefillDone(slot)
    }

    private mutating func prefillDone(_ slot: Int) {
        endpoints[live[slot].endpoint].prefillWaiting -= live[slot].prefillWaiting
        live[slot].prefillWaiting = 0
    }

    // MARK: Steps

    mutating func beginStep(_ index: Int) {
        if !endpoints[index].isStepping, !endpoints[index].isDown,
            let plan = endpoints[index].engine.beginStep(now: now)
        {
            let end = now.advanced(byNanos: plan.durationNanos).nanos
            endpoints[index].isStepping = true
            endpoints[index].stepEndsAt = end
            heap.add(.stepEnd(endpoint: Int32(index), epoch: endpoints[index].epoch), at: end)
        }
        refreshIdle(index)
    }

    mutating func endStep(_ index: Int, epoch: UInt32) {
        guard endpoints[index].epoch == epoch else { return }
        engineEvents.removeAll(keepingCapacity: true)
        endpoints[index].isStepping = false
        endpoints[index].stepBeforeEndedAt = endpoints[index].stepEndedAt
        endpoints[index].stepEndedAt = now
        endpoints[index].engine.endStep(into: &engineEvents)
        // The next step begins before the gateway has read what this one brought.
        beginStep(index)
        for position in 0..<engineEvents.count { deliver(engineEvents[position]) }
        if endpoints[index].life == .draining, endpoints[index].hasNothing { retire(index) }
    }

    private mutating func deliver(_ event: EngineEvent) {
        guard let slot = live.slot(ofSequence: event.id.raw) else { return }
        let id = live.id(of: slot)
        if event.kind == .preempted {
            guard live[slot].sequence == event.id.raw else { return }
        } else {
            decide(slot, event.id.raw)
        }
        switch event.kind {
        case .firstToken:
            live[slot].firstTokenAt = now
            live[slot].produced(1, at: now)
            prefillDone(slot)
            guard scenario.clients.streams else { return }
            live[slot].isAnswered = true
            tell(.firstToken(id))
        case .token:
            live[slot].produced(event.produced, at: now)
            guard scenario.clients.streams else { return }
            tell(.progress(id, outputTokens: UInt32(clamping: event.produced)))
        case .preempted:
            // Its last token came with the step before this one.
            live[slot].produced(
                event.produced, at: endpoints[live[slot].endpoint].stepBeforeEndedAt)
            account.preemptions += account.isCounting(now) ? 1 : 0
        case .finished: finished(slot, event)
        }
    }

    private mutating func finished(_ slot: Int, _ event: EngineEvent) {
        let id = live.id(of: slot)
        account.clock.fly(live[slot].tenant, -1, now: now)
        prefillDone(slot)
        live[slot].produced(event.produced, at: now)
        live[slot].computedTokens += UInt64(event.computed)
        live[slot].answerTokens = UInt64(event.computed)
        endpoints[live[slot].endpoint].computedTokens += UInt64(event.computed)
        if account.isCounted(live[slot]) {
            account.cachedTokens += UInt64(event.cached)
            account.promptTokens += UInt64(live[slot].arrival.inputTokens)
        }
        let usage = Usage(
            promptTokens: UInt32(clamping: live[slot].arrival.inputTokens),
            outputTokens: UInt32(clamping: event.produced),
            cachedTokens: UInt32(clamping: event.cached))
        let pool = scenario.pools[endpoints[live[slot].endpoint].model]
        // The first byte of a whole answer comes with its last.
        if !scenario.clients.streams { tell(.firstToken(id)) }
        tell(.finish(id, usage: pool.tellsUsage ? usage : nil))
        settle(slot, .completed)
    }

    /// Tells the clock whether an engine of the model asked for has become idle or busy.
    mutating func refreshIdle(_ index: Int) {
        let isIdle = endpoints[index].isIdle
        guard endpoints[index].model == scenario.model.raw, isIdle != endpoints[index].countsIdle
        else { return }
        endpoints[index].countsIdle = isIdle
        account.clock.idle(isIdle ? 1 : -1, now: now)
    }

    // MARK: The monitor

    /// An instant about `nanos` from now.
    mutating func jittered(_ nanos: UInt64) -> UInt64 {
        let jitter = scenario.monitor.jitter
        let factor = 1 - jitter + 2 * jitter * monitorRandom.uniform()
        return now.advanced(byNanos: max(1, UInt64(Double(nanos) * factor))).nanos
    }

    mutating func scrape(_ index: Int) {
        guard let interval = scenario.monitor.scrapeNanos, endpoints[index].isThere else { return }
        heap.add(.scrape(endpoint: Int32(index)), at: jittered(interval))
        let endpoint = endpoints[index]
        guard !endpoint.isDown, !endpoint.refuses, !endpoint.isStalled, !endpoint.hidesGauges
        else { return }
        endpoints[index].scraped = endpoint.toldGauges
        heap.add(
            .scraped(endpoint: Int32(index)), at: now.nanos + scenario.monitor.scrapeDelayNanos)
    }

    mutating func scraped(_ index: Int) {
        guard let gauges = endpoints[index].scraped, endpoints[index].life == .ready else { return }
        endpoints[index].scraped = nil
        tell(.scraped(EndpointID(raw: index), gauges))
    }

    mutating func probe(_ index: Int) {
        guard endpoints[index].isThere else {
            endpoints[index].isWatched = false
            return
        }
        heap.add(.probe(endpoint: Int32(index)), at: jittered(scenario.monitor.probeNanos))
        heap.add(.probed(endpoint: Int32(index)), at: now.nanos + Monitor.answerNanos)
    }

    mutating func probed(_ index: Int) {
        let endpoint = endpoints[index]
        guard endpoint.life == .ready else { return }
        let isHealthy = !endpoint.isDown && !endpoint.refuses && !endpoint.isStalled
        tell(.probed(EndpointID(raw: index), healthy: isHealthy))
    }
}
