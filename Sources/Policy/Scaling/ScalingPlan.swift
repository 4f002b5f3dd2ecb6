/// What a scaler must hold: the written budget of one model, compiled to numbers.
package struct ScalingPlan: Sendable, Equatable {
    /// Replicas that stay ready whatever is asked for: the warm floor. 0 is allowed.
    package var replicasMin: Int
    /// At least `replicasMin` and at least 1.
    package var replicasMax: Int
    /// Need must have been lower for this long before a replica goes; nanoseconds.
    package var stabilizationNanos: UInt64
    /// Most replicas taken away by one decision.
    package var downStepMax: Int
    /// The share of work that must be served inside its bound: the budget's highest quantile.
    package var attainment: Double
    /// How long a request may wait for an engine and still meet its bound; nanoseconds.
    package var waitNanos: UInt64
    /// How long requests may wait while no replica is ready; nanoseconds.
    package var coldStartNanos: UInt64
    /// What starting a replica is believed to take before any was seen; nanoseconds.
    package var leadNanos: UInt64
    /// Work that a ready replica is believed to serve inside the budget, before any was seen to be
    /// at its limit: nanoseconds in a nanosecond.
    package var workPerReplica: Double
    /// Replicas kept above need as somebody wrote it; nil: what past growth and chance ask for.
    package var standby: Int?

    package init(
        replicasMin: Int = 1, replicasMax: Int,
        stabilizationNanos: UInt64 = 600_000_000_000, downStepMax: Int = 1,
        attainment: Double = 0.99, waitNanos: UInt64, coldStartNanos: UInt64 = 0,
        leadNanos: UInt64, workPerReplica: Double = 1, standby: Int? = nil
    ) {
        self.replicasMin = replicasMin
        self.replicasMax = replicasMax
        self.stabilizationNanos = stabilizationNanos
        self.downStepMax = downStepMax
        self.attainment = attainment
        self.waitNanos = waitNanos
        self.coldStartNanos = coldStartNanos
        self.leadNanos = leadNanos
        self.workPerReplica = workPerReplica
        self.standby = standby
    }
}

extension ScalingPlan {
    /// Whether its figures are such as a written budget can have: what a scaler may be made of.
    package var isSound: Bool {
        (0...Self.replicasMost).contains(self.replicasMin)
            && (max(1, self.replicasMin)...Self.replicasMost).contains(self.replicasMax)
            && (1...Self.replicasMost).contains(self.downStepMax)
            && (0...Self.replicasMost).contains(self.standby ?? 0)
            && self.attainment > 0 && self.attainment < 1
            && self.workPerReplica > 0 && self.workPerReplica < 1e6
            && max(self.stabilizationNanos, self.waitNanos, self.leadNanos) < Self.nanosMost
            && self.coldStartNanos < Self.nanosMost
    }

    private static let replicasMost = 10_000
    /// A year.
    private static let nanosMost: UInt64 = 31_536_000_000_000_000

    /// Whole replicas within the written bounds.
    func bounded(_ wanted: Double) -> Int {
        Int(min(max(wanted.rounded(.up), Double(self.replicasMin)), Double(self.replicasMax)))
    }

    /// How many times what the rate asks for the first replicas must be: they find the work of a
    /// whole lead time waiting, and its oldest has only the rest of the cold-start deadline.
    func catchUp(leadNanos: UInt64) -> Double {
        guard self.coldStartNanos > leadNanos else { return 1 }
        let factor = Double(self.coldStartNanos) / Double(self.coldStartNanos - leadNanos)
        return min(factor, 4)
    }
}

extension ScalingPlan: Codable {
    private enum CodingKeys: String, CodingKey {
        case replicasMin = "replicas_min"
        case replicasMax = "replicas_max"
        case stabilizationNanos = "stabilization_ns"
        case downStepMax = "down_step_max"
        case attainment
        case waitNanos = "wait_ns"
        case coldStartNanos = "cold_start_ns"
        case leadNanos = "lead_ns"
        case workPerReplica = "work_per_replica"
        case standby
    }
}
