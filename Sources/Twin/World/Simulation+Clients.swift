import Baselines
import Report
import RequestPath
import Statistics
import Time
import Workload

/// Clients: they ask, ask again, give up.
extension Simulation {
    mutating func arrive(_ arrival: Workload.Arrival) {
        let slot = live.insert()
        live[slot].number = account.requests + 1
        live[slot].classIndex =
            arrival.serviceClass.flatMap { classByName[$0] } ?? scenario.defaultClass
        live[slot].tenant = arrival.tenant.flatMap { tenantByName[$0] } ?? 0
        live[slot].arrival = arrival
        live[slot].offeredAt = now
        account.offer(
            live[slot], goodBounds[live[slot].classIndex], streams: scenario.clients.streams)
        offerToScaler(slot)
        if let patience = scenario.clients.patienceNanos {
            let number = UInt32(truncatingIfNeeded: live[slot].number)
            heap.add(
                .leave(slot: Int32(slot), generation: number), at: now.nanos + patience)
        }
        ask(slot)
    }

    /// One try of a client.
    private mutating func ask(_ slot: Int) {
        live[slot].generation &+= 1
        live[slot].phase = .waiting
        live[slot].askedAt = now
        account.clock.wait(live[slot].tenant, 1, now: now)
        arriving = slot
        tell(.arrive(question(slot)))
        arriving = nil
    }

    private func question(_ slot: Int) -> RequestPath.Arrival {
        let request = live[slot]
        let bytes = request.arrival.inputTokens * scenario.clients.bytesPerToken
        // Neighbouring numbers must not look alike to anything that hashes.
        let hash = request.number &* 0x9e37_79b9_7f4a_7c15
        var question = RequestPath.Arrival(
            request: live.id(of: slot), model: scenario.model,
            tenant: TenantID(raw: request.tenant), classIndex: request.classIndex,
            promptBytes: UInt32(clamping: bytes),
            outputTokensMax: scenario.clients.statesLimit
                ? UInt32(clamping: request.outputWanted) : nil,
            streams: scenario.clients.streams, promptHash: hash,
            bodyBytes: UInt32(clamping: bytes))
        question.prefixHashes = request.arrival.prefixHashes
        question.isRetry = request.tries > 1
        return question
    }

    /// A refusal has reached its client.
    mutating func refused(_ slot: Int, _ refusal: Refusal) {
        account.endWait(live[slot], now: now)
        let moment: RequestOutcome.Moment = arriving == slot ? .arrival : .queue
        refusalToScaler(slot, refusal)
        turnedAway(
            slot, .refused(reason: refusal.reason.label, at: moment),
            retryAfter: refusal.reason == .tooLong ? nil : refusal.retryAfterNanos)
    }

    /// A request was taken off its engine.
    mutating func aborted(_ slot: Int) {
        switch policy.abortCause {
        case .deadline: settle(slot, .failed(reason: "engine_stalled", at: .prefill))
        case .preempted(let nanos):
            turnedAway(slot, .refused(reason: "preempted", at: .prefill), retryAfter: nanos)
        }
    }

    /// No attempt is left for a request.
    mutating func failed(_ slot: Int, _ failure: Failure) {
        let status = live[slot].status(of: failure)
        if case .refused = status {
            turnedAway(slot, status, retryAfter: Clients.noEndpointAdvice)
        } else {
            settle(slot, status)
        }
    }

    /// A client has its refusal: it asks again or is content with it.
    private mutating func turnedAway(
        _ slot: Int, _ status: RequestOutcome.Status, retryAfter nanos: UInt64?
    ) {
        if account.isCounted(live[slot]) {
            account.refusalDelays.add(now.nanosSince(live[slot].askedAt))
        }
        guard let wait = nanos.flatMap({ retryWait(slot, advice: $0) }) else {
            return settle(slot, status)
        }
        live[slot].phase = .backingOff
        live[slot].refusal = status
        heap.add(
            .retry(slot: Int32(slot), generation: live[slot].generation), at: now.nanos + wait)
    }

