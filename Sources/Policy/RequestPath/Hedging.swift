import Time

/// When a second try before the first token is worth its work, and how much may be spent on it.
///
/// A request is hedged once its first token is later than 95 % of recent ones were, each against
/// what was predicted for it, so that a long prompt is not taken for a slow engine. Waiting for
/// that quantile alone bounds the extra dispatches to about 5 % (J. Dean and L. A. Barroso, "The
/// Tail at Scale", Communications of the ACM 56(2), 2013); the budget bounds the extra work below
/// that, also while every engine is late and a second try would only add to the load.
struct Hedging: Sendable {
    /// Time to first token over its prediction, with one step added to both: what is a step late
    /// says nothing.
    private var lateness = RatioSketch(quantile: 0.95)
    /// Token work that may be spent on second tries.
    private var balance = 0.0

    /// Calm hours must not pay for a storm: no more than a few long prompts are saved up.
    private static let balanceMax = 32_768.0

    /// First tries of so much token work were dispatched.
    mutating func earn(work: Double, share: Double) {
        self.balance = min(Self.balanceMax, self.balance + work * share)
    }

    /// Whether a second try of so much token work may be made; spends it if so.
    mutating func spend(work: Double) -> Bool {
        guard self.balance >= work else { return false }
        self.balance -= work
        return true
    }

    /// A first token came after `nanos` when `predictedNanos` were expected.
    mutating func learn(
        nanos: UInt64, predictedNanos: Double, stepNanos: Double, now: Instant
    ) {
        self.lateness.add(
            ratio: (Double(nanos) + stepNanos) / (predictedNanos + stepNanos), now: now)
    }

    /// Nanoseconds after its dispatch at which a request counts as late: never before its first
    /// token was due, however early others came.
    mutating func delay(predictedNanos: Double, stepNanos: Double, now: Instant) -> UInt64 {
        let ratio = max(RatioSketch.prior, self.lateness.value(now: now))
        return UInt64(saturating: (predictedNanos + stepNanos) * ratio - stepNanos)
    }
}
