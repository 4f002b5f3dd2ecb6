import Statistics
package import Time

/// What starting a replica takes, from its being asked for to the first request it could serve:
/// learned from every start, believed as declared until one was seen.
package struct LeadTime: Sendable {
    private var starts: DecayingQuantile

    /// Starts are rare: one of a day ago still weighs half.
    private static let halfLifeNanos: UInt64 = 86_400_000_000_000

    /// Believes in `declaredNanos` as in one start.
    package init(declaredNanos: UInt64) {
        self.starts = DecayingQuantile(
            halfLifeNanos: Self.halfLifeNanos, prior: declaredNanos, priorWeight: 1)
    }

    /// A start took so long.
    package mutating func learn(nanos: UInt64, now: Instant) {
        self.starts.add(nanos, now: now)
    }

    /// What `share` of starts take at most, in nanoseconds.
    package func nanos(_ share: Double, now: Instant) -> UInt64 {
        self.starts.quantile(share, now: now)
    }
}
