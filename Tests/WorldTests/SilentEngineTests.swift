import Baselines
import EngineModel
import Report
import RequestPath
import Testing
import Workload
import World

/// What admission has to go by when clients ask for whole answers and engines tell no usage.
struct SilentEngineTests {
    private func outcome(
        streams: Bool, tellsUsage: Bool, rate: Double, statesLimit: Bool = true
    ) throws -> RunOutcome {
        let model = ModelPlan(
            name: "m",
            classes: [
                ClassPlan(
                    name: "standard", planNanos: 1_500_000_000, deadlineNanos: 3_000_000_000)
            ], interTokenBoundNanos: 80_000_000)
        var engine = EngineProfile.llama31With8B.configuration
        engine.batchedTokensMax = 1_024
        var pool = Scenario.EnginePool(engine: engine, replicas: 4, gpus: 2)
        pool.tellsUsage = tellsUsage
        var scenario = Scenario(
            plan: Plan(models: [model], tenants: [TenantPlan(name: "anonymous")]),
            model: ModelID(raw: 0), defaultClass: 0, budget: ReportBudget(objectives: []),
            pools: [pool])
        scenario.clients.streams = streams
        scenario.clients.statesLimit = statesLimit
        scenario.auditEvery = 100
        var transform = ArrivalStream.Transform()
        transform.durationNanos = 15_000_000_000
        let load = GeneratorSpec(
            process: .poisson(rate: rate), input: LengthRange(100, 1_000),
            output: LengthRange(10, 200))
        return try PolicyUnderTest.plimsoll.run(
            scenario, arrivals: ArrivalStream(spec: load, seed: 3, transform: transform))
    }

    @Test(
        "Whole answers without usage are served nearly as well as streams that tell everything",
        arguments: [30.0, 120.0])
    func silent(rate: Double) throws {
        let told = try outcome(streams: true, tellsUsage: true, rate: rate)
        let silent = try outcome(streams: false, tellsUsage: false, rate: rate)
        #expect(told.faults == [])
        #expect(silent.faults == [])
        let share = Double(silent.report.figures.completed) / Double(told.report.figures.completed)
        #expect(share > 0.8, "\(silent.report.figures.completed) completed")
        // Of sixty engine seconds, few are idle while requests wait.
        #expect(silent.idleWhileWaitingSeconds < 2)
    }
}
