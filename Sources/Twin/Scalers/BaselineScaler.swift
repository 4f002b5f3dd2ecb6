/// The field's scalers, by what they are called.
package enum BaselineScaler: String, Sendable, CaseIterable {
    case hpa, kpa, keda, ratio

    /// Builds it.
    ///
    /// - Parameters:
    ///   - perReplica: its main knob: requests for each replica, above zero.
    ///   - bounds: fewest and most replicas.
    package func make(perReplica: Double, bounds: ClosedRange<Int>) -> any ReplicaPolicy {
        switch self {
        case .hpa: HorizontalScaler(perReplica: perReplica, bounds: bounds)
        case .kpa: ConcurrencyScaler(perReplica: perReplica, bounds: bounds)
        case .keda: QueueScaler(perReplica: perReplica, bounds: bounds)
        case .ratio: RatioScaler(perReplica: perReplica, bounds: bounds)
        }
    }
}
