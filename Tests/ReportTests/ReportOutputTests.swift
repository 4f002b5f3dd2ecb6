import Foundation
import Report
import Testing

private let ms: UInt64 = 1_000_000

@Suite("Report output")
struct ReportOutputTests {
    /// A small mixed run.
    private func sample(reason: String = "infeasible") -> Report {
        var collected = BudgetReport(
            budget: ReportBudget(
                objectives: [
                    .init(stage: .ttft, quantilePerMillion: 990_000, boundNanos: 1_500 * ms),
                    .init(stage: .itl, quantilePerMillion: 999_000, boundNanos: 80 * ms),
                ], errorRatePerMillion: 1_000))
        for index in 0..<1_990 {
            collected.add(
                RequestOutcome(
                    serviceClass: index % 3 == 0 ? "batch" : "interactive", tenant: "t\(index % 5)",
                    status: .completed, ttftNanos: UInt64(index) * ms / 2,
                    itlMeanNanos: 20 * ms + UInt64(index) * 10_000, e2eNanos: 4_000 * ms,
                    inputTokens: 512, outputTokens: 64, isDegraded: index % 40 == 0))
        }
        for index in 0..<6 {
            collected.add(
                RequestOutcome(
                    serviceClass: "interactive",
                    status: index < 4
                        ? .refused(reason: reason, at: .arrival)
                        : .failed(reason: "engine_died", at: .decode),
                    e2eNanos: 3 * ms, inputTokens: 8_000, outputTokens: 64))
        }
        return collected.report(
            source: .simulated, durationNanos: 120_000 * ms,
            note: "simulated on llama-3.1-8b-a100-tp2")
    }

    private func json(_ report: Report) throws -> [String: Any] {
        let data = try JSONEncoder().encode(report)
        return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    @Test("the JSON has the keys of plimsoll.report/v1")
    func keys() throws {
        let object = try json(sample())
        #expect(object["schema"] as? String == "plimsoll.report/v1")
        #expect(object["offered"] as? Int == 1_996)
        #expect(object["completed"] as? Int == 1_990)
        #expect(object["good"] as? Int == 1_990)
        #expect(object["failed"] as? Int == 2)
        #expect(object["degraded"] as? Int == 50)
        let goodput = try #require(object["goodput"] as? [String: Any])
        #expect(goodput["count"] as? Int == 1_990)
        #expect(goodput["share"] as? Double == 1_990.0 / 1_996)
        let refused = try #require(object["refused"] as? [String: Any])
        #expect(refused["total"] as? Int == 4)
        #expect((refused["by_reason"] as? [String: Int]) == ["infeasible": 4])
        for key in ["ttft_ms", "itl_ms", "e2e_ms"] {
            let quantiles = try #require(object[key] as? [String: Any])
            #expect(Set(quantiles.keys) == ["count", "p50", "p95", "p99", "p999"])
        }
        let verdict = try #require(object["verdict"] as? [String: Any])
        #expect(verdict["result"] as? String == "BROKEN")
        let classes = try #require(object["classes"] as? [[String: Any]])
        #expect(classes.map { $0["name"] as? String } == ["batch", "interactive"])
        let objectives = try #require(classes[0]["objectives"] as? [[String: Any]])
        #expect(objectives[0]["bound_ms"] as? Double == 1_500)
    }

    @Test("quantiles are within one percent of the exact ones")
    func quantiles() throws {
        let p99 = try #require(sample().figures.ttft.p99)
        #expect(abs(p99 / 985 - 1) < 0.01)
        #expect(sample().figures.e2e.p50 == 4_000)
    }

    @Test("sorted keys give the same bytes from the same run")
    func stable() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        #expect(try encoder.encode(sample()) == encoder.encode(sample()))
    }

    @Test("missing quantiles are null, not zero")
    func nulls() throws {
        let object = try json(BudgetReport().report(source: .live, durationNanos: 0))
        let quantiles = try #require(object["ttft_ms"] as? [String: Any])
        #expect(quantiles["p99"] is NSNull)
        #expect(object["verdict"] is NSNull)
    }

    @Test("the table is as committed")
    func table() {
        let expected = """
            Budget report, simulated, 120.0 s: BROKEN

              goodput    1,990  99.69 %  in work 95.94 % of 1,194,624 tokens
              offered    1,996           16.6/s
              completed  1,990  99.69 %
              degraded      50   2.50 %
              refused        4   0.20 %  infeasible 4 (arrival 4)
              failed         2   0.10 %  engine_died 2 (decode 2)
              abandoned      0   0.00 %
              wasted         0           tokens computed for requests that were not good
              fairness   1.000           Jain's index over 5 tenants

              milliseconds      p50      p95      p99    p99.9  requests
              TTFT            497.0    943.7    985.7    994.1     1,990
              ITL              30.0     39.1     39.6     39.9     1,990
              E2E           4,000.0  4,000.0  4,000.0  4,000.0     1,990

              class        objective  bound    inside  requests
              batch        TTFT p99   1.5 s  100.00 %       664  met
              batch        ITL p99.9  80 ms  100.00 %       664  met
              interactive  TTFT p99   1.5 s  100.00 %     1,326  met
              interactive  ITL p99.9  80 ms  100.00 %     1,326  met

              note: simulated on llama-3.1-8b-a100-tp2

              BROKEN because
                - 2 of 1,992 requests failed, more than the 0.1 % allowed

            """
        #expect(sample().table() == expected)
    }

    @Test("no table line is wider than 100 columns or holds control characters")
    func width() {
        let nasty = String(repeating: "very-long-reason\u{1b}[31m ", count: 30) + "é"
        for line in sample(reason: nasty).table().split(separator: "\n") {
            #expect(line.count <= 100)
            #expect(line.allSatisfy { $0.isASCII && $0 >= " " })
        }
    }

    @Test("an empty report has a table")
    func empty() {
        let text = BudgetReport().report(source: .live, durationNanos: 0).table()
        #expect(text.contains("no budget to judge by"))
    }
}
