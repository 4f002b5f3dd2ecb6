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
        usage: "-f FILE|DIR --trace TRACE [options]",
        options: [
            .init(name: "-f", value: "FILE|DIR", help: "the budget", repeats: true),
            .init(
                name: "--trace", value: "TRACE",
                help: "azure:FILE, mooncake:FILE, csv:FILE (gzip too), or drawn: poisson:rate=5"),
            .init(name: "--speed", value: "X", help: "time of the trace runs X times as fast (1)"),
            .init(name: "--for", value: "TIME", help: "stop offering then (the whole trace)"),
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
                name: "--profile", value: "NAME",
                help: EngineProfile.all.map(\.name).joined(separator: ", ")),
            .init(name: "--faults", value: "FILE", help: "what goes wrong, a fault a line"),
            .init(name: "--retry", value: "off|honour|ignore", help: "after a refusal (off)"),
            .init(name: "--patience", value: "TIME", help: "clients leave without a first token"),
            .init(name: "--scrape", value: "TIME", help: "between scrapes (1s; baselines 50ms)"),
            .init(name: "--seed", value: "N", help: "of the first run (1)"),
            .init(name: "--runs", value: "K", help: "runs of each policy, a seed each (1)"),
            .init(name: "--output", value: "table|json", help: "how the result is printed"),
        ],
        example: "plimsoll simulate -f examples/budget.yaml --trace poisson:rate=5 --for 60s",
        notes: "A fault script's lines: \(FaultScript.grammar)")

    private struct Result: Encodable {
        var schema = Report.schema
        var runs: [RunReport]
    }

    static func run(_ arguments: Arguments) throws -> Int32 {
        let wantsJSON = try arguments.wantsJSON(others: ["table"])
        let policies = try Self.policies(arguments)
        let source = try Self.source(arguments)
        var scenario = try Self.scenario(arguments)
        let firstSeed = UInt64(try arguments.number("--seed", in: 0...Int(Int32.max)) ?? 1)
        let runs = UInt64(try arguments.number("--runs", in: 1...10_000) ?? 1)
        let interval = try arguments.duration("--scrape")
        var reports: [RunReport] = []
        for policy in policies {
            for seed in firstSeed..<(firstSeed + runs) {
                scenario.seed = seed
                scenario.monitor.scrapeNanos =
                    interval ?? (policy == .plimsoll ? 1_000_000_000 : 50_000_000)
                let outcome: RunOutcome
                do throws(TraceFault) {
                    outcome = try policy.run(scenario, arrivals: try source.open(seed: seed))
                } catch {
                    throw UsageError("--trace: \(error)")
                }
                reports.append(
                    RunReport(
                        policy: policy.policyName, choice: policy.choiceName, seed: seed,
                        outcome: outcome))
            }
        }
        if wantsJSON {
            Console.out(try JSON.text(Result(runs: reports)))
        } else {
            for report in reports {
                Console.out("\(report.policy), choice \(report.choice), seed \(report.seed)")
                Console.out(report.outcome.report.table())
            }
        }
        return reports.allSatisfy { $0.outcome.faults.isEmpty } ? ExitCode.fine : ExitCode.no
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
