import EngineModel
import Report
import RequestPath
package import Workload

/// A fixed world by which the twin's speed is measured: four 8B engines at about nine tenths of
/// their capacity, drawn conversation-like lengths, the product's policy.
package enum SpeedTest {
    /// Runs it over so many requests, every invariant checked after every so many steps.
    package static func run(
        requests: UInt64, auditEvery: Int
    ) throws(TraceFault) -> RunOutcome {
        let standard = ClassPlan(
            name: "standard", planNanos: 2_000_000_000, deadlineNanos: 4_000_000_000)
        let model = ModelPlan(
            name: "m", classes: [standard], interTokenBoundNanos: 80_000_000)
        var engine = EngineProfile.llama31With8B.configuration
        engine.batchedTokensMax = 1_024
        var scenario = Scenario(
            plan: Plan(models: [model], tenants: [TenantPlan(name: "anonymous")]),
            model: ModelID(raw: 0), defaultClass: 0,
            budget: ReportBudget(objectives: [
                ReportBudget.Objective(
                    stage: .ttft, quantilePerMillion: 990_000, boundNanos: 2_000_000_000),
                ReportBudget.Objective(
                    stage: .itl, quantilePerMillion: 990_000, boundNanos: 80_000_000),
            ]),
            pools: [
                Scenario.EnginePool(
                    engine: engine, replicas: 4, gpus: EngineProfile.llama31With8B.gpus)
            ])
        scenario.auditEvery = auditEvery
        var transform = ArrivalStream.Transform()
        transform.requestsMax = requests
        let load = GeneratorSpec(
            process: .poisson(rate: 28), input: LengthRange(100, 1_900),
            output: LengthRange(1, 400))
        return try PolicyUnderTest.plimsoll.run(
            scenario, arrivals: ArrivalStream(spec: load, seed: 1, transform: transform))
    }
}
