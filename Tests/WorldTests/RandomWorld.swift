import Baselines
import EngineModel
import Foundation
import Report
import RequestPath
import Statistics
import Workload
import World

/// A small world drawn from a seed: models, classes, tenants, ladder, clients, load and faults of
/// every kind. The same seed, the same world.
struct RandomWorld {
    var policy: PolicyUnderTest
    var scenario: Scenario
    var load: GeneratorSpec
    var durationNanos: UInt64

    private static let second: UInt64 = 1_000_000_000

    init(seed: UInt64) {
        var draw = Draw(seed: seed)
        let models = draw.number(1, 2)
        let classes = draw.classes()
        let tenants = draw.tenants()
        let plan = Plan(
            models: (0..<models).map { index in
                draw.model(index, of: models, classes: classes)
            }, tenants: tenants)
        scenario = Scenario(
            plan: plan, model: ModelID(raw: 0), defaultClass: draw.number(0, classes.count - 1),
            budget: ReportBudget(objectives: [
                ReportBudget.Objective(
                    stage: .ttft, quantilePerMillion: 990_000, boundNanos: classes[0].planNanos)
            ]), pools: (0..<models).map { _ in draw.pool() })
        scenario.seed = seed
        scenario.auditEvery = 1
        scenario.clients = draw.clients()
        scenario.monitor.scrapeNanos = draw.pick([nil, 50_000_000, Self.second])
        durationNanos = UInt64(draw.number(2, 6)) * Self.second
        load = draw.load(tenants: tenants, endpoints: max(1, scenario.endpointCount))
        let endpoints = scenario.endpointCount
        if endpoints > 0 {
            for _ in 0..<draw.number(0, 5) {
                scenario.faults.append(draw.fault(endpoints: endpoints, within: durationNanos))
            }
        }
        // Two worlds of three are the product's own; the rest go round the field.
        policy =
            draw.number(0, 2) > 0
            ? .plimsoll
            : .baseline(draw.pick(BaselineGate.allCases), draw.pick(BaselineChoice.allCases))
    }

    func run() throws -> RunOutcome {
        var transform = ArrivalStream.Transform()
        transform.durationNanos = durationNanos
        transform.requestsMax = 250
        return try policy.run(
            scenario,
            arrivals: ArrivalStream(spec: load, seed: scenario.seed, transform: transform))
    }
}

/// Draws the parts of a world.
private struct Draw {
    private var random: SeededRandom

    init(seed: UInt64) {
        random = SeededRandom(seed: seed)
    }

    mutating func number(_ least: Int, _ most: Int) -> Int {
        least + Int(random.uniform(below: UInt64(most - least + 1)))
    }

    mutating func pick<Value>(_ values: [Value]) -> Value {
        values[number(0, values.count - 1)]
    }

    mutating func isTrue(_ share: Double) -> Bool { random.uniform() < share }

    private mutating func millis(_ least: Int, _ most: Int) -> UInt64 {
        UInt64(number(least, most)) * 1_000_000
    }

    mutating func classes() -> [ClassPlan] {
        (0..<number(1, 3)).map { index in
            let plan = millis(200, 3_000)
            return ClassPlan(
                name: "c\(index)", planNanos: plan, deadlineNanos: plan + millis(0, 3_000),
                maxWaitNanos: isTrue(0.5) ? millis(500, 5_000) : nil,
                queueRequestsMax: pick([1, 5, 2_000]))
        }
    }

    mutating func tenants() -> [TenantPlan] {
        (0..<number(1, 4)).map { index in
            TenantPlan(
                name: "t\(index)", weight: Double(number(1, 4)),
                requestsPerMinute: isTrue(0.2) ? UInt32(number(1, 500)) : nil,
                tokensPerMinute: isTrue(0.2) ? UInt64(number(1_000, 200_000)) : nil,
                concurrency: isTrue(0.3) ? UInt32(number(1, 4)) : nil)
        }
    }

    mutating func model(_ index: Int, of models: Int, classes: [ClassPlan]) -> ModelPlan {
        var ladder: [LadderStep] = []
        if isTrue(0.4) { ladder.append(.cap(outputTokens: UInt32(number(1, 100)))) }
        if models > 1, index == 0, isTrue(0.6) { ladder.append(.model(ModelID(raw: 1))) }
        return ModelPlan(
            name: "m\(index)", classes: classes, ladder: ladder,
            retryShare: pick([0, 0.1, 0.5]),
            maxContextTokens: isTrue(0.3) ? 2_000 : nil,
            confidence: pick([0.5, 0.95, 0.99]),
            interTokenBoundNanos: isTrue(0.6) ? millis(15, 100) : nil,
            coldStartNanos: isTrue(0.3) ? millis(100, 5_000) : nil,
            concurrentRequestsMax: isTrue(0.3) ? UInt32(number(1, 32)) : nil,
            tokensInFlightMax: isTrue(0.3) ? UInt64(number(500, 50_000)) : nil)
    }

    mutating func pool() -> Scenario.EnginePool {
        var engine = pick(EngineProfile.all).configuration
        engine.batchedTokensMax = pick([64, 512, 1_024, 2_048])
        engine.sequencesMax = pick([1, 4, 64, 256])
        engine.kvBlocks = pick([100, 400, 20_000])
        engine.waitingMax = isTrue(0.2) ? number(0, 8) : nil
        engine.stepNoise = pick([0, 0.05, 0.5])
        var pool = Scenario.EnginePool(engine: engine, replicas: number(0, 3), gpus: 1)
        pool.tellsUsage = !isTrue(0.2)
        return pool
    }

    mutating func clients() -> Clients {
        var clients = Clients()
        clients.retry = pick(Clients.Retry.allCases)
        // A draw that nothing uses any more, so that seeds keep their worlds.
        _ = number(0, 1)
        clients.patienceNanos = isTrue(0.5) ? millis(100, 5_000) : nil
        clients.bytesPerToken = number(1, 8)
        clients.statesLimit = isTrue(0.7)
        clients.streams = isTrue(0.8)
        return clients
    }

    mutating func load(tenants: [TenantPlan], endpoints: Int) -> GeneratorSpec {
        let rate = Double(number(2, 15) * endpoints)
        let process: ArrivalProcess = pick([
            .poisson(rate: rate), .gamma(rate: rate, variation: 3),
            .step(rate: rate / 4, peak: rate * 4, atSeconds: 1, forSeconds: 1),
            .onOff(rate: rate * 2, onSeconds: 0.5, offSeconds: 0.5),
        ])
        return GeneratorSpec(
            process: process, input: LengthRange(1, pick([100, 1_500, 6_000])),
            output: LengthRange(0, pick([1, 40, 150])),
            tenants: isTrue(0.2)
                ? [] : tenants.map { TenantShare(name: $0.name, weight: number(1, 20)) })
    }

    mutating func fault(endpoints: Int, within nanos: UInt64) -> ScriptedFault {
        let lies: [GaugeLie] = [
            .running(UInt32(number(0, 500))), .waiting(UInt32(number(0, 500))),
            .kvCache(random.uniform()),
        ]
        let kind: ScriptedFault.Kind = pick([
            .slow(0.1 + 20 * random.uniform()), .stall, .kill, .refuse,
            .errors(random.uniform()), .lie(lies), .scrapeOutage,
        ])
        let start = random.uniform(below: nanos)
        return ScriptedFault(
            kind: kind, endpoint: isTrue(0.2) ? nil : number(0, endpoints - 1),
            startNanos: start,
            endNanos: isTrue(0.1) ? nil : start + random.uniform(below: nanos))
    }
}
