import RequestPath
import Scalers
import Scaling
import World

/// `--scaler`: who moves the replicas of the model asked for, and what starting one takes.
extension SimulateCommand {
    /// The scalers of the command line; one nil where nothing scales.
    static func scalers(_ arguments: Arguments) throws(UsageError) -> [ScalerUnderTest?] {
        guard let text = arguments.text("--scaler") else { return [nil] }
        let settings = try Self.requestsPerReplica(arguments)
        var scalers: [ScalerUnderTest] = []
        for word in text.split(separator: ",").map(String.init) {
            switch word {
            case "plimsoll": scalers.append(.plimsoll)
            case "fixed": scalers.append(.fixed)
            default:
                guard let baseline = BaselineScaler(rawValue: word) else {
                    let names = BaselineScaler.allCases.map(\.rawValue).joined(separator: ", ")
                    throw UsageError(
                        "--scaler '\(word)' is none of plimsoll, fixed, \(names)")
                }
                scalers += settings.map { .baseline(baseline, perReplica: $0) }
            }
        }
        guard !scalers.isEmpty else { throw UsageError("--scaler names nobody") }
        return scalers
    }

    private static func requestsPerReplica(
        _ arguments: Arguments
    ) throws(UsageError) -> [Double] {
        var settings: [Double] = []
        for word in (arguments.text("--per-replica") ?? "16").split(separator: ",") {
            guard let value = Double(word), value.isFinite, value > 0, value <= 1e6 else {
                throw UsageError("--per-replica '\(word)' is no number above 0")
            }
            settings.append(value)
        }
        return settings
    }

    /// Replicas that come and go under a scaler.
    static func cluster(
        _ scaler: ScalerUnderTest, _ arguments: Arguments, _ scenario: Scenario
    ) throws -> Cluster {
        guard scenario.faults.isEmpty else {
            throw UsageError("give --scaler or --faults, not both")
        }
        let lead = try Self.leadTime(arguments)
        let pool = scenario.pools[scenario.model.raw]
        let planned = scenario.plan.models[scenario.model.raw].classes[scenario.defaultClass]
        let most = try arguments.number("--replicas-max", in: 1...10_000) ?? 64
        let least = try arguments.number("--replicas-min", in: 1...10_000) ?? 1
        guard least <= most else { throw UsageError("--replicas-min is above --replicas-max") }
        let plan = ScalingPlan(
            replicasMin: least, replicasMax: most,
            stabilizationNanos: try arguments.duration("--stabilization") ?? 600_000_000_000,
            waitNanos: min(planned.planNanos, 60_000_000_000) / 2, leadNanos: lead.p50Nanos)
        let perReplica = scenario.capacityWork.map { $0 / Double(max(1, pool.replicas)) }
        return Cluster(
            scaler: scaler, lead: lead, plan: plan, workPerReplica: perReplica ?? Self.usualWork)
    }

    /// Engine seconds of work a second of one replica, where its capacity was not searched.
    private static let usualWork = 0.7

    /// `120s`, or `120s:300s`: half of the starts and 99 of 100 take at most so long.
    private static func leadTime(_ arguments: Arguments) throws(UsageError) -> Cluster.LeadTime {
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
}
