import Budget
import Replay
import Report
import Testing

/// A report is judged by what the model's file promises.
struct ModelBudgetTests {
    @Test("Objectives, rates and the deadline of a class that has nothing else are taken over")
    func model() {
        let bounds = LatencyBounds([
            LatencyBound(.p50, nanos: 10), LatencyBound(.p999, nanos: 30),
        ])
        let model = ModelSpec(
            name: "m", engine: EngineSpec(kind: .vllm),
            budget: BudgetSpec(
                objectives: Objectives(timeToFirstToken: bounds, endToEnd: bounds),
                errorRate: 0.001, refusalRate: 0.01),
            classes: [.standard, ClassSpec(name: "batch", priority: 0, deadlineNanos: 600)])
        let budget = ReportBudget(model)
        #expect(budget.errorRatePerMillion == 1_000)
        #expect(budget.refusalRatePerMillion == 10_000)
        #expect(budget.classes.map(\.name) == ["standard", "batch"])
        #expect(
            budget.classes.map(\.objectives) == [
                [
                    .init(stage: .ttft, quantilePerMillion: 500_000, boundNanos: 10),
                    .init(stage: .ttft, quantilePerMillion: 999_000, boundNanos: 30),
                    .init(stage: .e2e, quantilePerMillion: 500_000, boundNanos: 10),
                    .init(stage: .e2e, quantilePerMillion: 999_000, boundNanos: 30),
                ],
                [.init(stage: .ttft, quantilePerMillion: 999_000, boundNanos: 600)],
            ])
    }
}
