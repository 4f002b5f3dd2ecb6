import Budget

/// What an HPA or KEDA scales on.
enum MetricRules {
    /// With `Value` the HPA takes metric / target as a factor on the ready pods, so that a total
    /// multiplies them; with `AverageValue` it is divided by them. Source:
    /// `getUsageRatioReplicaCount` of the controller's replica_calculator.go.
    static func valueTarget(_ scaler: PodScaler, _: Circumstances) -> [Problem] {
        scaler.metrics.compactMap { metric in
            guard metric.source == .total, metric.targetType.value == .value, metric.isTotal else {
                return nil
            }
            let reason =
                metric.isReplicas
                ? "a number of replicas under Value is multiplied by the ready ones: 3 wanted at 3 "
                    + "ready makes 9, and each decision more; only the \(scaler.replicasMax.value) "
                    + "allowed end it"
                : "a total under Value is a factor on the ready replicas: while it stays above "
                    + "the target they multiply every \(ReplicaWalk.syncSeconds) s, up to "
                    + "\(scaler.replicasMax.value), though those that start have not helped yet"
            let one = metric.isReplicas ? "\"1\"" : "what one replica bears"
            return Problem(
                position: metric.targetType.position, reason: reason,
                fix: scaler.keda == nil
                    ? "target: {type: AverageValue, averageValue: \(one)}"
                    : "metricType: AverageValue, with \(one) as the threshold")
        }
    }

    /// With `AverageValue` the HPA wants metric / target replicas, however many there are. Source:
    /// `GetExternalPerPodMetricReplicas` of the controller's replica_calculator.go.
    static func dividedAverage(_ scaler: PodScaler, _: Circumstances) -> [Problem] {
        scaler.metrics.filter { metric in
            metric.source == .total && metric.targetType.value == .averageValue
                && metric.isAverage
        }.map { metric in
            Problem(
                position: metric.position,
                reason: "the query is an average already, and AverageValue divides it by the "
                    + "replicas again: twice the target means 2 replicas, though "
                    + "\(scaler.replicasMax.value) run",
                fix: "sum(...) instead of the average, or metricType: Value")
        }
    }

    /// An engine's process keeps a core busy and its memory full whatever the load.
    static func cpu(_ scaler: PodScaler, _: Circumstances) -> [Problem] {
        let fix =
            "scale on work that waits and runs, such as vllm:num_requests_waiting, with "
            + "AverageValue"
        if scaler.metrics.isEmpty, scaler.keda == nil {
            return [
                Problem(
                    position: scaler.metricsPosition,
                    reason: "no metrics means 80 % of CPU, which says nothing of a GPU server's "
                        + "load or queue", fix: fix)
            ]
        }
        return scaler.metrics.filter { $0.source == .resource }.map { metric in
            Problem(
                position: metric.position,
                reason: "the \(metric.text == "memory" ? "host memory" : "CPU") of a GPU server "
                    + "says nothing of its load or queue", fix: fix)
        }
    }

    /// A batching engine keeps the GPU busy from the first request on: the gauge says busy, not
    /// full.
    static func gpuUtilization(_ scaler: PodScaler, _: Circumstances) -> [Problem] {
        scaler.metrics.filter { $0.source != .resource && $0.isGPUUtilization }.map { metric in
            Problem(
                position: metric.position,
                reason: "GPU utilization is near 100 % from a few requests on: above that it "
                    + "cannot tell one waiting request from a thousand",
                fix: "scale on work that waits and runs, such as vllm:num_requests_waiting")
        }
    }

    /// An average over minutes shows a rise minutes late, and the lead time begins only then.
    static func smoothedQuery(_ scaler: PodScaler, _ at: Circumstances) -> [Problem] {
        let bound = max(120, at.lead.typical / 4)
        return scaler.metrics.compactMap { metric in
            guard metric.source == .total, let range = metric.smoothingSeconds, range > bound
            else { return nil }
            return Problem(
                position: metric.position,
                reason: "the query averages over \(range) s: half of a rise shows after "
                    + "\(range / 2) s, before the \(at.lead.typical) s of a start",
                fix: "a range of at most \(bound) s; max_over_time holds a fall back without it")
        }
    }

    /// Two windows in series wait for the same thing twice (llm-d/llm-d-autoscaling#1352).
    static func doubleStabilization(_ scaler: PodScaler, _ at: Circumstances) -> [Problem] {
        var problems: [Problem] = []
        if scaler.isStabilizedElsewhere(at), scaler.down.window.value > 0,
            scaler.down.selection.value != .disabled,
            let nanos = at.model?.scaling?.scaleDownStabilizationNanos
        {
            let own = wholeSeconds(nanos)
            let window = scaler.down.window
            problems.append(
                Problem(
                    position: window.position,
                    reason: "the wanted replicas are held back \(own) s by the budget's "
                        + "scaleDown.stabilization and again \(window.secondsText) here: "
                        + "\(own + window.value) s until one goes",
                    fix: "\(scaler.behaviorPath).scaleDown.stabilizationWindowSeconds: 0"))
        }
        let ranges = scaler.metrics.filter { $0.source == .total }.compactMap(\.smoothingSeconds)
        if let range = ranges.max(), range > 60, scaler.up.window.value > 0 {
            problems.append(
                Problem(
                    position: scaler.up.window.position,
                    reason: "a rise waits twice: the query averages over \(range) s, and "
                        + "scaleUp.stabilizationWindowSeconds takes the least of "
                        + "\(scaler.up.window.value) s",
                    fix: "\(scaler.behaviorPath).scaleUp.stabilizationWindowSeconds: 0"))
        }
        return problems
    }

