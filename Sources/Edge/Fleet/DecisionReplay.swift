import FoundationEssentials
package import Scaling

/// Makes recorded decisions again: the same inputs must give the same decisions, to the last byte.
package struct DecisionReplay {
    /// Decisions read, and of them those that came out otherwise.
    package private(set) var decisions: UInt64 = 0
    package private(set) var differing: UInt64 = 0
    /// Decisions whose terms do not add up to their target.
    package private(set) var unexplained: UInt64 = 0
    /// The first that came out otherwise: as it was kept and as it is now.
    package private(set) var firstDifference: (kept: ScalingDecision, now: ScalingDecision)?
    private var scaler: Scaler?
    private let encoder = DecisionLog.encoder()

    package init() {}

    /// A scaler begins.
    package mutating func begin(_ header: DecisionHeader) {
        self.scaler = Scaler(plan: header.plan, replicas: header.replicas)
    }

    /// One decision, with the bytes it was kept in.
    package mutating func add(_ record: DecisionRecord, text: [UInt8]) {
        guard let now = self.scaler?.decide(record.input) else { return }
        self.decisions += 1
        let again = DecisionLog.line(
            DecisionRecord(input: record.input, decision: now), self.encoder)
        if again != text {
            self.differing += 1
            if self.firstDifference == nil { self.firstDifference = (record.decision, now) }
        }
        let target = Double(record.decision.target)
        if abs(record.decision.terms.sum - target) > 1e-6 { self.unexplained += 1 }
    }
}
