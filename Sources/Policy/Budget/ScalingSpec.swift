/// How many replicas a model may have.
package struct ScalingSpec: Sendable, Equatable {
    /// Replicas that are ready, the model loaded: the warm floor. 0 is allowed.
    package var replicasMin: Int
    /// At least `replicasMin` and at least 1.
    package var replicasMax: Int
    package var standby: Standby
    /// Need must have been lower for this long before a replica goes; 10 minutes when unwritten.
    package var scaleDownStabilizationNanos: UInt64
    /// Most replicas taken away at once.
    package var scaleDownMaxStep: Int

    package init(
        replicasMin: Int = 1, replicasMax: Int, standby: Standby = .auto,
        scaleDownStabilizationNanos: UInt64 = 600 * 1_000_000_000, scaleDownMaxStep: Int = 1
    ) {
        self.replicasMin = replicasMin
        self.replicasMax = replicasMax
        self.standby = standby
        self.scaleDownStabilizationNanos = scaleDownStabilizationNanos
        self.scaleDownMaxStep = scaleDownMaxStep
    }
}

/// Replicas kept above need.
package enum Standby: Sendable, Equatable {
    /// From the measured lead-time quantile.
    case auto
    case replicas(Int)
}
