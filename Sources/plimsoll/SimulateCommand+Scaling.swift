import Budget
import EventLoop
import Fleet
import RequestPath
import Scalers
import Scaling
import World

/// `--scaler`: who moves the replicas of the model asked for, and what starting one takes.
extension SimulateCommand {
    /// The scalers of the command line; one nil where nothing scales.
    static func scalers(_ arguments: Arguments) throws(UsageError) -> [ScalerUnderTest?] {
        guard let text = arguments.text("--scaler") else { return [nil] }
        let perReplica = try Self.settings(arguments, "--per-replica", unwritten: "16")
        let headrooms = try Self.settings(arguments, "--headroom", unwritten: "1")
        var scalers: [ScalerUnderTest] = []
        for word in text.split(separator: ",").map(String.init) {
            switch word {
            case "plimsoll": scalers.append(.plimsoll)
            case "fixed": scalers.append(.fixed)
            default:
                if let baseline = BaselineScaler(rawValue: word) {
                    scalers += perReplica.map { .baseline(baseline, perReplica: $0) }
                } else if let model = ModelScaler(rawValue: word) {
                    scalers += headrooms.map { .model(model, headroom: $0) }
                } else {
                    let names =
                        BaselineScaler.allCases.map(\.rawValue)
                        + ModelScaler.allCases.map(\.rawValue)
                    throw UsageError(
                        "--scaler '\(word)' is none of plimsoll, fixed, "
                            + names.joined(separator: ", "))
                }
            }
        }
        guard !scalers.isEmpty else { throw UsageError("--scaler names nobody") }
        return scalers
    }

    private static func settings(
        _ arguments: Arguments, _ name: String, unwritten: String
    ) throws(UsageError) -> [Double] {
        var settings: [Double] = []
        for word in (arguments.text(name) ?? unwritten).split(separator: ",") {
            guard let value = Double(word), value >= 0.001, value <= 1e6 else {
                throw UsageError("\(name) '\(word)' is no number from 0.001 on")
            }
            settings.append(value)
        }
        return settings
    }

    /// Replicas that come and go under a scaler.
    static func cluster(
        _ scaler: ScalerUnderTest, _ arguments: Arguments, _ scenario: Scenario,
        lead given: Cluster.LeadTime? = nil
    ) throws -> Cluster {
        guard scenario.faults.isEmpty else {
            throw UsageError("give --scaler or --faults, not both")
        }
        let lead = try given ?? Self.leadTime(arguments)
        let pool = scenario.pools[scenario.model.raw]
        let perReplica =
            scenario.capacityWork.map { $0 / Double(max(1, pool.replicas)) } ?? Self.usualWork
        let planned = scenario.plan.models[scenario.model.raw].classes[scenario.defaultClass]
        var plan =
            scenario.writtenScaling
            ?? ScalingPlan(
                replicasMax: 64, waitNanos: min(planned.planNanos, 60_000_000_000) / 2,
                leadNanos: 0)
        plan.leadNanos = lead.p50Nanos
        plan.workPerReplica = perReplica
        plan.replicasMax =
            try arguments.number("--replicas-max", in: 1...10_000) ?? plan.replicasMax
        plan.replicasMin =
            try arguments.number("--replicas-min", in: 0...10_000) ?? plan.replicasMin
        plan.stabilizationNanos =
            try arguments.duration("--stabilization") ?? plan.stabilizationNanos
        guard plan.replicasMin <= plan.replicasMax else {
            throw UsageError(
                "the fewest replicas, \(plan.replicasMin), are above the most, \(plan.replicasMax)")
        }
        var cluster = Cluster(scaler: scaler, lead: lead, plan: plan)
        cluster.nodes = scenario.writtenNodes
        if let nodes = cluster.nodes, pool.replicas > nodes.replicasMax {
            throw UsageError(
                "\(pool.replicas) replicas at the start, and the pool has room for "
                    + "\(nodes.replicasMax)")
        }
        cluster.nodes?.fetchNanos = try arguments.duration("--fetch") ?? 0
        guard cluster.nodes != nil || !arguments.has("--fetch") else {
            throw UsageError(
                "--fetch is what a fresh node takes besides: the budget's model names no GPUPool")
        }
        return cluster
    }

