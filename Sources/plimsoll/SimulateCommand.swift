import Baselines
import EngineModel
import Glibc
import Replay
import Report
import RequestPath
import Scalers
import Workload
import World

/// `plimsoll simulate`: runs a budget's policy, or the field's, against a workload in virtual time.
enum SimulateCommand: Command {
    static let synopsis = Synopsis(
        name: "simulate", summary: "try a budget on modelled engines, in virtual time",
        usage: "-f FILE|DIR|--pair-budget --trace TRACE [options]\n"
            + "       plimsoll simulate --speed-test",
        options: [
            .init(name: "-f", value: "FILE|DIR", help: "the budget", repeats: true),
            .init(
                name: "--pair-budget",
                help: "make the budget of what the engine and the load can do"),
            .init(
                name: "--trace", value: "TRACE",
                help: "azure:FILE, mooncake:FILE, csv:FILE (gzip too), or drawn: poisson:rate=5"),
            .init(name: "--speed", value: "X", help: "time of the trace runs X times as fast (1)"),
            .init(name: "--for", value: "TIME", help: "stop offering then (the whole trace)"),
            .init(
                name: "--load-factor", value: "X",
                help: "offer X times the capacity of this pair, which is searched first"),
            .init(
                name: "--capacity", value: "R",
                help: "for --load-factor: a capacity found before, in requests a second"),
            .init(name: "--rate", value: "R", help: "offer R requests a second, re-spaced"),
            .init(
                name: "--spacing", value: "trace|poisson",
                help: "poisson: the trace's requests at a steady rate, drawn by the seed (trace)"),
            .init(name: "--requests", value: "N", help: "offer the first N requests"),
            .init(name: "--model", value: "NAME", help: "the model asked for (the first)"),
            .init(
                name: "--policy", value: "A,B",
                help: "plimsoll, "
                    + BaselineGate.allCases.map(\.rawValue).joined(separator: ", ")),
            .init(
                name: "--choice", value: "A,B",
                help: "of the field's policies, for each its own (published): "
                    + BaselineChoice.allCases.map(\.rawValue).joined(separator: ", ")),
            .init(
                name: "--sweep", help: "the field's policies at every setting of their main knob"),
            .init(
                name: "--setting", value: "NAME",
                help: "the field's policies at one of the sweep's settings (default)"),
            .init(
                name: "--replicas", value: "N|MODEL=N,...", help: "engines of each model (1)"),
            .init(
                name: "--profile", value: "NAME|FILE|MODEL=NAME,...", help: ProfileOption.help),
            .init(
                name: "--scaler", value: "A,B",
                help: "replicas come and go: plimsoll, fixed, "
                    + (BaselineScaler.allCases.map(\.rawValue)
                    + ModelScaler.allCases.map(\.rawValue)).joined(separator: ", ")),
            .init(
                name: "--per-replica", value: "N,...",
                help: "of the field's scalers: requests for each replica (16)"),
            .init(
                name: "--headroom", value: "H,J",
                help: "of means, planner and oracle: times what they find (1)"),
            .init(
                name: "--lead-time", value: "TIME|P50:P99", help: "to start a replica (120s)"),
            .init(
                name: "--fetch", value: "TIME",
                help: "the first replica of a GPUPool's node takes besides (0s)"),
            .init(name: "--replicas-min", value: "N", help: "fewest under a scaler (1)"),
            .init(name: "--replicas-max", value: "N", help: "most under a scaler (64)"),
            .init(
                name: "--stabilization", value: "TIME",
                help: "a replica is spare for so long before it goes (10m)"),
            .init(
                name: "--decisions", value: "FILE",
                help: "keep those of --scaler plimsoll; see plimsoll decisions"),
            .init(name: "--faults", value: "FILE", help: "what goes wrong, a fault a line"),
            .init(name: "--retry", value: "off|honour|ignore", help: "after a refusal (off)"),
            .init(name: "--warm-up", value: "TIME", help: "served first and not counted (0s)"),
            .init(
                name: "--only-tenant", value: "NAME", help: "report this tenant's requests alone"),
            .init(name: "--patience", value: "TIME", help: "clients leave without a first token"),
            .init(name: "--scrape", value: "TIME", help: "between scrapes (1s; baselines 50ms)"),
            .init(name: "--seed", value: "N", help: "of the first run (1)"),
            .init(name: "--runs", value: "K", help: "runs of each policy, a seed each (1)"),
            .init(name: "--threads", value: "N", help: "runs at one time (cores)"),
            .init(name: "--output", value: "table|json|html", help: "how the result is printed"),
            .init(
                name: "--compare-live", value: "URL",
                help: "replay there too, and say how far the twin is off; needs --for"),
            .init(name: "--tenant-key", value: "KEY", help: "for it: sent as a bearer token"),
            .init(name: "--speed-test", help: "how fast the twin is here; all else is left out"),
        ],
        example: "plimsoll simulate -f examples/budget.yaml --trace poisson:rate=5 --for 60s",
        notes: """
            A fault script's lines: \(FaultScript.grammar)
            Exit 1 when an invariant broke, and when a policy that is run alone breaks the budget in
            any of its runs; a comparison of several may well contain runs that break it.
            """)

