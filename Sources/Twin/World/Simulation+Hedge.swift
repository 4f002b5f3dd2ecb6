import EngineModel
import RequestPath
import Statistics
import Time
import Workload

/// A request's second try at another engine, until one of the two sends a token.
struct SecondAttempt: Sendable {
    var endpoint: Int
    var sequence: UInt64
    var sentAt: Instant
    /// Prompt tokens that stand in the endpoint's account of waiting prefill.
    var prefillWaiting = 0
    /// It has failed and is not told yet.
    var failure: Failure?
}

/// Two tries of one request, as the live gateway carries them out.
extension Simulation {
    mutating func hedge(_ slot: Int, _ dispatch: Dispatch) {
        let index = dispatch.endpoint.raw
        guard endpoints.indices.contains(index), live[slot].second == nil,
            !live[slot].isAnswered
        else {
            return account.fault("request \(live.id(of: slot).raw) may not be hedged", now: now)
        }
        attempts += 1
        account.hedges += account.isCounted(live[slot]) ? 1 : 0
        let sequence = LiveRequests.sequence(slot: slot, attempt: attempts)
        live[slot].second = SecondAttempt(endpoint: index, sequence: sequence, sentAt: now)
        account.clock.fly(live[slot].tenant, 1, now: now)
        if endpoints[index].isDown || endpoints[index].refuses {
            return secondFails(slot, .refused)
        }
        if endpoints[index].errorShare > 0, chance.uniform() < endpoints[index].errorShare {
            return secondFails(slot, .serverError)
        }
        let arrival = live[slot].arrival
        let cached = endpoints[index].engine.cachedTokens(
            hashes: arrival.prefixHashes, promptTokens: arrival.inputTokens)
        let limit = dispatch.outputTokensCap.map { Int($0) } ?? .max
        let submission = endpoints[index].engine.submit(
            SequenceRequest(
                id: SequenceID(sequence), promptTokens: arrival.inputTokens,
                outputTokens: min(live[slot].outputWanted, limit),
                prefixHashes: arrival.prefixHashes))
        guard case .accepted = submission else { return secondFails(slot, .busy) }
        live[slot].second?.prefillWaiting = arrival.inputTokens - cached
        endpoints[index].prefillWaiting += arrival.inputTokens - cached
        if !endpoints[index].isStepping { kicked.append(index) }
    }

    /// The gateway will learn in a moment that the second try failed.
    private mutating func secondFails(_ slot: Int, _ failure: Failure) {
        live[slot].second?.failure = failure
        heap.add(
            .secondFails(
                slot: Int32(slot),
                attempt: LiveRequests.attempt(of: live[slot].second?.sequence ?? 0)),
            at: now.nanos + Monitor.answerNanos)
    }

    mutating func secondFailed(_ slot: Int, _ attempt: UInt32) {
        guard let second = live[slot].second, let failure = second.failure,
            LiveRequests.attempt(of: second.sequence) == attempt
        else { return }
        dropSecond(slot)
        tell(.hedgeFailed(live.id(of: slot), failure))
    }

    /// A token of one of two tries has come: it is the request's only one from then on.
    mutating func decide(_ slot: Int, _ sequence: UInt64) {
        guard let second = live[slot].second else { return }
        guard second.sequence == sequence else {
            dropSecond(slot)
            return tell(.hedgeFailed(live.id(of: slot), nil))
        }
        promoteSecond(slot)
        account.hedgesWon += account.isCounted(live[slot]) ? 1 : 0
        tell(.hedgeWon(live.id(of: slot)))
    }

    /// The first try has failed: the second takes its place.
    mutating func firstLost(_ slot: Int, _ failure: Failure) {
        promoteSecond(slot)
        tell(.attemptFailed(live.id(of: slot), failure, beforeFirstByte: true))
    }

    /// Takes the first try out of its engine and puts the second in its place.
    mutating func promoteSecond(_ slot: Int) {
        guard let second = live[slot].second else { return }
        live[slot].second = nil
        leaveEngine(slot)
        // One of two stays at engines is over, not the request's.
        live[slot].endpoint = second.endpoint
        live[slot].sequence = second.sequence
        live[slot].sentAt = second.sentAt
        live[slot].prefillWaiting = second.prefillWaiting
        live[slot].failure = nil
        live[slot].firstTokenAt = nil
        live[slot].producedTokens = 0
    }

    /// Takes the second try out of its engine.
    mutating func dropSecond(_ slot: Int) {
        guard let second = live[slot].second else { return }
        live[slot].second = nil
        let sequence = SequenceID(second.sequence)
        let computed = UInt64(endpoints[second.endpoint].engine.computedTokens(of: sequence))
        live[slot].computedTokens += computed
        endpoints[second.endpoint].computedTokens += computed
        _ = endpoints[second.endpoint].engine.abort(sequence)
        endpoints[second.endpoint].prefillWaiting -= second.prefillWaiting
        account.clock.fly(live[slot].tenant, -1, now: now)
    }

    /// Requests whose second try is at an endpoint.
    func seconds(at index: Int) -> [Int] {
        live.slots.indices.filter { live[$0].second?.endpoint == index }
    }
}
