import Baselines
package import Report

/// What runs were offered.
package struct OfferedLoad: Sendable, Encodable {
    /// Requests of the load, as the first seed draws it.
    package var requests: UInt64
    /// Expected requests a second, in the time of the runs; nil for a load of one moment.
    package var requestsPerSecond: Double?
    /// Of the capacity, where it was asked for.
    package var factor: Double?
    /// What the pair can do, where it was searched.
    package var capacity: Capacity?
    /// TTFT of the workload with an idle engine for each request.
    package var unloaded: Report.Quantiles
    /// The budget that was made for the pair, where it was asked for.
    package var pairBudget: PairBudget?
    /// Names of classes and tenants that the budget does not know; nil when it knows all.
    package var unknown: UnknownNames?

    /// The load of a survey, at its own rate.
    package init(_ survey: WorkloadSurvey) {
        requests = survey.requests
        requestsPerSecond = survey.meanRate
        unloaded = survey.unloaded.first?.figures.ttft ?? .none
        unknown = survey.unknown.isEmpty ? nil : survey.unknown
    }

    private enum CodingKeys: String, CodingKey {
        case requests, capacity, unknown
        case pairBudget = "pair_budget"
        case requestsPerSecond = "requests_per_s"
        case factor = "load_factor"
        case unloaded = "unloaded_ttft_ms"
    }
}

/// Everything `plimsoll simulate` found: the load, and the runs in the order asked for.
package struct SimulationResult: Sendable, Encodable {
    /// The schema of the whole and of each run.
    package let schema = Report.schema
    package let load: OfferedLoad
    package let runs: [RunReport]

    /// Joins load and runs.
    package init(load: OfferedLoad, runs: [RunReport]) {
        self.load = load
        self.runs = runs
    }

    /// For a terminal: the load, one table that compares the policies (medians over their seeds),
    /// the whole report of a run that is alone, and every invariant that broke.
    package func table() -> String {
        var lines = loadLines + [""] + comparison(SimulationResult.seen) + [""]
        lines += comparison(SimulationResult.spent)
        if runs.contains(where: { $0.outcome.bound != nil }) {
            lines += [""] + comparison(SimulationResult.done)
        }
        if let only = runs.first, runs.count == 1 {
            lines +=
                [""]
                + only.outcome.report.table().split(
                    separator: "\n", omittingEmptySubsequences: false
                ).dropLast().map(String.init)
        } else if let note = runs.first?.outcome.report.note {
            lines += [""] + TextTable.wrapped("note: " + note, indent: 0)
        }
        for run in runs {
            for fault in run.outcome.faults {
                lines += TextTable.wrapped(
                    "BROKEN INVARIANT: \(run.policy), \(run.choice), seed \(run.seed): \(fault)",
                    indent: 0)
            }
        }
        return lines.map { $0 + "\n" }.joined()
    }

    private var loadLines: [String] {
        var text = "offered \(Wording.grouped(load.requests)) request"
        text += load.requests == 1 ? "" : "s"
        text += load.requestsPerSecond.map { ", \(Wording.fixed($0, 2)) a second" } ?? " at once"
        if let capacity = load.capacity, let factor = load.factor {
            text += ", \(Wording.fixed(factor, 2)) times the capacity of "
            text += "\(Wording.fixed(capacity.requestsPerSecond, 2)) requests/s (the most at which "
            text += "\(Wording.fixed(capacity.shareRequired * 100, 0)) % are good, Poisson, the "
            text += "same lengths; found with \(capacity.policy), \(capacity.choice), "
            text +=
                capacity.setting == BaselineSetting.published.label ? "" : capacity.setting + ", "
            text += "\(Wording.grouped(capacity.probeRequests)) requests a probe, "
            text += "\(Wording.grouped(UInt64(capacity.stepTokens))) tokens a step)"
        }
        if let p99 = load.unloaded.p99 {
            text += "; TTFT p99 on idle engines \(Wording.duration(millis: p99))"
        }
        if let left = runs.first?.outcome.tooLong, left > 0 {
            text += "; \(Wording.grouped(left)) requests exceed the context and were left out"
        }
        var lines = TextTable.wrapped(text, indent: 0)
        if let budget = load.pairBudget {
            func time(_ nanos: UInt64) -> String { Wording.duration(millis: Double(nanos) / 1e6) }
            lines += TextTable.wrapped(
                "budget of the pair: TTFT p99 \(time(budget.ttftNanos)), deadline "
                    + "\(time(budget.deadlineNanos)), ITL p99 \(time(budget.itlNanos)) (half a "
                    + "batch: \(budget.halfBatch) sequences)", indent: 0)
        }
        return lines
    }
}

/// The columns of the comparison.
extension SimulationResult {
    struct Column {
        var title: String
        var decimals: Int
        var value: (RunOutcome) -> Double?
    }

