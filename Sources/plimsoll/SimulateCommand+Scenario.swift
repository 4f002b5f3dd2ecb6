import Budget
import EngineModel
import Glibc
import Planning
import Replay
import Report
import RequestPath
import Scaling
import Workload
import World

extension SimulateCommand {
    static func scenario(_ arguments: Arguments) throws -> Scenario {
        var scenario =
            arguments.has("--pair-budget")
            ? try Self.bareScenario(arguments) : try Self.writtenScenario(arguments)
        if let text = arguments.text("--retry") {
            guard let retry = Clients.Retry(rawValue: text) else {
                throw UsageError("--retry '\(text)' is none of off, honour, ignore")
            }
            scenario.clients.retry = retry
        }
        scenario.clients.patienceNanos = try arguments.duration("--patience")
        scenario.warmUpNanos = try arguments.duration("--warm-up") ?? 0
        scenario.reportedTenant = try Self.tenant(arguments, of: scenario.plan)
        scenario.auditEvery = Self.auditEvery
        if let path = arguments.text("--faults") {
            scenario.faults = try Self.faults(path, endpoints: scenario.endpointCount)
        }
        return scenario
    }

    /// Every so many steps of the policy all its invariants are checked. A check looks at every
    /// live request: every hundred steps it takes 4 % of the time of a run at nine tenths of
    /// capacity, every ten 37 % (the processor time of `--speed-test`).
    static let auditEvery = 100

    private static func tenant(
        _ arguments: Arguments, of plan: Plan
    ) throws(UsageError) -> TenantID? {
        guard let name = arguments.text("--only-tenant") else { return nil }
        guard let index = plan.tenants.firstIndex(where: { $0.name == name }) else {
            let names = plan.tenants.map(\.name).joined(separator: ", ")
            throw UsageError("the budget has no tenant '\(name)'; it has \(names)")
        }
        return TenantID(raw: index)
    }

    /// The models of a budget file.
    private static func writtenScenario(_ arguments: Arguments) throws -> Scenario {
        let paths = arguments.all("-f")
        guard !paths.isEmpty else {
            throw UsageError("name the budget: -f examples/budget.yaml, or --pair-budget")
        }
        let configuration = try Service.load(paths).configuration
        let name = arguments.text("--model") ?? configuration.models[0].name
        guard let index = configuration.modelIndex(named: name) else {
            let names = configuration.models.map(\.name).joined(separator: ", ")
            throw UsageError("the budget has no model '\(name)'; it has \(names)")
        }
        let model = configuration.models[index]
        let replicas = try Self.replicas(arguments, configuration)
        guard replicas[index] > 0 else {
            throw UsageError("--replicas leaves \(model.name), which is asked for, no engine")
        }
        let profiles = try Self.profiles(arguments, configuration)
        let pools = configuration.models.indices.map { place in
            var pool = Self.pool(profiles[place], replicas[place])
            pool.pricePerGPUHour = configuration.models[place].accelerator
                .flatMap { configuration.pool(named: $0.pool)?.pricePerGPUHour }
                .map { Double($0.microUnits) / 1e6 }
            return pool
        }
        var scenario = Scenario(
            plan: Plan(configuration), model: ModelID(raw: index),
            defaultClass: model.defaultClassIndex, budget: ReportBudget(model), pools: pools)
        scenario.writtenScaling = ScalingPlan(model, leadNanos: 0, workPerReplica: 1)
        scenario.writtenNodes = try Self.nodes(of: model, configuration)
        return scenario
    }

    /// One model that is named after its profile and has no budget yet.
    private static func bareScenario(_ arguments: Arguments) throws(UsageError) -> Scenario {
        guard arguments.all("-f").isEmpty, arguments.text("--model") == nil else {
            throw UsageError("--pair-budget makes the budget itself: leave -f and --model out")
        }
        let profile = try ProfileOption.profile(named: arguments.text("--profile"))
        let replicas = try arguments.number("--replicas", in: 1...10_000) ?? 1
        let unbounded = ClassPlan(name: "standard", planNanos: .max, deadlineNanos: .max)
        return Scenario(
            plan: Plan(
                models: [ModelPlan(name: profile.name, classes: [unbounded])],
                tenants: [TenantPlan(name: "anonymous")]),
            model: ModelID(raw: 0), defaultClass: 0, budget: ReportBudget(objectives: []),
            pools: [Self.pool(profile, replicas)])
    }

    private static func pool(_ profile: EngineProfile, _ replicas: Int) -> Scenario.EnginePool {
        var pool = Scenario.EnginePool(
            engine: profile.configuration, replicas: replicas, gpus: profile.gpus)
        pool.name = profile.name
        return pool
    }

    /// Puts a scenario under the budget of its pair.
    static func makeBudget(
        _ scenario: inout Scenario, _ survey: WorkloadSurvey
    ) throws(UsageError) -> PairBudget {
        guard let budget = PairBudget(survey, engine: scenario.pools[0].engine) else {
            throw UsageError("--pair-budget: not one request of the load fits the engine")
        }
        scenario.plan.models = [budget.model(named: scenario.plan.models[0].name)]
        scenario.budget = budget.objectives
        return budget
    }

    private static func faults(_ path: String, endpoints: Int) throws -> [ScriptedFault] {
        var bytes: [UInt8] = []
        do {
            let file = try TraceFile(path: path)
            while let piece = try file.next() { bytes += piece }
        } catch {
            throw UsageError("\(path): \(error.message)")
        }
        do {
            return try FaultScript.parse(
                String(decoding: bytes, as: UTF8.self), endpoints: endpoints)
        } catch {
            throw UsageError(
                error.problems.map { "\(path):\($0)" }.joined(separator: "\n"))
        }
    }
}
