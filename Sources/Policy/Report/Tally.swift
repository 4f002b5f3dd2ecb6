import Statistics

/// What was counted for one class, or for all of them together.
struct Tally: Sendable {
    /// How many requests had a figure to judge, and how many were inside the bound.
    struct Inside: Sendable, Equatable {
        var inside: UInt64 = 0
        var total: UInt64 = 0
    }

    private static let reasonsMax = 64

    var offered: UInt64 = 0
    var completed: UInt64 = 0
    var good: UInt64 = 0
    var degraded: UInt64 = 0
    var abandoned: UInt64 = 0
    var attempts: UInt64 = 0
    var offeredWork: UInt64 = 0
    var goodWork: UInt64 = 0
    var computedTokens: UInt64 = 0
    var wastedTokens: UInt64 = 0
    var refusedByReason = NamedCounts(namesMax: reasonsMax)
    var refusedByMoment = NamedCounts(namesMax: reasonsMax)
    var failedByReason = NamedCounts(namesMax: reasonsMax)
    var failedByMoment = NamedCounts(namesMax: reasonsMax)
    var abandonedByMoment = NamedCounts(namesMax: reasonsMax)
    var ttft = Histogram()
    var itl = Histogram()
    var e2e = Histogram()

    var refused: UInt64 { refusedByReason.total }
    var failed: UInt64 { failedByReason.total }

    mutating func add(_ outcome: RequestOutcome, isGood: Bool) {
        offered += 1
        attempts.add(outcome.attempts)
        offeredWork.add(outcome.inputTokens.adding(outcome.outputTokens))
        if outcome.isDegraded { degraded += 1 }
        switch outcome.status {
        case .completed:
            completed += 1
        case .refused(let reason, let moment):
            refusedByReason.add(reason)
            refusedByMoment.add(moment.rawValue)
        case .failed(let reason, let moment):
            failedByReason.add(reason)
            failedByMoment.add(moment.rawValue)
        case .abandoned(let moment):
            abandoned += 1
            abandonedByMoment.add(moment.rawValue)
        }
        if isGood {
            good += 1
            goodWork.add(outcome.attainedWork)
        } else {
            wastedTokens.add(outcome.tokensComputed)
        }
        computedTokens.add(outcome.tokensComputed)
        if let nanos = outcome.nanos(of: .ttft) { ttft.add(nanos) }
        if let nanos = outcome.nanos(of: .itl) { itl.add(nanos) }
        if let nanos = outcome.nanos(of: .e2e) { e2e.add(nanos) }
    }

    mutating func add(_ other: Tally) {
        offered += other.offered
        completed += other.completed
        good += other.good
        degraded += other.degraded
        abandoned += other.abandoned
        attempts.add(other.attempts)
        offeredWork.add(other.offeredWork)
        goodWork.add(other.goodWork)
        computedTokens.add(other.computedTokens)
        wastedTokens.add(other.wastedTokens)
        refusedByReason.add(other.refusedByReason)
        refusedByMoment.add(other.refusedByMoment)
        failedByReason.add(other.failedByReason)
        failedByMoment.add(other.failedByMoment)
        abandonedByMoment.add(other.abandonedByMoment)
        ttft.merge(other.ttft)
        itl.merge(other.itl)
        e2e.merge(other.e2e)
    }
}

extension RequestOutcome {
    /// Tokens its client was served: the prompt, once a token came, and what was produced.
    var attainedWork: UInt64 {
        let isComputed = status == .completed || ttftNanos != nil || producedTokens > 0
        return isComputed ? inputTokens.adding(producedTokens) : 0
    }

    /// Tokens that engines computed for it, or what its client can know of them.
    var tokensComputed: UInt64 { computedTokens ?? attainedWork }
}

extension UInt64 {
    /// The sum, or the largest number where there is none: token counts come from clients, and an
    /// absurd one must not stop the process.
    func adding(_ other: UInt64) -> UInt64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }

    /// Adds `other`, staying at the largest number.
    mutating func add(_ other: UInt64) {
        self = adding(other)
    }
}
