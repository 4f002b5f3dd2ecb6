import Baselines
import EngineModel
import Report
import RequestPath
import Testing
import Workload
import World

/// Many runs at once, what is known before any, and the capacity of a pair.
struct ComparisonTests {
    private let policies: [PolicyUnderTest] = [
        .plimsoll, .baseline(.noGate, .leastLoad), .baseline(.gaugeGate, .p2c),
    ]

    private func small() -> (scenario: Scenario, load: GeneratorSpec) {
        let bound: UInt64 = 1_500_000_000
        let model = ModelPlan(
            name: "m",
            classes: [ClassPlan(name: "standard", planNanos: bound, deadlineNanos: 2 * bound)])
        var engine = EngineProfile.llama31With8B.configuration
        engine.batchedTokensMax = 1_024
        let scenario = Scenario(
            plan: Plan(models: [model], tenants: [TenantPlan(name: "anonymous")]),
            model: ModelID(raw: 0), defaultClass: 0,
            budget: ReportBudget(objectives: [
                ReportBudget.Objective(
                    stage: .ttft, quantilePerMillion: 990_000, boundNanos: bound)
            ]), pools: [Scenario.EnginePool(engine: engine, replicas: 1, gpus: 2)])
        let load = GeneratorSpec(
            process: .poisson(rate: 12), input: LengthRange(100, 1_500),
            output: LengthRange(1, 100))
        return (scenario, load)
    }

    @Test("One thread and two give the same outcomes in the same order")
    func threads() async throws {
        let (scenario, load) = small()
        let policies = policies
        func outcomes(atOnce: Int) async throws -> [RunOutcome] {
            try await RunBatch.results(of: 6, atOnce: atOnce) { index in
                var world = scenario
                world.seed = UInt64(index % 2)
                var transform = ArrivalStream.Transform()
                transform.requestsMax = 150
                return try policies[index / 2].run(
                    world,
                    arrivals: ArrivalStream(spec: load, seed: world.seed, transform: transform))
            }
        }
        let alone = try await outcomes(atOnce: 1)
        let together = try await outcomes(atOnce: 2)
        #expect(alone == together)
        #expect(alone.count == 6)
        #expect(alone[0] != alone[2])
    }

    @Test("The capacity of a pair is a rate that is served and close to one that is not")
    func capacity() async throws {
        let (scenario, load) = small()
        var transform = ArrivalStream.Transform()
        transform.requestsMax = 300
        let survey = try WorkloadSurvey(
            ArrivalStream(spec: load, seed: 1, transform: transform), scenario: scenario,
            engines: [scenario.pools[0].engine])
        #expect(survey.requests == 300)
        #expect(survey.unloaded[0].figures.goodput.share == 1)
        let search = CapacitySearch(scenario: scenario, requests: survey.requests) {
            (spacing, requests) throws(TraceFault) in
            var transform = ArrivalStream.Transform()
            transform.spacing = spacing
            transform.requestsMax = requests
            return ArrivalStream(spec: load, seed: spacing.seed, transform: transform)
        }
        let found = try await search.best(of: policies, atOnce: 2)
        let capacity = try #require(found)
        // A prompt of 800 tokens is 45 ms of prefill: one engine cannot do 22 a second.
        #expect((5...22).contains(capacity.requestsPerSecond))
        #expect(capacity.probeRequests == 300)
    }

    @Test("A budget below the time of an idle engine is kept by no request")
    func infeasible() throws {
        var (scenario, load) = small()
        scenario.budget = ReportBudget(objectives: [
            ReportBudget.Objective(stage: .ttft, quantilePerMillion: 990_000, boundNanos: 1_000)
        ])
        load.input = LengthRange(1_000)
        var transform = ArrivalStream.Transform()
        transform.requestsMax = 20
        let survey = try WorkloadSurvey(
            ArrivalStream(spec: load, seed: 1, transform: transform), scenario: scenario,
            engines: [scenario.pools[0].engine])
        #expect(survey.unloaded[0].figures.good == 0)
        #expect(survey.unloaded[0].figures.offered == 20)
    }

    @Test("The comparison shows medians over the seeds of a policy")
    func medians() throws {
        let (scenario, load) = small()
        var runs: [RunReport] = []
        for seed in 1...3 as ClosedRange<UInt64> {
            var world = scenario
            world.seed = seed
            var transform = ArrivalStream.Transform()
            transform.requestsMax = 50
            let outcome = try PolicyUnderTest.plimsoll.run(
                world, arrivals: ArrivalStream(spec: load, seed: seed, transform: transform))
            runs.append(
                RunReport(.plimsoll, seed: seed, outcome: outcome))
        }
        var transform = ArrivalStream.Transform()
        transform.requestsMax = 50
        let survey = try WorkloadSurvey(
            ArrivalStream(spec: load, seed: 1, transform: transform), scenario: scenario,
            engines: [scenario.pools[0].engine])
        let table = SimulationResult(load: OfferedLoad(survey), runs: runs).table()
        let rows = table.split(separator: "\n").filter { $0.hasPrefix("plimsoll") }
        #expect(rows.count == 2)
        #expect(table.split(separator: "\n").allSatisfy { $0.count <= 100 })
    }
}
