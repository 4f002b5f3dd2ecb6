package import Budget
package import Scaling

extension ScalingPlan {
    /// What one written model asks of its scaler; nil where nothing of scaling is written.
    ///
    /// - Parameters:
    ///   - leadNanos: what starting a replica is believed to take; nanoseconds.
    ///   - workPerReplica: what one is believed to serve, in nanoseconds of work a nanosecond.
    package init?(_ spec: ModelSpec, leadNanos: UInt64, workPerReplica: Double) {
        guard let scaling = spec.scaling else { return nil }
        let bounds = spec.bounds(of: spec.classes[spec.defaultClassIndex])
        var standby: Int?
        if case .replicas(let count) = scaling.standby { standby = count }
        self.init(
            replicasMin: scaling.replicasMin, replicasMax: scaling.replicasMax,
            stabilizationNanos: scaling.scaleDownStabilizationNanos,
            downStepMax: scaling.scaleDownMaxStep,
            attainment: bounds.timeToFirstTokenQuantile?.share ?? 0.99,
            waitNanos: min(bounds.timeToFirstTokenNanos, Self.waitNanosMost) / 2,
            coldStartNanos: spec.budget.deadline.coldStartNanos ?? 0, leadNanos: leadNanos,
            workPerReplica: workPerReplica, standby: standby)
    }

    /// A bound of hours is no reason to let work of hours gather.
    private static let waitNanosMost: UInt64 = 60_000_000_000
}