    /// The nodes of the pool that a model names; nil for none. Whole GPUs: a slice takes one.
    static func nodes(
        of model: ModelSpec, _ configuration: Configuration
    ) throws(UsageError) -> NodePool? {
        guard let accelerator = model.accelerator,
            let pool = configuration.pool(named: accelerator.pool)
        else { return nil }
        var gpus = 1
        if case .gpus(let count) = accelerator.share { gpus = count }
        return try Self.nodes(of: pool, gpusPerReplica: gpus)
    }

    /// The nodes of a pool, for replicas of so many GPUs.
    static func nodes(
        of pool: GPUPoolSpec, gpusPerReplica gpus: Int
    ) throws(UsageError) -> NodePool {
        guard gpus <= pool.gpusPerNode else {
            throw UsageError(
                "a replica takes \(gpus) GPUs, and a node of GPUPool \(pool.name) has "
                    + "\(pool.gpusPerNode)")
        }
        let written = pool.provisioning
        let usual = written?.nanos(at: .p50) ?? written?.highest?.nanos ?? Self.usualNode.p50Nanos
        return NodePool(
            gpusPerNode: pool.gpusPerNode, gpusPerReplica: max(1, gpus),
            nodesMin: pool.nodesMin, nodesMax: max(1, pool.nodesMax),
            provisioning: Cluster.LeadTime(
                p50Nanos: usual,
                p99Nanos: written?.highest?.nanos ?? Self.usualNode.p99Nanos))
    }

    /// What providing a GPU node takes where nothing is written: two to five minutes are usual.
    private static let usualNode = Cluster.LeadTime(
        p50Nanos: 180_000_000_000, p99Nanos: 540_000_000_000)

    /// Engine seconds of work a second of one replica, where its capacity was not searched.
    private static let usualWork = 0.7

    /// `120s`, or `120s:300s`: half of the starts and 99 of 100 take at most so long.
    static func leadTime(_ arguments: Arguments) throws(UsageError) -> Cluster.LeadTime {
        let text = arguments.text("--lead-time") ?? "120s"
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        var times: [UInt64] = []
        for part in parts {
            guard let nanos = WrittenTime.nanos(String(part)), nanos >= 2_000_000_000,
                nanos <= 86_400_000_000_000
            else {
                throw UsageError("--lead-time '\(text)' is no time from 2s to 24h, nor two of them")
            }
            times.append(nanos)
        }
        guard (1...2).contains(times.count) else {
            throw UsageError("--lead-time '\(text)' is neither a time nor P50:P99")
        }
        return Cluster.LeadTime(p50Nanos: times[0], p99Nanos: times.last ?? times[0])
    }

    /// Where the decisions of the one run are kept.
    static func decisions(
        _ arguments: Arguments, _ clusters: [Cluster?], runs: Int
    ) throws -> DecisionSink? {
        guard let path = arguments.text("--decisions") else { return nil }
        guard runs == 1, let cluster = clusters.first ?? nil, cluster.scaler == .plimsoll else {
            throw UsageError("--decisions keeps those of one run: --scaler plimsoll, one seed")
        }
        let model = arguments.text("--model") ?? "model"
        let replicas = try arguments.number("--replicas", in: 0...10_000) ?? 1
        return DecisionSink(
            try DecisionLog(
                path: path,
                header: DecisionHeader(
                    model: model, plan: cluster.plan, replicas: replicas, clockNanos: 0,
                    unixNanos: 0)))
    }
}

/// The decisions of a run on their way to a file; what goes wrong there is told at the end.
final class DecisionSink: Sendable {
    private let log: Lock<DecisionLog>
    private let fault = Lock<DecisionLogFault?>(nil)

    init(_ log: sending DecisionLog) {
        self.log = Lock(log)
    }

    var recorder: ProductScaler.Recorder {
        { input, decision in
            self.log.withLock { log in
                do throws(DecisionLogFault) {
                    try log.add(DecisionRecord(input: input, decision: decision))
                } catch {
                    self.fault.withLock { $0 = $0 ?? error }
                }
            }
        }
    }

    /// Throws the first fault there was.
    func close() throws(DecisionLogFault) {
        if let fault = self.fault.withLock({ $0 }) { throw fault }
    }
}
