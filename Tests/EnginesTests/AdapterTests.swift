import Budget
import Engines
import RequestPath
import Testing

@Suite struct AdapterTests {
    private func gauges(_ kind: EngineKind, _ text: String) -> EngineGauges? {
        let bytes = Array(text.utf8)
        return EngineAdapter(kind).gauges(bytes.span)
    }

    @Test func `each kind's gauges are read by its own names, ranks added up`() {
        let vllm = """
            vllm:num_requests_running{engine="0"} 2
            vllm:num_requests_running{engine="1"} 3.0
            vllm:num_requests_waiting{engine="0"} 4
            vllm:kv_cache_usage_perc{engine="0"} 0.25
            vllm:kv_cache_usage_perc{engine="1"} 0.5
            """
        #expect(
            self.gauges(.vllm, vllm) == EngineGauges(running: 5, waiting: 4, kvCacheShare: 0.5))
        #expect(
            self.gauges(.sglang, "sglang:num_running_reqs 1\nsglang:num_queue_reqs 2\n")
                == EngineGauges(running: 1, waiting: 2, kvCacheShare: 0))
        #expect(self.gauges(.sglang, vllm) == nil && self.gauges(.openai, vllm) == nil)
    }

    @Test(
        "a gauge that cannot be is not believed", arguments: ["NaN", "-1", "+Inf", "-Inf", "x", ""])
    func lies(_ value: String) {
        #expect(self.gauges(.vllm, "vllm:num_requests_running \(value)\n") == nil)
        let text = "vllm:num_requests_running 1\nvllm:kv_cache_usage_perc \(value)\n"
        #expect(
            self.gauges(.vllm, text) == EngineGauges(running: 1, waiting: 0, kvCacheShare: 0))
    }

    @Test func `huge gauges are held to their bounds`() {
        let text =
            "vllm:num_requests_running 1e308\nvllm:num_requests_waiting 1e308\n"
            + "vllm:kv_cache_usage_perc 7\n"
        #expect(
            self.gauges(.vllm, text)
                == EngineGauges(running: 1_000_000_000, waiting: 1_000_000_000, kvCacheShare: 1))
    }

    @Test func `what an engine's 5xx means`() {
        let leaving = Array(
            #"{"error":{"message":"cannot schedule new futures after shutdown"}}"#.utf8)
        #expect(EngineAdapter.failure(status: 500, body: leaving) == .draining)
        #expect(EngineAdapter.failure(status: 500, body: []) == .serverError)
        #expect(EngineAdapter.failure(status: 503, body: leaving) == .busy)
        #expect(EngineAdapter(.openai).isHealthy(status: 401))
        #expect(!EngineAdapter(.vllm).isHealthy(status: 401))
    }
}
