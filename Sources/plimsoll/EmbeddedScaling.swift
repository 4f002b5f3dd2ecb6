import Budget
import Console
import EventLoop
import Fleet
import Gateway
import Planning
import Report
import Scaling
import Telemetry
import Time

/// `up --scale`: embedded engines of each model that writes its `scaling` come and go.
final class EmbeddedScaling {
    private let engines: EmbeddedEngines
    let startupNanos: UInt64
    private let options: [String]
    private let decisionsPath: String?
    private var fleets: [(model: String, fleet: ScaledFleet)] = []
    private var troubles: [String: String] = [:]
    /// The endpoints in force are not those that there are.
    private var isStale = false

    private static let startupUnwritten: UInt64 = 20_000_000_000
    /// What an embedded engine serves of the work that the gateway counts, until it was seen at
    /// its limit.
    private static let workPerReplica = 0.8

    init(
        engines: EmbeddedEngines, startupNanos: UInt64?, options: [String],
        decisionsPath: String?
    ) {
        self.engines = engines
        self.startupNanos = startupNanos ?? Self.startupUnwritten
        self.options =
            startupNanos == nil
            ? options + ["--startup", "\(Self.startupUnwritten / 1_000_000_000)s"] : options
        self.decisionsPath = decisionsPath
    }

    /// Whether the model's engines are the scaler's.
    func owns(_ model: String) -> Bool { self.fleets.contains { $0.model == model } }

    /// The budget with the replicas there are now in it; the first time asks for the warm floors.
    func completed(_ configuration: Configuration) throws -> Configuration {
        if self.fleets.isEmpty {
            try self.begin(configuration)
        } else {
            try self.requireSame(configuration)
        }
        var models = configuration.models
        for index in models.indices {
            guard let own = self.fleets.first(where: { $0.model == models[index].name }) else {
                continue
            }
            models[index].engine.endpoints = own.fleet.endpoints
        }
        return Configuration(
            models: models, tenants: configuration.tenants, pools: configuration.pools)
    }

    /// The plan of a model whose engines are the scaler's; nil for another.
    private func plan(_ model: ModelSpec) -> ScalingPlan? {
        guard model.engine.kind == .simulated, model.engine.endpoints.isEmpty else { return nil }
        return ScalingPlan(
            model, leadNanos: self.startupNanos, workPerReplica: Self.workPerReplica)
    }

    /// A scaler keeps what it has learned, and the plan that it learned it under.
    private func requireSame(_ configuration: Configuration) throws(UsageError) {
        let scaled = configuration.models.compactMap { model in
            self.plan(model).map { (model.name, $0) }
        }
        let isSame =
            scaled.count == self.fleets.count
            && zip(scaled, self.fleets).allSatisfy { $0.0 == $1.model && $0.1 == $1.fleet.plan }
        guard isSame else {
            throw UsageError(
                "up --scale: which models scale, and how, is taken from the start: end it and "
                    + "start it again")
        }
    }

    private func begin(_ configuration: Configuration) throws {
        let now = Loop.monotonicNow()
        for model in configuration.models {
            guard let plan = self.plan(model) else { continue }
            let log = try self.decisionsPath.map { path in
                try DecisionLog(
                    path: self.fleets.isEmpty ? path : "\(path).\(model.name)",
                    header: DecisionHeader(
                        model: model.name, plan: plan, replicas: plan.replicasMin,
                        clockNanos: now.nanos, unixNanos: WallClock.unixNanos()))
            }
            let host = EmbeddedHost(
                engines: self.engines, model: model.engine.servedModelName ?? model.name,
                options: self.options)
            let fleet = ScaledFleet(
                model: model.name, plan: plan, host: host, log: log, now: now)
            try fleet.begin(now: now)
            self.fleets.append((model.name, fleet))
        }
        guard !self.fleets.isEmpty else {
            throw UsageError(
                "--scale: no simulated model of the budget writes 'scaling: {replicas: "
                    + "{min: , max: }}'")
        }
    }

    /// Lets the scalers look and decide, and puts the endpoints in force where they have changed;
    /// what fails there is said, and tried again at the next turn.
    func turn(_ core: GatewayCore, refresh: () throws -> Void) throws {
        for (model, fleet) in self.fleets {
            let before = fleet.recent.last
            if try fleet.turn(core, now: Loop.monotonicNow()) { self.isStale = true }
            if let decision = fleet.recent.last, decision != before {
                Console.note("\(model): \(decision.sentence)")
            }
            if fleet.trouble != self.troubles[model] {
                self.troubles[model] = fleet.trouble
                if let trouble = fleet.trouble {
                    Console.note("\(model): no replica could be had: \(trouble)")
                }
            }
        }
        guard self.isStale else { return }
        do {
            try refresh()
            self.isStale = false
            self.troubles[""] = nil
        } catch {
            if self.troubles[""] == nil { Console.note("the replicas are not in force: \(error)") }
            self.troubles[""] = "\(error)"
        }
    }

    /// What the console shows.
    var status: [ScalingStatus] {
        let now = Loop.monotonicNow()
        let wall = WallClock.unixNanos()
        return self.fleets.map { model, fleet in
            var status = ScalingStatus(
                model: model, least: fleet.plan.replicasMin, most: fleet.plan.replicasMax)
            let lead = fleet.last?.leadNanos ?? fleet.plan.leadNanos
            status.ready = fleet.readyCount
            status.draining = fleet.drainingCount
            status.startingSeconds = fleet.startingSince.map {
                Double($0.advanced(byNanos: lead).nanosSince(now)) / 1e9
            }
            status.demand = fleet.last?.terms.now ?? 0
            status.peak = status.demand + (fleet.last?.terms.peak ?? 0)
            status.standby = fleet.last?.terms.standby ?? 0
            status.leadSeconds = Double(lead) / 1e9
            status.decisions = fleet.recent.suffix(20).reversed().map {
                ScalingStatus.Decision(
                    t: (wall - min(wall, now.nanosSince($0.at))) / 1_000_000, text: $0.sentence)
            }
            return status
        }
    }

    /// What scaling did, for the end.
    var summary: String {
        let now = Loop.monotonicNow()
        return self.fleets.map { model, fleet in
            "\(model): \(fleet.endpoints.count) replicas; \(fleet.decisions) decisions, "
                + "\(fleet.ups) up and \(fleet.downs) down; "
                + "\(Wording.fixed(fleet.replicaSeconds(now: now), 0)) replica-seconds"
        }.joined(separator: "\n")
    }
}

/// Child processes as replicas of one model.
private final class EmbeddedHost: EngineHost {
    private let engines: EmbeddedEngines
    private let model: String
    private let options: [String]

    init(engines: EmbeddedEngines, model: String, options: [String]) {
        self.engines = engines
        self.model = model
        self.options = options
    }

    func start() throws -> EngineEndpoint {
        try self.engines.startOne(model: self.model, options: self.options)
    }

    func stop(_ endpoint: EngineEndpoint) { self.engines.end(endpoint) }

    func isAlive(_ endpoint: EngineEndpoint) -> Bool { self.engines.isAlive(endpoint) }
}