    static func run(_ arguments: Arguments) throws -> Int32 {
        if arguments.has("--speed-test") { return try Self.speedTest() }
        let output = try Self.output(arguments)
        let policies = try Self.policies(arguments)
        var scenario = try Self.scenario(arguments)
        var load = try Self.load(arguments, in: scenario)
        let seed = UInt64(try arguments.number("--seed", in: 0...Int(Int32.max)) ?? 1)
        var survey = try Self.survey(load, scenario, seed: seed)
        try Self.requireRequests(survey)
        var pairBudget: PairBudget?
        if arguments.has("--pair-budget") {
            pairBudget = try Self.makeBudget(&scenario, survey)
            survey = try Self.survey(load, scenario, seed: seed)
        }
        try Self.requireFeasible(survey, profile: scenario.pools[scenario.model.raw].name)
        if let warning = survey.unknown.warning { Console.note("plimsoll simulate: \(warning)") }
        let threads = try arguments.number("--threads", in: 1...256) ?? Machine.cores
        var offered = try Self.scale(
            &load, arguments, Basis(scenario, survey, policies, seed: seed, threads: threads))
        offered.pairBudget = pairBudget
        scenario.capacityWork = offered.capacity?.workPerSecond
        scenario.offeringNanos = load.offeringNanos
        try Self.requireCounted(scenario, survey, offered)
        if arguments.has("--compare-live") {
            return try Self.compareLive(arguments, scenario, load, policies, seed: seed)
        }
        let runs = try Self.runs(arguments, policies, scenario, load, seed, threads)
        let result = SimulationResult(load: offered, runs: runs)
        switch output {
        case .json: Console.out(try JSON.text(result))
        case .table: Console.write(result.table(), to: STDOUT_FILENO)
        case .html: Console.write(try Self.page(result), to: STDOUT_FILENO)
        }
        return Self.exitCode(runs, isComparison: policies.count > 1)
    }

    /// Of one policy the question is whether it keeps the budget; of several, which is better.
    private static func exitCode(_ runs: [RunReport], isComparison: Bool) -> Int32 {
        let isSound = runs.allSatisfy { $0.outcome.faults.isEmpty }
        let isHeld = runs.allSatisfy { $0.outcome.report.verdict?.isHeld ?? true }
        return isSound && (isHeld || isComparison) ? ExitCode.fine : ExitCode.no
    }

    /// Every policy under every seed, in that order whatever ends first.
    private static func runs(
        _ arguments: Arguments, _ policies: [PolicyUnderTest], _ scenario: Scenario,
        _ load: SimulatedLoad, _ firstSeed: UInt64, _ threads: Int
    ) throws -> [RunReport] {
        let seeds = try arguments.number("--runs", in: 1...10_000) ?? 1
        let scalers = try Self.scalers(arguments)
        let clusters = try scalers.map { scaler in
            try scaler.map { try Self.cluster($0, arguments, scenario) }
        }
        let decisions = try Self.decisions(
            arguments, clusters, runs: policies.count * clusters.count * seeds)
        let interval = try arguments.duration("--scrape")
        guard interval ?? .max >= 1_000_000 else { throw UsageError("--scrape is at least 1ms") }
        let reports = try Blocking.wait {
            try await RunBatch.results(
                of: policies.count * scalers.count * seeds, atOnce: threads
            ) {
                (index) throws(TraceFault) in
                let policy = policies[index / seeds / scalers.count]
                let place = index / seeds % scalers.count
                var world = scenario
                world.seed = firstSeed + UInt64(index % seeds)
                world.cluster = clusters[place]
                world.cluster?.recorder = decisions?.recorder
                if case .model(.oracle, _) = scalers[place] {
                    let future = try world.work(in: load.open(seed: world.seed))
                    world.cluster?.future = future
                }
                world.monitor.scrapeNanos = interval ?? policy.scrapeNanos
                return RunReport(
                    policy, scaler: scalers[place], seed: world.seed,
                    outcome: try policy.run(world, arrivals: try load.open(seed: world.seed)))
            }
        }
        try decisions?.close()
        return reports
    }
}
