import Baselines
import Budget
import EngineModel
import Glibc
import Planning
import Replay
import Report
import RequestPath
import Workload
import World

/// `plimsoll simulate`: runs a budget's policy, or the field's, against a workload in virtual time.
enum SimulateCommand: Command {
    static let synopsis = Synopsis(
        name: "simulate", summary: "try a budget on modelled engines, in virtual time",
        usage: "-f FILE|DIR --trace TRACE [options]\n       plimsoll simulate --speed-test",
        options: [
            .init(name: "-f", value: "FILE|DIR", help: "the budget", repeats: true),
            .init(
                name: "--trace", value: "TRACE",
                help: "azure:FILE, mooncake:FILE, csv:FILE (gzip too), or drawn: poisson:rate=5"),
            .init(name: "--speed", value: "X", help: "time of the trace runs X times as fast (1)"),
            .init(name: "--for", value: "TIME", help: "stop offering then (the whole trace)"),
            .init(
                name: "--load-factor", value: "X",
                help: "offer X times the capacity of this pair, which is searched first"),
            .init(name: "--rate", value: "R", help: "offer R requests a second, re-spaced"),
            .init(name: "--model", value: "NAME", help: "the model asked for (the first)"),
            .init(
                name: "--policy", value: "A,B",
                help: "plimsoll, "
                    + BaselineGate.allCases.map(\.rawValue).joined(separator: ", ")),
            .init(
                name: "--choice", value: "A,B",
                help: "of the field's policies: "
                    + BaselineChoice.allCases.map(\.rawValue).joined(separator: ", ")),
            .init(name: "--replicas", value: "N", help: "engines of each model (1)"),
            .init(
                name: "--profile", value: "NAME|FILE", help: ProfileOption.help),
            .init(name: "--faults", value: "FILE", help: "what goes wrong, a fault a line"),
            .init(name: "--retry", value: "off|honour|ignore", help: "after a refusal (off)"),
            .init(name: "--warm-up", value: "TIME", help: "served first and not counted (0s)"),
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
        notes: "A fault script's lines: \(FaultScript.grammar)")

    static func run(_ arguments: Arguments) throws -> Int32 {
        if arguments.has("--speed-test") { return try Self.speedTest() }
        let output = try Self.output(arguments)
        let policies = try Self.policies(arguments)
        let scenario = try Self.scenario(arguments)
        var load = try Self.load(arguments, in: scenario)
        let seed = UInt64(try arguments.number("--seed", in: 0...Int(Int32.max)) ?? 1)
        let survey = try Self.survey(load, scenario, seed: seed)
        try Self.requireFeasible(
            survey, profile: arguments.text("--profile") ?? EngineProfile.llama31With8B.name)
        let threads = try arguments.number("--threads", in: 1...256) ?? Machine.cores
        let offered = try Self.scale(
            &load, arguments, Basis(scenario, survey, policies, seed: seed, threads: threads))
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
        return runs.allSatisfy { $0.outcome.faults.isEmpty } ? ExitCode.fine : ExitCode.no
    }

    /// Every policy under every seed, in that order whatever ends first.
    private static func runs(
        _ arguments: Arguments, _ policies: [PolicyUnderTest], _ scenario: Scenario,
        _ load: SimulatedLoad, _ firstSeed: UInt64, _ threads: Int
    ) throws -> [RunReport] {
        let seeds = try arguments.number("--runs", in: 1...10_000) ?? 1
        let interval = try arguments.duration("--scrape")
        guard interval ?? .max >= 1_000_000 else { throw UsageError("--scrape is at least 1ms") }
        return try Blocking.wait {
            try await RunBatch.results(of: policies.count * seeds, atOnce: threads) {
                (index) throws(TraceFault) in
                let policy = policies[index / seeds]
                var world = scenario
                world.seed = firstSeed + UInt64(index % seeds)
                world.monitor.scrapeNanos = interval ?? policy.scrapeNanos
                return RunReport(
                    policy: policy.policyName, choice: policy.choiceName, seed: world.seed,
                    outcome: try policy.run(world, arrivals: try load.open(seed: world.seed)))
            }
        }
    }

    private static func policies(_ arguments: Arguments) throws(UsageError) -> [PolicyUnderTest] {
        func words(_ option: String, _ fallback: String) -> [String] {
            (arguments.text(option) ?? fallback).split(separator: ",").map(String.init)
        }
        var choices: [BaselineChoice] = []
        for word in words("--choice", BaselineChoice.leastLoad.rawValue) where word != "ledger" {
            guard let choice = BaselineChoice(rawValue: word) else {
                let names = BaselineChoice.allCases.map(\.rawValue).joined(separator: ", ")
                throw UsageError("--choice '\(word)' is none of ledger, \(names)")
            }
            choices.append(choice)
        }
        var policies: [PolicyUnderTest] = []
        for word in words("--policy", "plimsoll") {
            if word == "plimsoll" {
                policies.append(.plimsoll)
            } else if let gate = BaselineGate(rawValue: word) {
                policies += choices.map { .baseline(gate, $0) }
            } else {
                let names = BaselineGate.allCases.map(\.rawValue).joined(separator: ", ")
                throw UsageError("--policy '\(word)' is none of plimsoll, \(names)")
            }
        }
        guard !policies.isEmpty else { throw UsageError("--policy and --choice leave no policy") }
        return policies
    }
}
