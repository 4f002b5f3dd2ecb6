import Console
import EventLoop
import Foundation
import Gateway
import Testing
import Wire

struct MetricsPageTests {
    @Test("Requests, tokens, objectives and histograms of the page agree")
    func figures() throws {
        let test = try TestGateway(engine: try TestEngine.start())
        try test.waitUntilReady()
        for _ in 0..<4 { #expect(try test.chat(class: "interactive") == 200) }
        let metrics = try test.metrics()
        let group = #"model="chat",class="interactive""#
        #expect(metrics["plimsoll_requests_total{\(group),outcome=\"good\"}"] == 4)
        #expect(metrics["plimsoll_offered_requests_total{\(group)}"] == 4)
        #expect(metrics["plimsoll_tokens_total{\(group),kind=\"prompt\"}"] == 28)
        #expect(metrics["plimsoll_tokens_total{\(group),kind=\"output\"}"] == 20)
        let objective = #"\#(group),stage="ttft",quantile="p99""#
        #expect(metrics["plimsoll_objective_requests_total{\(objective)}"] == 4)
        #expect(metrics["plimsoll_objective_inside_total{\(objective)}"] == 4)
        #expect(metrics["plimsoll_objective_bound_seconds{\(objective)}"] == 10)
        // The budget's own bound is a bucket.
        let bucket = "plimsoll_end_to_end_latency_seconds_bucket{\(group),le=\"20\"}"
        #expect(metrics[bucket] == 4)
        #expect(metrics["plimsoll_end_to_end_latency_seconds_count{\(group)}"] == 4)
        #expect(metrics["plimsoll_tenant_requests_total{tenant=\"anonymous\"}"] == 4)
        #expect(metrics["plimsoll_ready"] == 1)
        #expect(metrics["plimsoll_build_info{version=\"1.2.3\"}"] == 1)
    }

    @Test("Autoscalers of the field find the queue under the names they ask for")
    func aliases() throws {
        let names = try TestGateway().metrics().keys.sorted()
        for alias in [
            "inference_extension_flow_control_queue_size", "llm_d_epp_flow_control_queue_size",
        ] {
            #expect(names.filter { $0.hasPrefix(alias + "{") }.count == 2)
        }
    }

    @Test("What no engine could take is counted by its reason")
    func refusals() throws {
        let test = try TestGateway()
        #expect(try test.chat() == 503)
        let refused = try test.metrics().filter {
            $0.key.hasPrefix("plimsoll_refused_requests_total{") && $0.value > 0
        }
        #expect(
            refused.keys.sorted() == [
                "plimsoll_refused_requests_total{model=\"chat\",class=\"standard\","
                    + "reason=\"no_capacity\",late=\"false\"}"
            ])
    }

    @Test("A reload keeps counts and judges by the new bounds from then on")
    func reload() throws {
        let engine = try TestEngine.start()
        let test = try TestGateway(engine: engine)
        try test.waitUntilReady()
        #expect(try test.chat() == 200)
        let config = try TestGateway.config(
            engine: engine, bound: "5s", previous: test.gateway.core.currentConfig)
        test.gateway.adopt(config)
        #expect(try test.chat() == 200)
        let metrics = try test.metrics()
        let group = #"model="chat",class="standard""#
        let objective = #"\#(group),stage="ttft",quantile="p99""#
        #expect(metrics["plimsoll_offered_requests_total{\(group)}"] == 2)
        #expect(metrics["plimsoll_objective_bound_seconds{\(objective)}"] == 5)
        #expect(metrics["plimsoll_objective_requests_total{\(objective)}"] == 1)
        #expect(metrics["plimsoll_config_version"] == 2)
    }

    @Test("A strict reader takes the whole page: every line a sample, every family declared once")
    func strict() throws {
        let test = try TestGateway(engine: try TestEngine.start())
        try test.waitUntilReady()
        #expect(try test.chat() == 200)
        let page = try test.get("/metrics").body
        let bytes = Array(page.utf8)
        var reader = PrometheusText()
        var samples = 0
        while reader.next(bytes.span) != nil { samples += 1 }
        #expect(reader.badLines == 0)
        #expect(samples > 200)
        var declared: [Substring] = []
        var seen: Set<Substring> = []
        for line in page.split(separator: "\n") {
            if line.hasPrefix("# TYPE ") {
                declared.append(line.split(separator: " ")[2])
            } else if !line.hasPrefix("#") {
                let series = line[..<(line.lastIndex(of: " ") ?? line.endIndex)]
                #expect(seen.insert(series).inserted, "twice: \(series)")
                let family = try #require(declared.last)
                #expect(line.hasPrefix(family), "\(line) is not of \(family)")
            }
        }
        #expect(Set(declared).count == declared.count)
    }

    @Test("Prometheus's own Python parser takes the whole page, where it is installed")
    func foreignParser() throws {
        guard let python = Tool.python(with: "prometheus_client") else {
            print("skipped: no python3 with prometheus_client (scripts/requirements.txt)")
            return
        }
        let test = try TestGateway(engine: try TestEngine.start())
        try test.waitUntilReady()
        #expect(try test.chat() == 200)
        let page = try test.get("/metrics").body
        let script = """
            import sys
            from prometheus_client.parser import text_string_to_metric_families as parse
            families = list(parse(sys.stdin.read()))
            print(sum(len(family.samples) for family in families))
            """
        let result = try Tool.run(python, ["-c", script], input: page)
        #expect(result.status == 0, "\(result.output)")
        #expect((Int(result.output.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0) > 200)
    }
}
