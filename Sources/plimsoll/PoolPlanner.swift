import Budget
import EngineModel
import Report
import RequestPath
import Scalers
import Scaling
import Workload
import World

/// Runs everything that a plan says of one pool.
struct PoolPlanner {
    private let arguments: Arguments
    private let option: PlanCommand.PoolOption
    private let scenario: Scenario
    private let load: SimulatedLoad
    private let capacity: Capacity?
    private let lead: Cluster.LeadTime
    private let scalers: [ScalerUnderTest]

    private static let replicasAtStart = 4
    private static let factors = [1.25, 1.5, 2, 3, 5, 8]
    private static let perReplica: [Double] = [4, 8, 16, 24, 32, 64]
    private static let headrooms: [Double] = [1, 1.5]

    /// Roughly how many runs there are.
    static let runs = 30

    init(
        _ arguments: Arguments, _ configuration: Configuration, _ model: ModelSpec,
        _ option: PlanCommand.PoolOption
    ) throws {
        var scenario = try SimulateCommand.scenario(arguments)
        let place = scenario.model.raw
        scenario.pools[place].engine = option.profile.configuration
        scenario.pools[place].name = option.profile.name
        let gpus = option.gpusPerReplica(model)
        scenario.pools[place].gpus = gpus
        scenario.pools[place].pricePerGPUHour = option.pool?.pricePerGPUHour.map {
            Double($0.microUnits) / 1e6
        }
        scenario.writtenNodes = try option.pool.map {
            try SimulateCommand.nodes(of: $0, gpusPerReplica: gpus)
        }
        if !arguments.has("--replicas") {
            let most = scenario.writtenScaling?.replicasMax ?? Self.replicasAtStart
            scenario.pools[place].replicas = min(
                Self.replicasAtStart, most, scenario.writtenNodes?.replicasMax ?? .max)
        }
        let load = try SimulateCommand.load(arguments, in: scenario)
        let seed = UInt64(try arguments.number("--seed", in: 0...Int(Int32.max)) ?? 1)
        scenario.seed = seed
        let survey = try SimulateCommand.survey(load, scenario, seed: seed)
        try SimulateCommand.requireRequests(survey)
        try SimulateCommand.requireFeasible(survey, profile: option.profile.name)
        let threads = try arguments.number("--threads", in: 1...256) ?? Machine.cores
        self.capacity = SimulateCommand.capacityForScaling(
            load, arguments,
            SimulateCommand.Basis(
                scenario, survey, [.plimsoll], seed: seed, threads: threads))
        scenario.capacityWork = self.capacity?.workPerSecond
        scenario.offeringNanos = load.offeringNanos
        self.arguments = arguments
        self.option = option
        self.scenario = scenario
        self.load = load
        self.lead = try SimulateCommand.leadTime(arguments)
        self.scalers = try Self.scalers(arguments)
    }

    private static func scalers(_ arguments: Arguments) throws(UsageError) -> [ScalerUnderTest] {
        var scalers: [ScalerUnderTest] = [.plimsoll]
        let names = (arguments.text("--scaler") ?? "hpa,kpa,keda,planner").split(separator: ",")
        for name in names.map(String.init) where name != "plimsoll" {
            if let baseline = BaselineScaler(rawValue: name) {
                scalers += self.perReplica.map { .baseline(baseline, perReplica: $0) }
            } else if let model = ModelScaler(rawValue: name) {
                scalers += self.headrooms.map { .model(model, headroom: $0) }
            } else {
                let names =
                    BaselineScaler.allCases.map(\.rawValue) + ModelScaler.allCases.map(\.rawValue)
                throw UsageError(
                    "--scaler '\(name)' is none of " + names.joined(separator: ", "))
            }
        }
        return scalers
    }

    // MARK: Runs

    /// One run to make.
    private struct Job: Sendable {
        var scaler = ScalerUnderTest.plimsoll
        var loadFactor = 1.0
        var leadFactor = 1.0
    }

    func plan() throws -> PoolPlan {
        var jobs = self.scalers.map { Job(scaler: $0) }
        let first = jobs.count
        jobs += Self.factors.map { Job(loadFactor: $0) }
        jobs += [Job(leadFactor: 0.5), Job(loadFactor: 2)]
        let outcomes = try self.run(jobs)
        let runs = zip(self.scalers, outcomes).map { self.summary($0, $1) }
        let limit = zip(Self.factors, outcomes[first...]).first { !Self.isHeld($1) }
        let product = outcomes[0]
        return PoolPlan(
            pool: self.option.pool?.name ?? "no pool", profile: self.option.profile.name,
            currency: self.option.pool?.pricePerGPUHour?.currency,
            pricePerGPUHour: self.price,
            requestsPerReplica: self.capacity.map {
                $0.requestsPerSecond / Double(max(1, self.replicas))
            },
            runs: Self.atTheirBest(runs),
            breaks: Self.isHeld(product)
                ? limit.map { PoolPlan.Limit(factor: $0, what: self.reason($1)) }
                : PoolPlan.Limit(factor: 1, what: self.reason(product)),
            triedTo: Self.factors.last ?? 1,
            sensitivity: [
                self.sensitivity("cold start halved", outcomes[outcomes.count - 2]),
                self.sensitivity("price doubled", product, costFactor: 2),
                self.sensitivity("traffic x2", outcomes[outcomes.count - 1]),
            ], timeline: product.scaling?.timeline.points ?? [])
    }

