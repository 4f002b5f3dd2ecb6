import Foundation
import Report
import Testing

private let ms: UInt64 = 1_000_000

@Suite("Budget report")
struct BudgetReportTests {
    private func outcome(
        _ name: String = "chat", tenant: String = "", ttft: UInt64? = nil, itl: UInt64? = nil,
        e2e: UInt64 = 100, status: RequestOutcome.Status = .completed, input: UInt64 = 100,
        output: UInt64 = 10, produced: UInt64? = nil, isDegraded: Bool = false,
        attempts: UInt64 = 1
    ) -> RequestOutcome {
        RequestOutcome(
            serviceClass: name, tenant: tenant, status: status, ttftNanos: ttft.map { $0 * ms },
            itlMeanNanos: itl.map { $0 * ms }, e2eNanos: e2e * ms, inputTokens: input,
            outputTokens: output, producedTokens: produced, isDegraded: isDegraded,
            attempts: attempts)
    }

    /// TTFT p50 100 ms and p99 300 ms, ITL p99 50 ms.
    private func budget(
        errorRate: UInt64? = nil, refusalRate: UInt64? = nil
    ) -> ReportBudget {
        ReportBudget(
            objectives: [
                .init(stage: .ttft, quantilePerMillion: 500_000, boundNanos: 100 * ms),
                .init(stage: .ttft, quantilePerMillion: 990_000, boundNanos: 300 * ms),
                .init(stage: .itl, quantilePerMillion: 990_000, boundNanos: 50 * ms),
            ], errorRatePerMillion: errorRate, refusalRatePerMillion: refusalRate)
    }

    private func report(_ budget: ReportBudget?, _ outcomes: [RequestOutcome]) -> Report {
        var collected = BudgetReport(budget: budget)
        for outcome in outcomes { collected.add(outcome) }
        return collected.report(source: .live, durationNanos: 10_000 * ms)
    }

    @Test("good is completed and within the highest-quantile bound of every stage")
    func good() {
        let result = report(
            budget(),
            [
                outcome(ttft: 300, itl: 50),  // At both bounds.
                outcome(ttft: 301, itl: 10),  // TTFT beyond.
                outcome(ttft: 10, itl: 51),  // ITL beyond.
                outcome(ttft: 200),  // Beyond p50's bound only; one token, so no ITL.
                outcome(ttft: 10, itl: 10, status: .failed(reason: "engine_died", at: .decode)),
            ])
        #expect(result.figures.good == 2)
        #expect(result.figures.completed == 4)
        #expect(result.figures.goodput.share == 0.4)
    }

    @Test("goodput in work counts tokens asked for against tokens of good answers")
    func work() {
        let result = report(
            budget(),
            [
                outcome(ttft: 10, input: 100, output: 20),
                outcome(ttft: 10, input: 100, output: 50, produced: 30, isDegraded: true),
                outcome(
                    status: .refused(reason: "infeasible", at: .arrival), input: 1_000, output: 80),
                outcome(ttft: 900, input: 200, output: 50),
            ])
        #expect(result.figures.goodput.work.tokens == 120 + 130)
        #expect(result.figures.goodput.work.offered == 120 + 150 + 1_080 + 250)
        #expect(result.figures.wastedTokens == 250)
        #expect(result.figures.degraded == 1)
    }

    @Test("work that ended early is waste once a token was out, and none before")
    func waste() {
        let result = report(
            nil,
            [
                outcome(ttft: 5, status: .abandoned(at: .decode), produced: 4),
                outcome(status: .abandoned(at: .queue)),
                outcome(ttft: 5, status: .failed(reason: "stalled", at: .decode), produced: 1),
            ])
        #expect(result.figures.wastedTokens == 104 + 101)
    }