    /// What clients saw.
    static var seen: [Column] {
        [
            Column(title: "good %", decimals: 1) { $0.report.figures.goodput.share * 100 },
            Column(title: "in work", decimals: 1) { $0.goodputInWork.share * 100 },
            Column(title: "refused", decimals: 1) { outcome in
                let figures = outcome.report.figures
                return Double(figures.refused.total) * 100 / Double(max(1, figures.offered))
            },
            Column(title: "TTFT p50", decimals: 0) { $0.report.figures.ttft.p50 },
            Column(title: "p99 ms", decimals: 0) { $0.report.figures.ttft.p99 },
            Column(title: "ITL p99", decimals: 1) { $0.report.figures.itl.p99 },
            Column(title: "E2E p99 s", decimals: 1) {
                $0.report.figures.e2e.p99.map { $0 / 1_000 }
            },
        ]
    }

    /// Work of good requests beside what any policy could have done.
    static var done: [Column] {
        [
            Column(title: "good work %", decimals: 1) { $0.goodputInWork.share * 100 },
            Column(title: "engines", decimals: 2) { $0.goodputInWork.perSecond },
            Column(title: "bound %", decimals: 1) { $0.bound.map { $0.share * 100 } },
            Column(title: "engines", decimals: 2) { $0.bound?.perSecond },
            Column(title: "regret %", decimals: 1) { $0.regret.map { $0 * 100 } },
            Column(title: "full engines %", decimals: 1) { $0.engineBound.map { $0.share * 100 } },
        ]
    }

    /// What it cost, and how it was shared.
    static var spent: [Column] {
        [
            Column(title: "wasted %", decimals: 1) { $0.report.figures.wastedTokenShare * 100 },
            Column(title: "early %", decimals: 1) { $0.earlyRefusalShare.map { $0 * 100 } },
            Column(title: "overshoot", decimals: 0) { Double($0.engineQueueOvershoot) },
            Column(title: "idle s", decimals: 1) { $0.idleWhileWaitingSeconds },
            Column(title: "Jain", decimals: 3) { $0.report.fairness },
            Column(title: "tries", decimals: 2) { $0.report.retryAmplification },
            Column(title: "GPU h", decimals: 2) { $0.gpuSeconds / 3_600 },
            Column(title: "changes", decimals: 0) { $0.scaling.map { Double($0.changes) } },
            Column(title: "most", decimals: 0) { $0.scaling.map { Double($0.most) } },
            Column(title: "short s", decimals: 0) { $0.scaling?.shortSeconds },
            Column(title: "cost", decimals: 5) { $0.costPerGoodRequest },
        ]
    }

    /// A row a policy, or a row a setting under its policy; a column without a value in any run is
    /// left out.
    private func comparison(_ all: [Column]) -> [String] {
        let columns = all.filter { column in runs.contains { column.value($0.outcome) != nil } }
        let isSwept = runs.contains { $0.setting != BaselineSetting.published.label }
        let isScaled = runs.contains { $0.scaler != nil }
        let first = isSwept ? 1 : 2
        var table = TextTable(rightAligned: Set(first..<(first + columns.count)))
        let names = isSwept ? ["policy"] : ["policy", isScaled ? "scaler" : "choice"]
        table.add(names + columns.map(\.title))
        var heading = ""
        for group in groups {
            let name = "\(group[0].policy), \(group[0].choice)"
            if isSwept, name != heading {
                heading = name
                table.add([name] + columns.map { _ in "" })
            }
            table.add(
                Self.names(of: group[0], isSwept: isSwept)
                    + columns.map { column in
                        let values = group.compactMap { column.value($0.outcome) }
                        return Self.median(values).map { Self.figure($0, column.decimals) } ?? "-"
                    })
        }
        return table.lines(indent: 0)
    }

    private static func names(of run: RunReport, isSwept: Bool) -> [String] {
        isSwept ? ["  " + run.setting] : [run.policy, run.scaler?.label ?? run.choice]
    }

    /// A figure that may lie below zero.
    private static func figure(_ value: Double, _ decimals: Int) -> String {
        (value < 0 ? "-" : "") + Wording.fixed(abs(value), decimals)
    }

    /// Runs of one policy, choice and setting, in the order of the runs.
    private var groups: [[RunReport]] {
        var groups: [[RunReport]] = []
        for run in runs {
            if let last = groups.last?.first, last.policy == run.policy,
                last.choice == run.choice, last.setting == run.setting, last.scaler == run.scaler
            {
                groups[groups.count - 1].append(run)
            } else {
                groups.append([run])
            }
        }
        return groups
    }

    /// The middle value, or the mean of the two; nil without any.
    static func median(_ values: [Double]) -> Double? {
        guard !values.isEmpty else { return nil }
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
}