    private var replicas: Int { self.scenario.pools[self.scenario.model.raw].replicas }
    private var price: Double? { self.scenario.pools[self.scenario.model.raw].pricePerGPUHour }

    private func run(_ jobs: [Job]) throws -> [RunOutcome] {
        let worlds = try jobs.map { job in
            var world = self.scenario
            var lead = self.lead
            lead.p50Nanos = UInt64(Double(lead.p50Nanos) * job.leadFactor)
            lead.p99Nanos = UInt64(Double(lead.p99Nanos) * job.leadFactor)
            var cluster = try SimulateCommand.cluster(
                job.scaler, self.arguments, self.scenario, lead: lead)
            if job.leadFactor != 1 {
                cluster.nodes?.provisioning.p50Nanos /= 2
                cluster.nodes?.provisioning.p99Nanos /= 2
                cluster.nodes?.fetchNanos /= 2
            }
            world.cluster = cluster
            return world
        }
        let threads = try self.arguments.number("--threads", in: 1...256) ?? Machine.cores
        let load = self.load
        return try Blocking.wait {
            try await RunBatch.results(of: jobs.count, atOnce: threads) {
                (index) throws(TraceFault) in
                var world = worlds[index]
                var scaled = load
                if jobs[index].loadFactor != 1 { scaled.scale(by: jobs[index].loadFactor) }
                world.offeringNanos = scaled.offeringNanos
                if case .model(.oracle, _) = jobs[index].scaler {
                    let future = try world.work(in: scaled.open(seed: world.seed))
                    world.cluster?.future = future
                }
                return try PolicyUnderTest.plimsoll.run(
                    world, arrivals: try scaled.open(seed: world.seed))
            }
        }
    }

    // MARK: What came of them

    private static func isHeld(_ outcome: RunOutcome) -> Bool {
        let figures = outcome.report.figures
        // A budget is not held by refusing: of what is offered at least 99 % must be good.
        return (outcome.report.verdict?.isHeld ?? true) && figures.goodput.share >= 0.99
    }

    private func cost(_ outcome: RunOutcome) -> Double? {
        self.price.map { $0 * outcome.gpuSeconds / 3_600 }
    }

    private func summary(_ scaler: ScalerUnderTest, _ outcome: RunOutcome) -> PoolPlan.Run {
        let cost = self.cost(outcome)
        let good = outcome.report.figures.good
        return PoolPlan.Run(
            scaler: scaler.name, setting: scaler.setting, isHeld: Self.isHeld(outcome),
            goodShare: outcome.report.figures.goodput.share,
            gpuHours: outcome.gpuSeconds / 3_600,
            replicasMost: outcome.scaling?.most ?? self.replicas,
            nodesMost: outcome.scaling?.nodesMost, cost: cost,
            costPerGoodRequest: good > 0 ? cost.map { $0 / Double(good) } : nil,
            costPerMillionOutputTokens: outcome.goodOutputTokens > 0
                ? cost.map { $0 / Double(outcome.goodOutputTokens) * 1e6 } : nil,
            turnsPerHour: outcome.scaling?.turnsPerHour ?? 0)
    }

    /// Of each scaler the cheapest run that holds the budget, else the one with most good requests.
    private static func atTheirBest(_ runs: [PoolPlan.Run]) -> [PoolPlan.Run] {
        var best: [PoolPlan.Run] = []
        for run in runs {
            guard let place = best.firstIndex(where: { $0.scaler == run.scaler }) else {
                best.append(run)
                continue
            }
            let known = best[place]
            let isBetter =
                run.isHeld == known.isHeld
                ? run.isHeld ? run.gpuHours < known.gpuHours : run.goodShare > known.goodShare
                : run.isHeld
            if isBetter { best[place] = run }
        }
        return best
    }

    /// Why a run does not hold the budget.
    private func reason(_ outcome: RunOutcome) -> String {
        let report = outcome.report
        var reasons: [String] = []
        let offered = report.figures.offered
        if report.figures.refused.total > 0 {
            reasons.append(
                "\(Wording.percent(report.figures.refused.total, of: offered)) are refused")
        }
        for serviceClass in report.classes {
            for objective in serviceClass.objectives where !objective.met {
                reasons.append(
                    "\(serviceClass.name): \(objective.stage) "
                        + "p\(Wording.fixed(objective.quantile * 100, 0))")
            }
        }
        if outcome.scaling?.refused ?? 0 > 0 {
            reasons.append("the pool has no more nodes")
        } else if let most = outcome.scaling?.most,
            most >= self.scenario.writtenScaling?.replicasMax ?? 64
        {
            reasons.append("\(most) replicas are the most written")
        }
        return reasons.isEmpty ? "fewer than 99 % are good" : reasons.joined(separator: "; ")
    }

    private func sensitivity(
        _ what: String, _ outcome: RunOutcome, costFactor: Double = 1
    ) -> PoolPlan.Sensitivity {
        PoolPlan.Sensitivity(
            what: what, isHeld: Self.isHeld(outcome),
            goodShare: outcome.report.figures.goodput.share,
            gpuHours: outcome.gpuSeconds / 3_600,
            cost: self.cost(outcome).map { $0 * costFactor })
    }
}
