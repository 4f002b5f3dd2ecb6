import Baselines
import EngineModel
import Report
import RequestPath
import Testing
import Workload
import World

/// Whole runs of small worlds, with every invariant checked after every event.
struct SimulationTests {
    private func outcome(
        _ policy: PolicyUnderTest, faults: [ScriptedFault] = [], seed: UInt64
    ) throws -> RunOutcome {
        let standard = ClassPlan(
            name: "standard", planNanos: 1_500_000_000, deadlineNanos: 3_000_000_000)
        let plan = Plan(
            models: [ModelPlan(name: "m", classes: [standard])],
            tenants: [TenantPlan(name: "anonymous")])
        var engine = EngineProfile.llama31With8B.configuration
        engine.batchedTokensMax = 1_024
        var scenario = Scenario(
            plan: plan, model: ModelID(raw: 0), defaultClass: 0,
            budget: ReportBudget(objectives: []),
            pools: [Scenario.EnginePool(engine: engine, replicas: 2, gpus: 2)])
        scenario.auditEvery = 1
        scenario.seed = seed
        scenario.faults = faults
        scenario.clients.retry = .honour
        scenario.clients.patienceNanos = 5_000_000_000
        var transform = ArrivalStream.Transform()
        transform.durationNanos = 10_000_000_000
        let spec = GeneratorSpec(
            process: .step(rate: 10, peak: 100, atSeconds: 3, forSeconds: 2),
            input: LengthRange(50, 2_000), output: LengthRange(1, 200))
        return try policy.run(
            scenario, arrivals: ArrivalStream(spec: spec, seed: seed, transform: transform))
    }

    @Test("Under bursts and faults every request is answered once and every invariant holds")
    func invariants() throws {
        let script = "at 4s for 2s endpoint 0 kill\nat 2s for 1s endpoint 1 stall\n"
        let faults = try FaultScript.parse(script, endpoints: 2)
        for seed in 1...20 as ClosedRange<UInt64> {
            let result = try outcome(.plimsoll, faults: faults, seed: seed)
            #expect(result.faults == [], "seed \(seed)")
            #expect(result.report.figures.offered > 100)
        }
    }

    @Test("The same seed gives the same outcome")
    func determinism() throws {
        #expect(try outcome(.plimsoll, seed: 7) == outcome(.plimsoll, seed: 7))
    }

    @Test("A fault script's problems are named by line and column")
    func scriptProblems() {
        let found = #expect(throws: ScriptProblems.self) {
            try FaultScript.parse("at 1s endpoint 0 stall\nat 1x endpoint 9 slow", endpoints: 2)
        }
        #expect(found?.problems.map { "\($0.line):\($0.column)" } == ["2:4"])
    }
}
