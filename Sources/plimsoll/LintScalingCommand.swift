import Budget
import Config
import ScalingLint

/// `plimsoll lint-scaling`: settings of autoscalers that cannot hold a budget, given the lead time.
enum LintScalingCommand: Command {
    static let synopsis = Synopsis(
        name: "lint-scaling", summary: "find autoscaler settings that cannot hold a budget",
        usage: "FILE|DIR... [-f BUDGET] [options]", words: ["FILE|DIR..."],
        options: [
            .init(
                name: "-f", value: "FILE|DIR",
                help: "the budget: its pools' lead times, its objectives", repeats: true),
            .init(
                name: "--lead-time", value: "TIME[:TIME]",
                help: "a replica's start, and at worst (480s:780s)"),
            .init(name: "--output", value: "text|json", help: "how the result is printed"),
        ],
        example: "plimsoll lint-scaling deploy/ -f budget.yaml --lead-time 300s",
        notes: """
            Reads HorizontalPodAutoscaler, KEDA's ScaledObject, Knative's Service, PodAutoscaler
            and ConfigMaps, Karpenter's NodePool, and the Deployments and StatefulSets they scale;
            passes over every other kind. docs/lint-scaling.md explains each rule.
            Exit 0 without findings, 1 with some, 2 when a file cannot be read.
            """)

    static func run(_ arguments: Arguments) throws -> Int32 {
        guard !arguments.words.isEmpty else {
            throw UsageError("name a file or a folder: plimsoll lint-scaling FILE|DIR")
        }
        let wantsJSON = try arguments.wantsJSON()
        let report = try Self.report(arguments)
        if wantsJSON {
            Console.out(try JSON.text(report))
        } else {
            for line in report.lines { Console.out(line) }
        }
        return report.exitCode
    }

    private static func report(_ arguments: Arguments) throws -> LintReport {
        let leadTime = try Self.leadTime(arguments)
        let budgets = arguments.all("-f")
        guard !budgets.isEmpty else {
            return Lint.run(paths: arguments.words, leadTime: leadTime)
        }
        switch Configuration.load(paths: budgets) {
        case .refused(let faults):
            return LintReport(faults: faults)
        case .accepted(let configuration, _):
            return Lint.run(
                paths: arguments.words, configuration: configuration, leadTime: leadTime)
        }
    }

    /// `300s`, or `300s:600s`: half of the starts and nearly all take at most so long.
    private static func leadTime(_ arguments: Arguments) throws(UsageError) -> LeadTime? {
        guard let text = arguments.text("--lead-time") else { return nil }
        let times = text.split(separator: ":", omittingEmptySubsequences: false).map {
            WrittenTime.nanos(String($0)).flatMap { nanos -> Int? in
                let seconds = Int(clamping: nanos / 1_000_000_000)
                return (1...86_400).contains(seconds) ? seconds : nil
            }
        }
        guard (1...2).contains(times.count), let typical = times[0],
            let slow = times[times.count - 1]
        else {
            throw UsageError(
                "--lead-time '\(text)' is no time from 1s to 24h, such as 300s, nor two of them")
        }
        guard slow >= typical else {
            throw UsageError("--lead-time '\(text)': at worst it is shorter than usually")
        }
        return LeadTime(whole: LeadTime.Span(typical: typical, slow: slow))
    }
}
