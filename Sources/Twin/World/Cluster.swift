import EngineModel
import RequestPath
package import Scalers
package import Scaling
import Statistics
package import Workload

/// Who decides how many replicas there are.
package enum ScalerUnderTest: Sendable, Hashable {
    case plimsoll
    /// A scaler of the field, at so many requests a replica.
    case baseline(BaselineScaler, perReplica: Double)
    /// One that goes by a model, its answer multiplied by a headroom.
    case model(ModelScaler, headroom: Double)
    /// As many as there were at the start.
    case fixed

    /// Its name on the command line and in reports.
    package var name: String {
        switch self {
        case .plimsoll: "plimsoll"
        case .baseline(let scaler, _): scaler.rawValue
        case .model(let scaler, _): scaler.rawValue
        case .fixed: "fixed"
        }
    }

    /// Name and knob.
    var label: String {
        switch self {
        case .baseline(_, let perReplica): "\(self.name) \(Int(perReplica))"
        case .model(_, let headroom) where headroom != 1: "\(self.name) x\(headroom)"
        default: self.name
        }
    }

    /// Its main knob; nil for none.
    package var setting: Double? {
        switch self {
        case .baseline(_, let perReplica): perReplica
        case .model(_, let headroom): headroom
        case .plimsoll, .fixed: nil
        }
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
    /// Where replicas find GPUs; nil: there are always enough.
    package var nodes: NodePool?
    /// Engine nanoseconds of work that come in each five seconds from time zero on: what the
    /// oracle knows.
    package var future: [Double] = []
    /// Is told the product's decisions.
    package var recorder: ProductScaler.Recorder?

    package init(scaler: ScalerUnderTest, lead: LeadTime, plan: ScalingPlan) {
        self.scaler = scaler
        self.lead = lead
        self.plan = plan
    }

    func makeScaler(_ scenario: Scenario) -> (any ReplicaPolicy)? {
        let pool = scenario.pools[scenario.model.raw]
        let bounds = self.plan.replicasMin...self.plan.replicasMax
        switch self.scaler {
        case .plimsoll:
            return ProductScaler(
                plan: self.plan, replicas: pool.replicas, recorder: self.recorder)
        case .baseline(let baseline, let perReplica):
            return baseline.make(perReplica: perReplica, bounds: bounds)
        case .model(.means, let headroom):
            return MeansScaler(
                engine: EngineFigures(scenario), headroom: headroom, bounds: bounds)
        case .model(.planner, let headroom):
            return PlannerScaler(
                engine: EngineFigures(scenario), headroom: headroom, bounds: bounds)
        case .model(.oracle, let headroom):
            return OracleScaler(
                work: self.future, workPerReplica: self.plan.workPerReplica,
                leadNanos: self.lead.p99Nanos, headroom: headroom, bounds: bounds)
        case .fixed: return nil
        }
    }
}

extension EngineFigures {
    /// Those of the engine and the class that are asked for.
    init(_ scenario: Scenario) {
        let engine = scenario.pools[scenario.model.raw].engine
        let step = engine.cost.step
        let planned = scenario.plan.models[scenario.model.raw]
        self.init(
            base: step.base, perPrefillToken: step.perPrefillToken,
            perSequence: step.perSequence, perKVToken: step.perKVToken,
            sequencesMax: engine.sequencesMax,
            kvTokensMax: engine.kvBlocks * engine.blockTokens,
            firstTokenNanos: Double(planned.classes[scenario.defaultClass].planNanos),
            interTokenNanos: Double(planned.interTokenBoundNanos ?? 1_000_000_000))
    }
}

extension Scenario {
    /// Engine nanoseconds of work that come in each five seconds of a stream, from time zero on.
    ///
    /// Throws what is wrong with the arrivals.
    package func work(in arrivals: consuming ArrivalStream) throws(TraceFault) -> [Double] {
        let measure = WorkMeasure(pools[model.raw].engine)
        var bins: [Double] = []
        while let arrival = try arrivals.next() {
            let bin = Int(arrival.atNanos / 5_000_000_000)
            while bins.count <= bin { bins.append(0) }
            bins[bin] +=
                measure.nanos(
                    inputTokens: arrival.inputTokens, outputTokens: arrival.outputTokens
                ).total
        }
        return bins
    }
}