    @Test("an objective is met at exactly its share and not one request below")
    func exactShare() {
        let inside = [RequestOutcome](repeating: outcome(ttft: 50, itl: 10), count: 99)
        let held = report(budget(), inside + [outcome(ttft: 400, itl: 10)])
        #expect(held.verdict?.isHeld == true)
        let p99 = held.classes[0].objectives[1]
        #expect(p99.inside == 99 && p99.total == 100 && p99.met)

        let broken = report(budget(), inside.dropLast() + [outcome(ttft: 400, itl: 10)])
        #expect(broken.verdict?.isHeld == false)
        #expect(
            broken.verdict?.reasons == [
                "chat: TTFT p99 within 300 ms: 98.98 % inside (98 of 99)"
            ])
    }

    @Test("a request that waited in vain beyond a bound is outside it; a short one is unknown")
    func waitedInVain() {
        let result = report(
            budget(),
            [
                outcome(ttft: 50),
                outcome(e2e: 5_000, status: .abandoned(at: .prefill)),
                outcome(e2e: 200, status: .abandoned(at: .queue)),
                outcome(e2e: 9_000, status: .refused(reason: "late", at: .queue)),
            ])
        let objectives = result.classes[0].objectives
        // Beyond p50's 100 ms: both that left. Beyond p99's 300 ms: one.
        #expect(objectives[0].inside == 1 && objectives[0].total == 3)
        #expect(objectives[1].inside == 1 && objectives[1].total == 2)
        #expect(objectives[2].total == 0 && objectives[2].met)
        #expect(result.figures.ttft.count == 1)
    }

    @Test("errors are a share of what was not refused, refusals of what was offered")
    func rates() {
        let refused = outcome(status: .refused(reason: "queue_full", at: .arrival))
        let failed = outcome(status: .failed(reason: "http_500", at: .prefill))
        let fine = [RequestOutcome](repeating: outcome(ttft: 1), count: 9)
        let outcomes = fine + [failed] + [RequestOutcome](repeating: refused, count: 10)

        #expect(
            report(budget(errorRate: 100_000, refusalRate: 500_000), outcomes).verdict?.isHeld
                == true)
        let result = report(budget(errorRate: 99_999, refusalRate: 499_999), outcomes)
        #expect(
            result.verdict?.reasons == [
                "1 of 10 requests failed, more than the 9.9999 % allowed",
                "10 of 20 requests were refused, more than the 49.9999 % allowed",
            ])
    }

    @Test("each class is judged by its own objectives, and an idle class breaks nothing")
    func classes() {
        let budget = ReportBudget(
            objectives: [.init(stage: .ttft, quantilePerMillion: 990_000, boundNanos: 100 * ms)],
            classes: [
                .init(
                    name: "batch",
                    objectives: [
                        .init(stage: .ttft, quantilePerMillion: 950_000, boundNanos: 60_000 * ms)
                    ]),
                .init(name: "night", objectives: []),
            ])
        let result = report(
            budget, [outcome("chat", ttft: 200), outcome("batch", ttft: 200)])
        #expect(result.classes.map(\.name) == ["batch", "night", "chat"])
        #expect(result.classes.map(\.figures.good) == [1, 0, 0])
        #expect(result.verdict?.reasons.count == 1)
        #expect(result.figures.offered == 2)
    }

    @Test("a class where nothing completed has not met its objectives")
    func allRefused() {
        let result = report(
            budget(), [outcome(status: .refused(reason: "no_endpoint", at: .arrival))])
        #expect(result.verdict?.isHeld == false)
        #expect(result.verdict?.reasons.first == "chat: TTFT p50 within 100 ms: none completed")
    }

    @Test("nothing offered shows nothing; without a budget there is no verdict")
    func empty() {
        #expect(report(budget(), []).verdict?.isHeld == false)
        #expect(report(nil, []).verdict == nil)
        #expect(report(nil, []).figures.ttft.p50 == nil)
    }

    @Test("reasons and moments are counted apart, in a fixed order, and bounded")
    func reasons() {
        var outcomes = ["b", "a", "b"].map {
            outcome(status: .refused(reason: $0, at: $0 == "a" ? .queue : .arrival))
        }
        outcomes += (0..<200).map { outcome(status: .failed(reason: "e\($0)", at: .decode)) }
        let result = report(nil, outcomes)
        #expect(result.figures.refused.byReason.entries.map(\.name) == ["a", "b"])
        #expect(result.figures.refused.byWhen.entries.map(\.name) == ["arrival", "queue"])
        #expect(result.figures.refused.byReason["b"] == 2)
        #expect(result.figures.failed.total == 200)
        #expect(result.figures.failed.byReason["other"] == 136)
    }

    @Test("fairness is Jain's index of attained work, amplification counts attempts")
    func fairness() {
        let result = report(
            nil,
            [
                outcome(tenant: "a", ttft: 1, input: 90, output: 10),
                outcome(tenant: "b", ttft: 1, input: 290, output: 10, attempts: 3),
                outcome(tenant: "b", status: .refused(reason: "x", at: .arrival)),
            ])
        #expect(result.fairness == 160_000.0 / (2 * 100_000))
        #expect(result.retryAmplification == 5.0 / 3)
    }

    @Test("more classes than the bound fold into one, and nothing is lost")
    func manyClasses() {
        let result = report(nil, (0..<1_000).map { outcome("c\($0)", ttft: 1) })
        #expect(result.classes.count == BudgetReport.classesMax + 1)
        #expect(result.figures.offered == 1_000)
    }

    @Test("absurd token counts of a client neither stop the report nor its table")
    func absurd() {
        let result = report(
            nil,
            [
                outcome(tenant: "a", ttft: 1, input: .max, output: .max),
                outcome(tenant: "a", ttft: .max / ms, input: 1, output: 1, attempts: .max),
                outcome(tenant: "a", ttft: 1, input: 1, output: 1, produced: .max),
            ])
        #expect(result.figures.goodput.work.offered == .max)
        #expect(result.table().contains("goodput"))
    }

    @Test("wasted tokens and their share are of the same tokens: those computed")
    func wasted() {
        var good = outcome(ttft: 10, produced: 10)
        good.computedTokens = 300
        var late = outcome(ttft: 900, produced: 10)
        late.computedTokens = 100
        let result = report(
            budget(), [good, late, outcome(status: .refused(reason: "x", at: .queue))])
        #expect(result.figures.computedTokens == 400)
        #expect(result.figures.wastedTokens == 100)
        #expect(result.figures.wastedTokenShare == 0.25)
        #expect(report(budget(), []).figures.wastedTokenShare == 0)
    }

    @Test("a good answer ends inside its end-to-end bound and what TTFT and ITL leave")
    func lastEnd() {
        #expect(budget().goodBounds(of: "chat").lastEndNanos(outputTokens: 11) == 800 * ms)
        #expect(budget().goodBounds(of: "chat").lastEndNanos(outputTokens: 0) == 300 * ms)
        #expect(budget().goodBounds(of: "chat").lastEndNanos(outputTokens: .max) == .max)
        let end = ReportBudget(objectives: [
            .init(stage: .e2e, quantilePerMillion: 990_000, boundNanos: 700 * ms)
        ])
        #expect(end.goodBounds(of: "chat").lastEndNanos(outputTokens: 11) == 700 * ms)
        #expect(
            ReportBudget(objectives: []).goodBounds(of: "x").lastEndNanos(outputTokens: 1) == nil)
    }
}
