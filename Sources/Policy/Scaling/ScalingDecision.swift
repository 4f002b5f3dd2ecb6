package import Time

/// What a scaler decided and why: enough to check it by hand.
package struct ScalingDecision: Sendable, Equatable {
    /// What each consideration added to the target, in replicas. Their sum is the target.
    package struct Terms: Sendable, Equatable {
        /// What the work that comes now keeps busy.
        package var now = 0.0
        /// What it kept busy at its peak within the stabilization window, above that.
        package var peak = 0.0
        /// For growth within the lead time and for chance, by this service's own past.
        package var standby = 0.0
        /// To work off what waits.
        package var backlog = 0.0
        /// To whole replicas.
        package var rounding = 0.0
        /// By the written minimum and maximum.
        package var bounds = 0.0
        /// What going down step by step holds back.
        package var pace = 0.0

        package var sum: Double {
            self.now + self.peak + self.standby + self.backlog + self.rounding + self.bounds
                + self.pace
        }
    }

    /// What decided in the end.
    package enum Binding: String, Sendable, CaseIterable {
        /// The work of the present.
        case need
        /// The stabilization window's peak.
        case peak
        /// Growth within the lead time.
        case standby
        /// What waits.
        case backlog
        /// The written minimum or maximum.
        case minimum, maximum
        /// One step down at a time, or none yet.
        case pace
        /// The tail would not hold on one replica less.
        case tail
    }

    package var at: Instant
    /// Replicas that are meant to be there: ready or on their way.
    package var current: Int
    package var target: Int
    package var terms: Terms
    package var binding: Binding
    package var rule: ScalingRule
    /// The lead time planned with, in nanoseconds.
    package var leadNanos: UInt64
    /// Work a ready replica is believed to serve, in nanoseconds a nanosecond.
    package var workPerReplica: Double
    /// What this rule would have missed of the work that came, as a share.
    package var missedShare: Double
    /// What was not taken: of the rules that cost less the one that would have missed least.
    package var rejected: [Rejected]

    /// A rule that was not taken.
    package struct Rejected: Sendable, Equatable {
        package var rule: ScalingRule
        /// What it would have missed of the work that came, as a share.
        package var missedShare: Double
        /// What it would have cost, as a share of the chosen one's cost.
        package var costShare: Double
    }
}

extension ScalingDecision: Codable {
    private enum CodingKeys: String, CodingKey {
        case at = "at_ns"
        case current, target, terms, binding, rule
        case leadNanos = "lead_ns"
        case workPerReplica = "work_per_replica"
        case missedShare = "missed_share"
        case rejected
    }
}

extension ScalingDecision.Terms: Codable {}

extension ScalingDecision.Binding: Codable {}

extension ScalingDecision.Rejected: Codable {
    private enum CodingKeys: String, CodingKey {
        case rule
        case missedShare = "missed_share"
        case costShare = "cost_share"
    }
}
