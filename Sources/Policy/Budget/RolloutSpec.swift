/// How a new revision of a model is let in.
package struct RolloutSpec: Sendable, Equatable {
    package var canary: CanarySpec?
    package var shadow: ShadowSpec?

    package init(canary: CanarySpec? = nil, shadow: ShadowSpec? = nil) {
        self.canary = canary
        self.shadow = shadow
    }
}

/// A rollout by rising shares of traffic.
package struct CanarySpec: Sendable, Equatable {
    /// Shares of traffic, strictly rising, above 0 and at most 1; never empty.
    package var steps: [Double]
    /// What may get worse, and by how much.
    package var maxRegression: [Regression]
    /// Confidence of a verdict, 0.5 to below 1.
    package var confidence: Double

    package init(steps: [Double], maxRegression: [Regression] = [], confidence: Double = 0.95) {
        self.steps = steps
        self.maxRegression = maxRegression
        self.confidence = confidence
    }
}

/// One figure of a canary and the regression allowed to it.
package struct Regression: Sendable, Equatable {
    package var figure: RegressionFigure
    /// Relative for a latency (0.1: ten percent slower), in points for a rate (0.002).
    package var share: Double

    package init(figure: RegressionFigure, share: Double) {
        self.figure = figure
        self.share = share
    }
}

/// A figure two revisions are compared by.
package enum RegressionFigure: Hashable, Sendable {
    case latency(Latency, Quantile)
    case errorRate
}

/// A copy of traffic that no client sees the answers of.
package struct ShadowSpec: Sendable, Equatable {
    /// Share of traffic copied, above 0 and at most 1.
    package var share: Double
    package var compare: [ShadowFigure]

    package init(share: Double, compare: [ShadowFigure] = ShadowFigure.allCases) {
        self.share = share
        self.compare = compare
    }
}

/// What a shadow's answers are compared by.
package enum ShadowFigure: String, CaseIterable, Sendable {
    case latency
    case finishReason
    case tokens
}
