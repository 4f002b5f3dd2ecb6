import Time

/// How much work a ready replica serves inside the budget: nanoseconds of work in a nanosecond.
///
/// Believed as declared at first, and corrected by what becomes of the work, in two ways:
///
/// - While more is asked for than the belief says fits, what is not missed is what the replicas
///   really serve: the belief goes there by a tenth a minute.
/// - While the belief says that all fits, missing more than the budget tolerates says that it is
///   too high, and missing less that there is room:
///
///       belief *= exp(step * (tolerated * offered - missed) / hour of the fleet's work)
///
///   as in adaptive conformal inference (Gibbs and Candès, 2021): whatever the cause, the share
///   that is missed comes to what is tolerated. A fleet with little to do teaches nothing.
///
/// Only what comes while the same replicas are there teaches.
struct ReplicaCapacity: Sendable {
    private(set) var rate: Double
    private let declared: Double
    private var seen: (ready: Int, at: Instant)?

    private static let step = 10.0
    private static let hourNanos = 3.6e12
    /// One interval never moves the belief by more than this.
    private static let mostAtOnce = 0.05
    /// A fleet less used than this shows nothing of its limit.
    private static let leastUse = 0.5
    /// Half of what the budget tolerates is left for growth within the lead time.
    private static let shareOfTolerated = 0.5
    private static let towardsServed = 0.1 / 60e9
    /// A belief beyond these is a fault of the measure of work.
    private static let leastOfDeclared = 0.25
    private static let mostOfDeclared = 4.0

    init(declared: Double) {
        self.rate = declared
        self.declared = declared
    }

    /// Learns from the time since the last decision.
    ///
    /// - Parameter tolerated: the share of work that the budget lets be late.
    mutating func learn(_ input: ScalingInput, tolerated: Double) {
        defer { self.seen = (input.ready, input.at) }
        guard let seen = self.seen, seen.ready == input.ready, input.ready > 0 else { return }
        let span = Double(input.at.nanosSince(seen.at))
        let offered = input.work.reduce(0, +)
        guard span > 0, offered > 0 else { return }
        let fleet = span * Double(input.ready)
        let use = offered / (fleet * self.rate)
        let missed = min(input.missedWork, offered)
        var change = 0.0
        if use > 1 {
            guard missed > 0 else { return }
            let served = (offered - missed) / fleet
            change = (served / self.rate - 1) * min(1, Self.towardsServed * span)
        } else if use > Self.leastUse || missed > 0 {
            let budget = Self.shareOfTolerated * tolerated * offered
            change = Self.step * (budget - missed) / (self.rate * Self.hourNanos)
            change /= Double(input.ready)
        }
        change = min(max(change, -Self.mostAtOnce), Self.mostAtOnce)
        self.rate = min(
            max(self.rate * (1 + change), self.declared * Self.leastOfDeclared),
            self.declared * Self.mostOfDeclared)
    }
}
