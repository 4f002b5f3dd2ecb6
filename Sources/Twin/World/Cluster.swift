package import Scalers
package import Scaling
import Statistics

/// Who decides how many replicas there are.
package enum ScalerUnderTest: Sendable, Hashable {
    case plimsoll
    /// A scaler of the field, at so many requests a replica.
    case baseline(BaselineScaler, perReplica: Double)
    /// As many as there were at the start.
    case fixed

    /// Its name on the command line and in reports.
    package var name: String {
        switch self {
        case .plimsoll: "plimsoll"
        case .baseline(let scaler, _): scaler.rawValue
        case .fixed: "fixed"
        }
    }

    /// Name and knob.
    var label: String { self.perReplica.map { "\(self.name) \(Int($0))" } ?? self.name }

    /// Its main knob; nil for none.
    package var perReplica: Double? {
        if case .baseline(_, let perReplica) = self { perReplica } else { nil }
    }
}

/// Where replicas come from: what starting one takes, who decides how many there are.
package struct Cluster: Sendable {
    /// What starting a replica takes, from its being asked for to its first request.
    package struct LeadTime: Sendable, Hashable {
        /// Half of the starts take at most so long, 99 of 100 at most that; nanoseconds.
        package var p50Nanos: UInt64
        package var p99Nanos: UInt64

        package init(p50Nanos: UInt64, p99Nanos: UInt64) {
            self.p50Nanos = p50Nanos
            self.p99Nanos = max(p50Nanos, p99Nanos)
        }

        /// The 99th percentile of the standard normal distribution.
        private static let z99 = 2.326_347_874

        /// Log-normal between the two.
        func draw(_ random: inout SeededRandom) -> UInt64 {
            guard self.p99Nanos > self.p50Nanos, self.p50Nanos > 0 else { return self.p50Nanos }
            let spread = RealMath.log(Double(self.p99Nanos) / Double(self.p50Nanos)) / Self.z99
            let factor = RealMath.exp(random.normal(mean: 0, deviation: spread))
            return UInt64(min(Double(self.p50Nanos) * factor, 0x1p62))
        }
    }

    package var scaler: ScalerUnderTest
    package var lead: LeadTime
    /// The product's plan; its bounds are everybody's.
    package var plan: ScalingPlan
    /// Engine seconds of work a second that one replica serves inside the budget.
    package var workPerReplica: Double

    package init(
        scaler: ScalerUnderTest, lead: LeadTime, plan: ScalingPlan, workPerReplica: Double
    ) {
        self.scaler = scaler
        self.lead = lead
        self.plan = plan
        self.workPerReplica = workPerReplica
    }

    func makeScaler(replicas: Int) -> (any ReplicaPolicy)? {
        switch self.scaler {
        case .plimsoll: ProductScaler(plan: self.plan, replicas: replicas)
        case .baseline(let baseline, let perReplica):
            baseline.make(
                perReplica: perReplica, bounds: self.plan.replicasMin...self.plan.replicasMax)
        case .fixed: nil
        }
    }
}