    /// KEDA looks at its triggers once a `pollingInterval` while nothing runs, and for cached
    /// metrics; otherwise the HPA asks at each of its own decisions.
    static func polling(_ scaler: PodScaler, _ at: Circumstances) -> [Problem] {
        guard let keda = scaler.keda else { return [] }
        let polling = keda.polling
        var problems: [Problem] = []
        if let position = keda.cachedMetrics, polling.value > ReplicaWalk.syncSeconds {
            problems.append(
                Problem(
                    position: position,
                    reason: "useCachedMetrics lets the HPA decide every "
                        + "\(ReplicaWalk.syncSeconds) s on figures up to "
                        + "\(polling.secondsText) old",
                    fix: "useCachedMetrics: false, or pollingInterval: \(ReplicaWalk.syncSeconds)"))
        }
        // What a request at zero can spare of its deadline, or else KEDA's own default.
        let spare = at.model?.budget.deadline.coldStartNanos.map {
            wholeSeconds($0) - at.lead.typical
        }
        let bound = spare.flatMap { $0 > 0 ? $0 : nil } ?? 30
        if keda.floor.value == 0, polling.value > bound {
            problems.append(
                Problem(
                    position: polling.position,
                    reason: "pollingInterval is \(polling.secondsText): a request at zero waits so "
                        + "long before anything starts, and \(at.lead.typical) s after",
                    fix: "pollingInterval: \(min(bound, 15))"))
        }
        return problems
    }
}

extension PodScaler {
    /// Whether the metric is a number of replicas that the budget's own scaler holds back.
    func isStabilizedElsewhere(_ at: Circumstances) -> Bool {
        guard let scaling = at.model?.scaling, scaling.scaleDownStabilizationNanos > 0 else {
            return false
        }
        return self.metrics.contains { $0.source == .total && $0.isReplicas }
    }
}

extension ScaledMetric {
    /// Whether it is a number of wanted replicas.
    var isReplicas: Bool {
        let text = self.text.lowercased()
        return text.contains("replicas") && !text.contains("/")
    }

    /// Whether name or query says that it sums over replicas. What says neither is no total: the
    /// rule would rather be silent than wrong.
    var isTotal: Bool {
        if self.isReplicas { return true }
        let text = self.text.lowercased()
        let averages = [
            "avg", "average", "mean", "per_pod", "per_replica", "ratio", "util", "percent", "usage",
            "latency", "duration", "quantile", "p50", "p90", "p95", "p99", "_seconds", "max(",
            "min(", "/",
        ]
        let totals = [
            "queue", "waiting", "pending", "running", "requests", "rps", "rate(", "_total",
            "inflight", "in_flight", "concurren", "tokens", "backlog", "sum(", "count(",
        ]
        return !averages.contains { text.contains($0) } && totals.contains { text.contains($0) }
    }

    /// Whether it is a query whose outermost function averages over replicas or requests.
    var isAverage: Bool {
        let text = self.text.lowercased().drop { $0 == " " || $0 == "\n" }
        let functions = ["avg(", "avg (", "avg by", "histogram_quantile(", "quantile("]
        // What is multiplied by the replicas again is a total; a `.*` of a label is no product.
        let isProduct = text.contains(" * ") || text.contains(")*")
        return functions.contains { text.hasPrefix($0) } && !isProduct
    }

    /// Whether it is the share of time that a GPU does anything at all.
    var isGPUUtilization: Bool {
        let text = self.text.lowercased()
        return [
            "gpu_util", "gpu_duty_cycle", "duty_cycle", "gr_engine_active", "utilization_gpu",
            "gpu-util",
        ].contains { text.contains($0) }
    }

    /// The longest range of its query that averages, in seconds; `nil` when none does.
    var smoothingSeconds: Int? {
        // Longer queries, and more ranges, cost time and say nothing new.
        let bytes = Array(self.text.utf8.prefix(2048))
        var longest: Int?
        for open in bytes.indices.filter({ bytes[$0] == UInt8(ascii: "[") }).prefix(32) {
            let inside = bytes[(open + 1)...].prefix { $0 != UInt8(ascii: "]") }
            let range = String(decoding: inside.prefix { $0 != UInt8(ascii: ":") }, as: UTF8.self)
            guard let seconds = promDuration(range) else { continue }
            let caller = Self.function(around: open, in: bytes)
            if ["max_over_time", "last_over_time"].contains(caller) { continue }
            longest = max(longest ?? 0, seconds)
        }
        return longest
    }

    /// The function whose parenthesis is open before a place; empty when there is none.
    private static func function(around place: Int, in bytes: [UInt8]) -> String {
        var depth = 0
        var index = place - 1
        while index >= 0 {
            if bytes[index] == UInt8(ascii: ")") {
                depth += 1
            } else if bytes[index] == UInt8(ascii: "(") {
                if depth == 0 { break }
                depth -= 1
            }
            index -= 1
        }
        let before = bytes[..<max(0, index)]
        let name = before.reversed().prefix { byte in
            byte == UInt8(ascii: "_") || (byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z"))
        }
        return String(decoding: name.reversed(), as: UTF8.self)
    }
}

/// Seconds of a PromQL range: `5m`, `1h30m`, `1d`. `nil` when it is none.
func promDuration(_ text: String) -> Int? {
    let parts = text.split(separator: "d", omittingEmptySubsequences: false)
    guard parts.count == 2, let days = decimal(parts[0]), days <= 36_600 else {
        return text == "0" ? nil : goDuration(text)
    }
    let rest = parts[1].isEmpty ? 0 : goDuration(String(parts[1]))
    return rest.map { Int(days * 86_400) + $0 }
}
