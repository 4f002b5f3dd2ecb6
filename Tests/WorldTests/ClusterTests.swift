import EngineModel
import Report
import RequestPath
import Scalers
import Scaling
import Testing
import Workload
import World

/// Replicas that come and go under a scaler.
@Suite struct ClusterTests {
    private static let second: UInt64 = 1_000_000_000
    /// Requests a second that keep a replica about half busy.
    private static let unit = 5.0

    static func scenario(
        _ scaler: ScalerUnderTest, replicas: Int, lead: Cluster.LeadTime, seed: UInt64 = 1
    ) -> Scenario {
        let standard = ClassPlan(
            name: "standard", planNanos: second, deadlineNanos: 2 * second)
        var engine = EngineProfile.llama31With8B.configuration
        engine.batchedTokensMax = 1_024
        var scenario = Scenario(
            plan: Plan(
                models: [ModelPlan(name: "m", classes: [standard])],
                tenants: [TenantPlan(name: "anonymous")]),
            model: ModelID(raw: 0), defaultClass: 0,
            budget: ReportBudget(objectives: [
                ReportBudget.Objective(
                    stage: .ttft, quantilePerMillion: 990_000, boundNanos: second)
            ]),
            pools: [Scenario.EnginePool(engine: engine, replicas: replicas, gpus: 2)])
        scenario.seed = seed
        scenario.auditEvery = 20
        scenario.cluster = Cluster(
            scaler: scaler, lead: lead,
            plan: ScalingPlan(
                replicasMax: 32, stabilizationNanos: 120 * second, waitNanos: second / 2,
                leadNanos: lead.p50Nanos, workPerReplica: 0.6))
        return scenario
    }

    private static func run(
        _ scaler: ScalerUnderTest, replicas: Int = 2,
        lead: Cluster.LeadTime = Cluster.LeadTime(p50Nanos: 60 * second, p99Nanos: 60 * second),
        process: ArrivalProcess = .step(
            rate: 2 * unit, peak: 10 * unit, atSeconds: 120, forSeconds: 200),
        seconds: UInt64 = 600, seed: UInt64 = 1
    ) throws -> RunOutcome {
        var transform = ArrivalStream.Transform()
        transform.durationNanos = seconds * second
        let spec = GeneratorSpec(
            process: process, input: LengthRange(500, 1_500), output: LengthRange(20, 180))
        return try PolicyUnderTest.plimsoll.run(
            Self.scenario(scaler, replicas: replicas, lead: lead, seed: seed),
            arrivals: ArrivalStream(spec: spec, seed: seed, transform: transform))
    }

    @Test(arguments: 1...2 as ClosedRange<UInt64>)
    func `every request is answered once while replicas come and go`(_ seed: UInt64) throws {
        let lead = Cluster.LeadTime(p50Nanos: 20 * Self.second, p99Nanos: 90 * Self.second)
        for scaler in [.plimsoll]
            + BaselineScaler.allCases.map({
                ScalerUnderTest.baseline($0, perReplica: 8)
            })
        {
            let outcome = try Self.run(scaler, lead: lead, seed: seed)
            #expect(outcome.faults == [], "\(scaler.name)")
            #expect(outcome.report.figures.offered > 5_000)
            #expect(outcome.scaling?.changes ?? 0 > 2, "\(scaler.name)")
        }
    }

    @Test func `the same seed gives the same outcome`() throws {
        #expect(try Self.run(.plimsoll, seed: 7) == Self.run(.plimsoll, seed: 7))
    }

    @Test func `a step is served once its replicas are there, and not before`() throws {
        let outcome = try Self.run(.plimsoll)
        let scaling = try #require(outcome.scaling)
        // Two decisions see the step, the first within five seconds; then a minute passes.
        #expect((60...90).contains(scaling.secondsToCapacity ?? 0), "\(scaling)")
        let faster = try Self.run(
            .plimsoll, lead: Cluster.LeadTime(p50Nanos: 5 * Self.second, p99Nanos: 0))
        #expect(faster.report.figures.good > outcome.report.figures.good)
    }

    @Test func `replicas are paid for from their being asked for until their last request`() throws
    {
        // Nobody scales: what there is, for as long as the run lasts.
        let fixed = try Self.run(.fixed, replicas: 3, process: .poisson(rate: 1), seconds: 100)
        #expect(fixed.scaling == nil)
        #expect(abs(fixed.gpuSeconds - 600) < 60)
        let scaled = try Self.run(.plimsoll, replicas: 8, process: .poisson(rate: 1))
        #expect(scaled.gpuSeconds < 0.9 * 8 * 2 * 600)
        #expect(scaled.report.figures.good == scaled.report.figures.offered)
    }

    @Test func `demand that a full fleet hides is seen at the front door`() throws {
        // Twice as many requests a replica as fit: such a threshold is never passed.
        let process = ArrivalProcess.poisson(rate: 12 * Self.unit)
        let ours = try Self.run(.plimsoll, process: process)
        let threshold = try Self.run(.baseline(.kpa, perReplica: 400), process: process)
        #expect(threshold.scaling?.most == 2)
        #expect(ours.report.figures.goodput.share > 2 * threshold.report.figures.goodput.share)
    }

    @Test func `what is pending is counted, where a ratio of the ready runs away`() throws {
        let process = ArrivalProcess.poisson(rate: 8 * Self.unit)
        let ours = try #require(try Self.run(.plimsoll, process: process).scaling)
        let ratio = try #require(
            try Self.run(.baseline(.ratio, perReplica: 8), process: process).scaling)
        #expect(ratio.most > 2 * ours.most, "\(ratio.most) and \(ours.most)")
    }
}