    /// How long the client waits before it asks again; nil when it does not.
    private mutating func retryWait(_ slot: Int, advice nanos: UInt64) -> UInt64? {
        let clients = scenario.clients
        let retried = Int(live[slot].tries) - 1
        guard retried < clients.retriesMax else { return nil }
        switch clients.retry {
        case .off: return nil
        case .ignore: return Clients.retryWaits[min(retried, Clients.retryWaits.count - 1)]
        case .honour:
            guard nanos <= Clients.adviceMax else { return nil }
            return nanos
        }
    }

    mutating func retry(_ slot: Int, _ generation: UInt32) {
        guard live[slot].phase == .backingOff, live[slot].generation == generation else { return }
        live[slot].tries += 1
        ask(slot)
    }

    /// A client that has no byte yet goes away.
    mutating func leave(_ slot: Int, _ number: UInt32) {
        guard live[slot].phase != .free, !live[slot].isAnswered,
            UInt32(truncatingIfNeeded: live[slot].number) == number
        else { return }
        let id = live.id(of: slot)
        let isBackingOff = live[slot].phase == .backingOff
        abandon(slot)
        if !isBackingOff { tell(.cancel(id)) }
    }

    /// Settles a request whose client waits no longer. One that was turned away and has not asked
    /// again was refused.
    private mutating func abandon(_ slot: Int) {
        switch live[slot].phase {
        case .free: return
        case .waiting:
            account.endWait(live[slot], now: now)
            settle(slot, .abandoned(at: .queue))
        case .atEngine:
            leaveEngine(slot)
            settle(slot, .abandoned(at: live[slot].firstTokenAt == nil ? .prefill : .decode))
        case .backingOff: settle(slot, live[slot].refusal ?? .abandoned(at: .queue))
        }
    }

    /// The run is over although requests are unanswered: their clients leave.
    ///
    /// A backlog that engines work off, and a fault in force, are reasons to be unanswered. Without
    /// one, something was lost.
    ///
    /// - Parameters:
    ///   - end: the last instant of the run.
    ///   - isStuck: nothing would ever happen again.
    mutating func giveUp(at end: UInt64, isStuck: Bool) {
        let worksOn = endpoints.contains { $0.isStepping } || activeFaults.contains(true)
        if !isStuck { now = max(now, Instant(nanos: end)) }
        var left = 0
        for slot in live.slots.indices where live[slot].phase != .free {
            if live[slot].phase != .backingOff {
                left += 1
                account.unanswered += account.isCounted(live[slot]) ? 1 : 0
            }
            abandon(slot)
        }
        guard left > 0, isStuck || !worksOn else { return }
        account.fault("\(left) requests were never answered, and nothing kept them", now: now)
    }

    /// Counts a request's outcome and forgets the request.
    mutating func settle(_ slot: Int, _ status: RequestOutcome.Status) {
        let serviceClass = scenario.plan.models[scenario.model.raw].classes[live[slot].classIndex]
        account.settle(
            live[slot], status, className: serviceClass.name,
            deadlineNanos: serviceClass.deadlineNanos, streams: scenario.clients.streams, now: now)
        latenessToScaler(slot, boundNanos: serviceClass.planNanos)
        live.remove(slot)
    }
}

extension LiveRequest {
    /// What a client is told when no attempt is left, in the words of the gateway's answers.
    func status(of failure: Failure) -> RequestOutcome.Status {
        let moment: RequestOutcome.Moment = firstTokenAt == nil ? .prefill : .decode
        switch failure {
        case .refused, .draining, .busy: return .refused(reason: "no_endpoint", at: .queue)
        case .stalled: return .failed(reason: "engine_stalled", at: moment)
        case .disconnected, .serverError, .malformed:
            return .failed(reason: "bad_engine_answer", at: moment)
        }
    }
}
