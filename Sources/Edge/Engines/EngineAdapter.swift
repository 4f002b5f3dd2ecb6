package import Budget
package import RequestPath
import Wire

/// The habits of one kind of engine: where its health is asked, what its gauges are called, how it
/// says that it is full or leaving.
package struct EngineAdapter: Sendable {
    /// Metric names of vLLM, SGLang, TensorRT-LLM and Triton as the Gateway API inference
    /// extension's model server protocol lists them.
    struct GaugeNames: Sendable {
        var running: StaticString
        var waiting: StaticString
        var kvCacheShare: StaticString
    }

    package let kind: EngineKind
    /// Path that tells whether the engine lives.
    package let healthPath: StaticString
    /// Path of its metrics; `nil` when it has none that are known.
    package let metricsPath: StaticString?
    private let names: GaugeNames?

    package init(_ kind: EngineKind) {
        self.kind = kind
        switch kind {
        case .vllm, .simulated:
            self.healthPath = "/health"
            self.metricsPath = "/metrics"
            self.names = GaugeNames(
                running: "vllm:num_requests_running", waiting: "vllm:num_requests_waiting",
                kvCacheShare: "vllm:kv_cache_usage_perc")
        case .sglang:
            self.healthPath = "/health"
            self.metricsPath = "/metrics"
            self.names = GaugeNames(
                running: "sglang:num_running_reqs", waiting: "sglang:num_queue_reqs",
                kvCacheShare: "sglang:token_usage")
        case .trtllm:
            self.healthPath = "/health"
            self.metricsPath = "/metrics"
            self.names = GaugeNames(
                running: "trtllm_num_requests_running", waiting: "trtllm_num_requests_waiting",
                kvCacheShare: "trtllm_kv_cache_utilization")
        case .triton:
            self.healthPath = "/v2/health/ready"
            self.metricsPath = nil
            self.names = nil
        case .openai:
            self.healthPath = "/v1/models"
            self.metricsPath = nil
            self.names = nil
        }
    }

    /// Whether an answer to the health path says that the engine lives.
    package func isHealthy(status: Int) -> Bool {
        // A server that only speaks OpenAI may want a key for its list: it lives all the same.
        self.kind == .openai ? status < 500 : status == 200
    }

    /// Whether `stream_options.include_usage` is understood.
    package var tellsUsage: Bool { self.kind != .triton }

    /// Reads the gauges from metrics text; data-parallel ranks of one engine are added up.
    ///
    /// `nil` when the running count is missing: the text is not this engine's.
    package func gauges(_ text: Span<UInt8>) -> EngineGauges? {
        guard let names = self.names else { return nil }
        var reader = PrometheusText()
        var running: Double?
        var waiting = 0.0
        var kvCacheShare = 0.0
        while let sample = reader.next(text) {
            // A gauge that is no number is a lie: it is ignored, not believed.
            guard sample.value.isFinite, sample.value >= 0 else { continue }
            if Bytes.equals(text, sample.name, names.running) {
                running = (running ?? 0) + sample.value
            } else if Bytes.equals(text, sample.name, names.waiting) {
                waiting += sample.value
            } else if Bytes.equals(text, sample.name, names.kvCacheShare) {
                kvCacheShare = max(kvCacheShare, min(1, sample.value))
            }
        }
        guard let running else { return nil }
        return EngineGauges(
            running: UInt32(min(running, 1e9)), waiting: UInt32(min(waiting, 1e9)),
            kvCacheShare: kvCacheShare)
    }

    /// What a 5xx that came before any byte of an answer means.
    package static func failure(status: Int, body: [UInt8]) -> Failure {
        if status == 503 { return .busy }
        // vLLM in its shutdown answers 500 with these words while `/health` still says 200.
        let all = ByteRange(start: 0, end: body.count)
        if status == 500, Bytes.find("after shutdown", in: body.span, all) != nil {
            return .draining
        }
        return .serverError
    }
}
