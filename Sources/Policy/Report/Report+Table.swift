extension Report {
    /// The report as text for a terminal: plain ASCII, at most 100 columns, goodput first.
    package func table() -> String {
        var lines = [title, ""]
        lines += countLines
        lines.append("")
        lines += latencyLines
        let judged = objectiveLines
        if !judged.isEmpty { lines += [""] + judged }
        if !note.isEmpty { lines += [""] + TextTable.wrapped("note: " + note, indent: 2) }
        if let verdict, !verdict.isHeld {
            lines += ["", "  BROKEN because"]
            for reason in verdict.reasons {
                lines += TextTable.wrapped("- " + reason, indent: 4)
            }
        }
        return lines.map { $0 + "\n" }.joined()
    }

    private var title: String {
        let seconds = Wording.fixed(Double(durationNanos) / 1e9, 1)
        let result = verdict.map { $0.word } ?? "no budget to judge by"
        return "Budget report, \(source.rawValue), \(seconds) s: \(result)"
    }

    private var countLines: [String] {
        let offered = figures.offered
        let seconds = Double(durationNanos) / 1e9
        let rate = seconds > 0 ? Wording.fixed(Double(offered) / seconds, 1) + "/s" : ""
        let work = figures.goodput.work
        var table = TextTable(rightAligned: [1, 2])
        func row(_ name: String, _ count: UInt64, _ share: String, _ rest: String) {
            table.add([name, Wording.grouped(count), share, rest])
        }
        func percent(_ count: UInt64) -> String { Wording.percent(count, of: offered) }
        row(
            "goodput", figures.good, percent(figures.good),
            "in work \(Wording.percent(work.tokens, of: work.offered)) of "
                + "\(Wording.grouped(work.offered)) tokens")
        row("offered", offered, "", rate)
        row("completed", figures.completed, percent(figures.completed), "")
        row("degraded", figures.degraded, percent(figures.degraded), "")
        row("refused", figures.refused.total, percent(figures.refused.total), figures.refused.why)
        row("failed", figures.failed.total, percent(figures.failed.total), figures.failed.why)
        row(
            "abandoned", figures.abandoned.total, percent(figures.abandoned.total),
            figures.abandoned.why)
        row("wasted", figures.wastedTokens, "", "tokens computed for requests that were not good")
        if tenants > 1 {
            table.add([
                "fairness", Wording.fixed(fairness, 3), "",
                "Jain's index over \(tenants) tenants",
            ])
        }
        if retryAmplification > 1 {
            table.add([
                "retries", Wording.fixed(retryAmplification, 2), "", "attempts per request",
            ])
        }
        return table.lines(indent: 2)
    }

    private var latencyLines: [String] {
        var table = TextTable(rightAligned: [1, 2, 3, 4, 5])
        table.add(["milliseconds", "p50", "p95", "p99", "p99.9", "requests"])
        for (name, quantiles) in [
            ("TTFT", figures.ttft), ("ITL", figures.itl), ("E2E", figures.e2e),
        ] {
            let values = [quantiles.p50, quantiles.p95, quantiles.p99, quantiles.p999]
            table.add(
                [name] + values.map { $0.map { Wording.fixed($0, 1) } ?? "-" }
                    + [Wording.grouped(quantiles.count)])
        }
        return table.lines(indent: 2)
    }

    private var objectiveLines: [String] {
        var table = TextTable(rightAligned: [2, 3, 4])
        table.add(["class", "objective", "bound", "inside", "requests", ""])
        var isEmpty = true
        for one in classes {
            for objective in one.objectives {
                let stage = ReportBudget.Stage(rawValue: objective.stage)?.title ?? ""
                table.add([
                    one.name, "\(stage) \(Wording.quantile(objective.quantile))",
                    Wording.duration(millis: objective.boundMillis),
                    Wording.percent(objective.inside, of: objective.total),
                    Wording.grouped(objective.total),
                    objective.met ? (one.figures.offered == 0 ? "idle" : "met") : "NOT MET",
                ])
                isEmpty = false
            }
        }
        return isEmpty ? [] : table.lines(indent: 2)
    }
}

extension Report.Ended {
    /// Reasons, most frequent first, and moments in brackets: `infeasible 40, queue_full 2
    /// (arrival 42)`.
    fileprivate var why: String {
        let reasons = byReason.entries.sorted { ($1.count, $0.name) < ($0.count, $1.name) }
            .map { "\($0.name) \(Wording.grouped($0.count))" }
        let moments = byWhen.entries.map { "\($0.name) \(Wording.grouped($0.count))" }
        let place = moments.isEmpty ? "" : "(\(moments.joined(separator: ", ")))"
        return [reasons.joined(separator: ", "), place].filter { !$0.isEmpty }
            .joined(separator: " ")
    }
}
