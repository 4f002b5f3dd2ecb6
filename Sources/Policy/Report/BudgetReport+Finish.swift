import Statistics

extension BudgetReport {
    /// The report of everything counted so far; more may be added afterwards.
    ///
    /// - Parameters:
    ///   - source: live or simulated.
    ///   - durationNanos: how long a time the outcomes cover, in nanoseconds.
    ///   - note: shown with the figures; a simulation states its error bound here.
    package func report(
        source: Report.Source, durationNanos: UInt64, note: String = ""
    ) -> Report {
        let everything = everything
        let classReports = classes.map { one in
            Report.ServiceClass(
                name: one.name, figures: Self.figures(of: one.tally),
                objectives: one.objectives.indices.map { Self.objective($0, of: one) })
        }
        return Report(
            source: source, durationNanos: durationNanos, note: note,
            verdict: budget.map { Self.verdict($0, everything, classReports) },
            figures: Self.figures(of: everything), classes: classReports,
            retryAmplification: everything.offered == 0
                ? 1 : Double(everything.attempts) / Double(everything.offered),
            fairness: jainIndex(workByTenant.entries.map { Double($0.count) }),
            tenants: workByTenant.entries.count)
    }

    private static func figures(of tally: Tally) -> Report.Figures {
        Report.Figures(
            goodput: Report.Goodput(
                count: tally.good, share: share(tally.good, tally.offered),
                work: Report.Work(
                    tokens: tally.goodWork, offered: tally.offeredWork,
                    share: share(tally.goodWork, tally.offeredWork))),
            offered: tally.offered, completed: tally.completed, good: tally.good,
            refused: ended(tally.refused, tally.refusedByReason, tally.refusedByMoment),
            failed: ended(tally.failed, tally.failedByReason, tally.failedByMoment),
            degraded: tally.degraded,
            abandoned: ended(
                tally.abandoned, NamedCounts(namesMax: 0), tally.abandonedByMoment),
            computedTokens: tally.computedTokens, wastedTokens: tally.wastedTokens,
            ttft: quantiles(of: tally.ttft), itl: quantiles(of: tally.itl),
            e2e: quantiles(of: tally.e2e))
    }

    /// Met when inside / total is at least the quantile, in whole numbers. With nothing to judge it
    /// is met when nothing was offered or answers have no such figure, and not when none completed.
    private static func objective(_ position: Int, of one: ClassTally) -> Report.Objective {
        let objective = one.objectives[position]
        let counted = one.inside[position]
        let isMet =
            counted.total > 0
            ? reaches(counted.inside, of: counted.total, perMillion: objective.quantilePerMillion)
            : one.tally.offered == 0 || one.tally.completed > 0
        return Report.Objective(
            stage: objective.stage.rawValue,
            quantile: Double(objective.quantilePerMillion) / 1e6,
            boundMillis: millis(objective.boundNanos), inside: counted.inside,
            total: counted.total,
            share: counted.total == 0 ? nil : share(counted.inside, counted.total), met: isMet)
    }

    private static func verdict(
        _ budget: ReportBudget, _ everything: Tally, _ classes: [Report.ServiceClass]
    ) -> Report.Verdict {
        var reasons: [String] = []
        if everything.offered == 0 {
            reasons.append("nothing was offered, so nothing was shown")
        }
        for one in classes {
            for objective in one.objectives where !objective.met {
                reasons.append(Wording.broken(objective, in: one.name))
            }
        }
        let admitted = everything.offered - everything.refused
        if let limit = budget.errorRatePerMillion,
            exceeds(everything.failed, of: admitted, perMillion: limit)
        {
            reasons.append(
                Wording.exceeded("failed", everything.failed, of: admitted, limit: limit))
        }
        if let limit = budget.refusalRatePerMillion,
            exceeds(everything.refused, of: everything.offered, perMillion: limit)
        {
            reasons.append(
                Wording.exceeded(
                    "were refused", everything.refused, of: everything.offered, limit: limit))
        }
        return Report.Verdict(isHeld: reasons.isEmpty, reasons: reasons)
    }

    private static func ended(
        _ total: UInt64, _ reasons: NamedCounts, _ moments: NamedCounts
    ) -> Report.Ended {
        // Moments stand in the order of a request's life, not of the alphabet.
        let byWhen = RequestOutcome.Moment.allCases.compactMap { moment in
            moments.entries.first { $0.name == moment.rawValue }
        }
        return Report.Ended(
            total: total, byReason: reasons.ordered, byWhen: counts(byWhen))
    }

    private static func counts(_ entries: [NamedCounts.Entry]) -> OrderedCounts {
        OrderedCounts(
            entries: entries.map { OrderedCounts.Entry(name: $0.name, count: $0.count) })
    }

    private static func quantiles(of histogram: Histogram) -> Report.Quantiles {
        func at(_ share: Double) -> Double? {
            histogram.count == 0 ? nil : millis(histogram.quantile(share))
        }
        return Report.Quantiles(
            count: histogram.count, p50: at(0.5), p95: at(0.95), p99: at(0.99), p999: at(0.999))
    }

    private static func millis(_ nanos: UInt64) -> Double {
        (Double(nanos) / 1_000).rounded() / 1_000
    }

    private static func share(_ part: UInt64, _ whole: UInt64) -> Double {
        whole == 0 ? 0 : Double(part) / Double(whole)
    }

    private static func reaches(_ part: UInt64, of whole: UInt64, perMillion: UInt64) -> Bool {
        let have = part.multipliedFullWidth(by: 1_000_000)
        let need = whole.multipliedFullWidth(by: perMillion)
        return (have.high, have.low) >= (need.high, need.low)
    }

    private static func exceeds(_ part: UInt64, of whole: UInt64, perMillion: UInt64) -> Bool {
        let have = part.multipliedFullWidth(by: 1_000_000)
        let limit = whole.multipliedFullWidth(by: perMillion)
        return (have.high, have.low) > (limit.high, limit.low)
    }
}
