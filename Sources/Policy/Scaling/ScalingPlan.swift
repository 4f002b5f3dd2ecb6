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

    package init(
        replicasMin: Int = 1, replicasMax: Int,
        stabilizationNanos: UInt64 = 600_000_000_000, downStepMax: Int = 1,
        attainment: Double = 0.99, waitNanos: UInt64, coldStartNanos: UInt64 = 0,
        leadNanos: UInt64
    ) {
        self.replicasMin = replicasMin
        self.replicasMax = replicasMax
        self.stabilizationNanos = stabilizationNanos
        self.downStepMax = downStepMax
        self.attainment = attainment
        self.waitNanos = waitNanos
        self.coldStartNanos = coldStartNanos
        self.leadNanos = leadNanos
    }
}

extension ScalingPlan {
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
