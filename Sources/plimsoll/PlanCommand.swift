import Budget
import Console
import EngineModel
import Report
import Scalers
import Scaling
import World

/// `plimsoll plan`: what holding a budget over a trace takes and costs, on one GPU pool or another.
enum PlanCommand: Command {
    static let synopsis = Synopsis(
        name: "plan", summary: "replicas, GPUs, nodes and cost that a budget takes over a trace",
        usage: "-f FILE|DIR --trace TRACE [--pool NAME[=PROFILE]]... [options]",
        options: [
            .init(name: "-f", value: "FILE|DIR", help: "the budget", repeats: true),
            .init(name: "--trace", value: "TRACE", help: "the load; see plimsoll simulate"),
            .init(name: "--for", value: "TIME", help: "how much of the load (all of it)"),
            .init(name: "--speed", value: "X", help: "the trace runs X times as fast (1)"),
            .init(name: "--model", value: "NAME", help: "the model asked for (the first)"),
            .init(
                name: "--pool", value: "NAME[=PROFILE]",
                help: "a GPUPool of the budget, and the engine on it (the model's own)",
                repeats: true),
            .init(name: "--profile", value: "NAME|FILE", help: ProfileOption.help),
            .init(
                name: "--lead-time", value: "TIME|P50:P99",
                help: "to start a replica on a node that is there (120s)"),
            .init(
                name: "--fetch", value: "TIME",
                help: "the first replica of a node takes besides (0s)"),
            .init(name: "--replicas", value: "N", help: "at the start (4)"),
            .init(
                name: "--scaler", value: "A,B",
                help: "beside the product's (hpa,kpa,keda,planner); see plimsoll simulate"),
            .init(name: "--seed", value: "N", help: "of the first run (1)"),
            .init(name: "--threads", value: "N", help: "runs at one time (cores)"),
            .init(name: "--output", value: "table|json|html", help: "how the plan is printed"),
        ],
        example: "plimsoll plan -f budget.yaml --trace azure:trace.csv --pool h100 --pool a100",
        notes: """
            Everything is simulated in virtual time. The field's scalers are shown at the cheapest
            of their settings that holds the budget, or at the best where none does. Exit 1 where
            the product does not hold the budget on any pool.
            """)

    static func run(_ arguments: Arguments) throws -> Int32 {
        let output = try SimulateCommand.output(arguments)
        let paths = arguments.all("-f")
        guard !paths.isEmpty else { throw UsageError("name the budget: -f budget.yaml") }
        let configuration = try Service.load(paths).configuration
        let name = arguments.text("--model") ?? configuration.models[0].name
        guard let model = configuration.models.first(where: { $0.name == name }) else {
            throw UsageError("the budget has no model '\(name)'")
        }
        let options = try Self.pools(arguments, configuration, model)
        var pools: [PoolPlan] = []
        for option in options {
            Console.note("plimsoll plan: \(option.title): \(PoolPlanner.runs) runs in virtual time")
            pools.append(try PoolPlanner(arguments, configuration, model, option).plan())
        }
        let plan = CapacityPlan(model: name, trace: arguments.text("--trace") ?? "", pools: pools)
        switch output {
        case .table: for line in plan.lines { Console.out(line) }
        case .json: Console.out(try JSON.text(plan, snakeCase: true))
        case .html: Console.out(PlanPage.html(json: try JSON.text(plan, snakeCase: true)))
        }
        return plan.cheapest == nil ? ExitCode.no : ExitCode.fine
    }

    /// A pool and the engine on it.
    struct PoolOption {
        var pool: GPUPoolSpec?
        var profile: EngineProfile
        /// The profile is the pool's own, and not the one of all.
        var isGiven = false

        /// As the model writes for its own pool; what the profile was measured on elsewhere.
        func gpusPerReplica(_ model: ModelSpec) -> Int {
            guard let own = model.accelerator, own.pool == self.pool?.name, !self.isGiven,
                case .gpus(let count) = own.share
            else { return self.profile.gpus }
            return count
        }

        var title: String { (self.pool?.name ?? "no pool") + ", " + self.profile.name }
    }

    private static func pools(
        _ arguments: Arguments, _ configuration: Configuration, _ model: ModelSpec
    ) throws(UsageError) -> [PoolOption] {
        let usual = try ProfileOption.profile(named: arguments.text("--profile"))
        guard arguments.has("--pool") else {
            let own = model.accelerator.flatMap { configuration.pool(named: $0.pool) }
            return [PoolOption(pool: own, profile: usual)]
        }
        var options: [PoolOption] = []
        for text in arguments.all("--pool") {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                .map(String.init)
            guard let name = parts.first, let pool = configuration.pool(named: name) else {
                let names = configuration.pools.map(\.name).joined(separator: ", ")
                throw UsageError(
                    "--pool '\(text)': the budget has no such GPUPool; it has "
                        + (names.isEmpty ? "none" : names))
            }
            options.append(
                PoolOption(
                    pool: pool,
                    profile: parts.count == 2 ? try ProfileOption.profile(named: parts[1]) : usual,
                    isGiven: parts.count == 2))
        }
        return options
    }
}
