package import Budget
package import Report

extension ReportBudget {
    /// What a model's written budget promises, class by class, as a report judges it.
    ///
    /// A class with only a deadline is judged by it: that is its one bound, and as many requests
    /// may miss it as may fail.
    package init(_ model: ModelSpec) {
        let errorRate = model.budget.errorRate.map(Self.perMillion)
        self.init(
            objectives: Self.objectives(model.budget.objectives),
            classes: model.classes.map { spec in
                var objectives = Self.objectives(model.objectives(of: spec))
                if objectives.isEmpty, let deadline = spec.deadlineNanos {
                    objectives = [
                        Objective(
                            stage: .ttft, quantilePerMillion: 1_000_000 - (errorRate ?? 0),
                            boundNanos: deadline)
                    ]
                }
                return ServiceClass(name: spec.name, objectives: objectives)
            },
            errorRatePerMillion: errorRate,
            refusalRatePerMillion: model.budget.refusalRate.map(Self.perMillion))
    }

    private static func objectives(_ written: Objectives) -> [Objective] {
        let stages: [(Stage, Latency)] = [
            (.ttft, .timeToFirstToken), (.itl, .interTokenLatency), (.e2e, .endToEnd),
        ]
        return stages.flatMap { stage, latency in
            (written[latency]?.bounds ?? []).map { bound in
                Objective(
                    stage: stage, quantilePerMillion: UInt64(bound.quantile.rawValue) * 1_000,
                    boundNanos: bound.nanos)
            }
        }
    }

    private static func perMillion(_ share: Double) -> UInt64 {
        UInt64((min(max(share, 0), 1) * 1_000_000).rounded())
    }
}
