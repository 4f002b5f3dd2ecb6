import Budget

extension Field {
    /// Reads `rollout`.
    func rollout() -> RolloutSpec? {
        guard var fields = Fields(self) else { return nil }
        let canary = fields.optional("canary")?.canary()
        let shadow = fields.optional("shadow")?.shadow()
        fields.close()
        return RolloutSpec(canary: canary, shadow: shadow)
    }

    private func canary() -> CanarySpec? {
        guard var fields = Fields(self) else { return nil }
        let steps = fields.required("steps", "shares such as [1%, 10%, 50%]")?.canarySteps()
        let maxRegression = fields.optional("maxRegression")?.regressions() ?? []
        let confidence = fields.optional("confidence")?.share(in: Ranges.confidence)
        fields.close()
        return steps.map {
            CanarySpec(steps: $0, maxRegression: maxRegression, confidence: confidence ?? 0.95)
        }
    }

    private func canarySteps() -> [Double]? {
        guard let items = self.items(max: 32) else { return nil }
        if items.isEmpty {
            self.fault("\(self.path) is empty: write shares such as [1%, 10%, 50%]")
        }
        var last = 0.0
        return items.compactMap { item in
            guard let share = item.share(in: Ranges.positiveShare) else { return nil }
            if share <= last {
                item.fault("\(item.path) is not above the step before it")
            }
            last = share
            return share
        }
    }

    private func regressions() -> [Regression] {
        let figures = Self.regressionFigures
        return (self.entries() ?? []).compactMap { entry in
            guard let figure = figures.first(where: { $0.name == entry.key })?.figure else {
                let names = figures.map(\.name)
                self.faults.add(
                    entry.keyPosition,
                    "unknown figure \"\(quoted(entry.key))\" in \(self.path): valid are errorRate "
                        + "and a latency with a quantile such as timeToFirstToken.p95",
                    suggestion: NearestSpelling.of(entry.key, among: names))
                return nil
            }
            return entry.share().map { Regression(figure: figure, share: $0) }
        }
    }

    private static let regressionFigures: [(name: String, figure: RegressionFigure)] = {
        var figures: [(name: String, figure: RegressionFigure)] = [("errorRate", .errorRate)]
        for latency in Latency.allCases {
            for quantile in Quantile.allCases {
                figures.append(("\(latency.name).\(quantile.name)", .latency(latency, quantile)))
            }
        }
        return figures
    }()

    private func shadow() -> ShadowSpec? {
        guard var fields = Fields(self) else { return nil }
        let share = fields.required("share", WrittenShare.form)?.share(in: Ranges.positiveShare)
        let compare = fields.optional("compare")?.items(max: 16)?.compactMap {
            $0.choice(of: ShadowFigure.self)
        }
        fields.close()
        return share.map { ShadowSpec(share: $0, compare: compare ?? ShadowFigure.allCases) }
    }
}
