import Budget
import Testing

@Suite struct BoundsTests {
    private func model(
        _ objectives: Objectives, deadline: UInt64? = nil, classes: [ClassSpec] = []
    ) -> ModelSpec {
        ModelSpec(
            name: "m", engine: EngineSpec(kind: .simulated),
            budget: BudgetSpec(
                objectives: objectives, deadline: DeadlineSpec(timeToFirstTokenNanos: deadline)),
            classes: classes)
    }

    private let whole = Objectives(
        timeToFirstToken: LatencyBounds([
            LatencyBound(.p99, nanos: 2000), LatencyBound(.p50, nanos: 600),
        ]),
        interTokenLatency: LatencyBounds([LatencyBound(.p99, nanos: 80)]),
        endToEnd: LatencyBounds([LatencyBound(.p99, nanos: 30_000)]))

    @Test func `a class without words of its own is held to the model's highest quantile`() {
        let model = self.model(self.whole, deadline: 4000)
        let bounds = model.bounds(of: .standard)
        #expect(model.classes == [.standard])
        #expect(bounds.timeToFirstTokenNanos == 2000)
        #expect(bounds.timeToFirstTokenQuantile == .p99)
        #expect(bounds.deadlineNanos == 4000)
        #expect(bounds.interTokenNanos == 80)
        #expect(bounds.endToEndNanos == 30_000)
    }

    @Test func `a class with only a deadline has that as its single bound`() {
        let bounds = self.model(self.whole, deadline: 4000).bounds(
            of: ClassSpec(name: "batch", priority: 0, deadlineNanos: 600_000))
        #expect(bounds.timeToFirstTokenNanos == 600_000)
        #expect(bounds.timeToFirstTokenQuantile == nil)
        #expect(bounds.deadlineNanos == 600_000)
        #expect(bounds.interTokenNanos == nil)
        #expect(bounds.endToEndNanos == nil)
    }

    @Test func `a class's objectives go before the model's, latency by latency`() {
        let own = Objectives(timeToFirstToken: LatencyBounds([LatencyBound(.p95, nanos: 900)]))
        let bounds = self.model(self.whole, deadline: 4000).bounds(
            of: ClassSpec(name: "fast", priority: 9, objectives: own))
        #expect(bounds.timeToFirstTokenNanos == 900)
        #expect(bounds.timeToFirstTokenQuantile == .p95)
        #expect(bounds.deadlineNanos == 4000)
        #expect(bounds.interTokenNanos == 80)
    }

    @Test func `an unwritten deadline is twice the objective`() {
        #expect(self.model(self.whole).bounds(of: .standard).deadlineNanos == 4000)
    }

    @Test func `a model without any bound says so by the largest time`() {
        let bounds = self.model(Objectives()).bounds(of: .standard)
        #expect(bounds.timeToFirstTokenNanos == .max && bounds.deadlineNanos == .max)
    }

    @Test func `classes go from the highest priority to the lowest`() {
        let model = self.model(
            self.whole,
            classes: [
                ClassSpec(name: "batch", priority: 0), ClassSpec(name: "interactive", priority: 9),
                ClassSpec(name: "normal", priority: 5),
            ])
        #expect(model.classes.map(\.name) == ["interactive", "normal", "batch"])
        #expect(model.classIndex(named: "batch") == 2)
        #expect(model.classIndex(named: "other") == nil)
        #expect(model.defaultClassIndex == 1)
    }

    @Test func `models are found by name and alias`() {
        var one = self.model(self.whole)
        one.aliases = ["chat"]
        let configuration = Configuration(models: [one], tenants: [TenantSpec(name: "t")])
        #expect(configuration.modelIndex(named: "m") == 0)
        #expect(configuration.model(named: "chat")?.name == "m")
        #expect(configuration.model(named: "Chat") == nil)
        #expect(configuration.tenant(named: "t")?.mayUse(model: "m") == true)
    }

    @Test func `an endpoint spells itself as a header wants it`() {
        #expect(EngineEndpoint(host: "::1", port: 8001).url == "http://[::1]:8001")
        #expect(EngineEndpoint(isTLS: true, host: "a", port: 443).url == "https://a")
        #expect(EngineEndpoint(host: "a", port: 443).authority == "a:443")
    }
}
