import Foundation
import Replay
import Report
import Testing

/// Two reports side by side.
struct LiveComparisonTests {
    /// A report of ten requests, each with this time to its first token in milliseconds, and the
    /// last of them refused.
    private static func report(millis: UInt64, _ source: Report.Source) -> Report {
        var book = BudgetReport()
        for index in 0..<10 {
            let isRefused = index == 9
            book.add(
                RequestOutcome(
                    serviceClass: "standard",
                    status: isRefused ? .refused(reason: "saturated", at: .arrival) : .completed,
                    ttftNanos: isRefused ? nil : millis * 1_000_000,
                    itlMeanNanos: isRefused ? nil : 10_000_000, e2eNanos: 500_000_000,
                    inputTokens: 10, outputTokens: 10))
        }
        return book.report(source: source, durationNanos: 1_000_000_000)
    }

    @Test("An error is the simulated figure's distance from the live one, as a share of it")
    func errors() throws {
        let comparison = LiveComparison(
            live: Self.report(millis: 200, .live),
            simulated: Self.report(millis: 250, .simulated), promptTokenShare: 1.01,
            profile: "tiny")
        let ttft = try #require(comparison.timeToFirstToken.p50.relativeError)
        #expect(abs(ttft - 0.25) < 0.02)
        #expect(comparison.interToken.p99.relativeError == 0)
        #expect(comparison.goodput.relativeError == 0)
        #expect(comparison.refused == LiveComparison.Pair(live: 0.1, simulated: 0.1))
        #expect(comparison.unanswered.relativeError == nil)
    }

    @Test("A figure that one run lacks has no error")
    func missing() {
        #expect(LiveComparison.Pair(live: nil, simulated: 3).relativeError == nil)
        #expect(LiveComparison.Pair(live: 0, simulated: 3).relativeError == nil)
        #expect(LiveComparison.Pair(live: 2, simulated: 1).relativeError == -0.5)
    }

    @Test("Table and JSON show both runs and the errors")
    func output() throws {
        let comparison = LiveComparison(
            live: Self.report(millis: 200, .live),
            simulated: Self.report(millis: 250, .simulated), promptTokenShare: nil,
            profile: "tiny")
        let table = comparison.table()
        #expect(table.contains("Live against simulated (tiny): 10 requests in 1.0 s"))
        #expect(table.contains("refused %"))
        #expect(table.split(separator: "\n").allSatisfy { $0.count <= 100 })
        let json = try JSONSerialization.jsonObject(with: JSONEncoder().encode(comparison))
        let object = try #require(json as? [String: Any])
        #expect(object["schema"] as? String == "plimsoll.comparison/v1")
        #expect((object["live"] as? [String: Any])?["source"] as? String == "live")
        #expect(object.keys.contains("prompt_token_share"))
        let p50 = (object["ttft_ms"] as? [String: Any])?["p50"] as? [String: Any]
        #expect(p50?["relative_error"] as? Double != nil)
    }
}
