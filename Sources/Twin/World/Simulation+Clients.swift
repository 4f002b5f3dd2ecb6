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
        account.requests += 1
        live[slot].number = account.requests
        live[slot].classIndex =
            arrival.serviceClass.flatMap { classByName[$0] } ?? scenario.defaultClass
        live[slot].tenant = arrival.tenant.flatMap { tenantByName[$0] } ?? 0
        live[slot].arrival = arrival
        live[slot].offeredAt = now
        account.largestPrompt = max(account.largestPrompt, arrival.inputTokens)
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
        return question
    }

    /// A refusal has reached its client.
    mutating func refused(_ slot: Int, _ refusal: Refusal) {
        account.clock.wait(live[slot].tenant, -1, now: now)
        let isEarly = arriving == slot
        if account.isCounted(live[slot]) {
            account.refusalDelays.add(now.nanosSince(live[slot].askedAt))
            account.refusals += 1
            account.earlyRefusals += isEarly ? 1 : 0
        }
        if let wait = retryWait(slot, refusal) {
            retries += 1
            live[slot].phase = .backingOff
            heap.add(
                .retry(slot: Int32(slot), generation: live[slot].generation),
                at: now.nanos + wait)
            return
        }
        settle(
            slot, .refused(reason: refusal.reason.label, at: isEarly ? .arrival : .queue))
    }

    /// How long the client waits before it asks again; nil when it does not.
    private mutating func retryWait(_ slot: Int, _ refusal: Refusal) -> UInt64? {
        let clients = scenario.clients
        let retried = Int(live[slot].tries) - 1
        guard retried < clients.retriesMax, refusal.reason != .tooLong else { return nil }
        if let share = clients.retryShareMax,
            Double(retries) >= share * Double(account.requests)
        {
            return nil
        }
        switch clients.retry {
        case .off: return nil
        case .ignore: return Clients.retryWaits[min(retried, Clients.retryWaits.count - 1)]
        case .honour:
            guard refusal.retryAfterNanos <= Clients.adviceMax else { return nil }
            // The gateway spreads its advice by up to a quarter.
            let spread = 1 + 0.25 * chance.uniform()
            return UInt64(Double(refusal.retryAfterNanos) * spread)
        }
    }

    mutating func retry(_ slot: Int, _ generation: UInt32) {
        guard live[slot].phase == .backingOff, live[slot].generation == generation else { return }
        live[slot].tries += 1
        ask(slot)
    }

    /// A client that has no first token yet goes away.
    mutating func leave(_ slot: Int, _ number: UInt32) {
        guard live[slot].phase != .free, live[slot].firstTokenAt == nil,
            UInt32(truncatingIfNeeded: live[slot].number) == number
        else { return }
        let phase = live[slot].phase
        if phase == .atEngine { leaveEngine(slot) }
        if phase == .waiting { account.clock.wait(live[slot].tenant, -1, now: now) }
        let id = live.id(of: slot)
        settle(slot, .abandoned(at: phase == .atEngine ? .prefill : .queue))
        if phase != .backingOff { tell(.cancel(id)) }
    }

    /// Counts a request's outcome and forgets the request.
    mutating func settle(_ slot: Int, _ status: RequestOutcome.Status) {
        let classes = scenario.plan.models[scenario.model.raw].classes
        account.settle(
            live[slot], status, className: classes[live[slot].classIndex].name, now: now)
        live.remove(slot)
    }
}

extension LiveRequest {
    /// Tokens of the answer that are wanted: an answer has one at least.
    var outputWanted: Int { max(1, arrival.outputTokens) }

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
