package import Budget

/// What finished requests are judged by, compiled from the budgets in force; by model and class.
package struct MetricsPlan: Sendable {
    /// In the order of models, then of their classes.
    package private(set) var groups: [GroupPlan] = []
    /// First group of each model.
    private var starts: [Int] = []

    package init() {}

    package init(_ config: GatewayConfig) {
        for (model, entry) in config.models.enumerated() {
            self.starts.append(self.groups.count)
            for (index, written) in entry.spec.classes.enumerated() {
                self.groups.append(
                    GroupPlan(entry.spec, written, model: model, classIndex: index))
            }
        }
    }

    /// Place of a group; `nil` for a class that a reload has taken away.
    func index(model: Int, classIndex: Int) -> Int? {
        guard model < self.starts.count else { return nil }
        let end = model + 1 < self.starts.count ? self.starts[model + 1] : self.groups.count
        let index = self.starts[model] + classIndex
        return index < end ? index : nil
    }
}

/// What one class of one model is judged by.
package struct GroupPlan: Sendable, Equatable {
    /// One written objective: this share of requests within this time.
    package struct Objective: Sendable, Equatable {
        package var latency: Latency
        package var quantile: Quantile
        package var boundNanos: UInt64
    }

    package var model: Int
    package var classIndex: Int
    package var className: String
    /// TTFT, then inter-token, then end to end; each from the lowest quantile to the highest.
    package var objectives: [Objective] = []
    /// Bounds that make a request good; `nil` is unwritten.
    package var goodTTFTNanos: UInt64?
    package var goodInterTokenNanos: UInt64?
    package var goodEndToEndNanos: UInt64?

    init(_ spec: ModelSpec, _ written: ClassSpec, model: Int, classIndex: Int) {
        self.model = model
        self.classIndex = classIndex
        self.className = written.name
        let objectives = spec.objectives(of: written)
        for latency in Latency.allCases {
            for bound in objectives[latency]?.bounds ?? [] {
                self.objectives.append(
                    Objective(latency: latency, quantile: bound.quantile, boundNanos: bound.nanos))
            }
        }
        let bounds = spec.bounds(of: written)
        self.goodTTFTNanos =
            bounds.timeToFirstTokenNanos == .max ? nil : bounds.timeToFirstTokenNanos
        self.goodInterTokenNanos = bounds.interTokenNanos
        self.goodEndToEndNanos = bounds.endToEndNanos
    }

    /// Bounds of a histogram of `latency`: the fixed ladder and the written ones.
    func histogramBounds(of latency: Latency) -> [UInt64] {
        let own = self.objectives.filter { $0.latency == latency }.map(\.boundNanos)
        return Set(own + LatencyHistogram.ladder).sorted()
    }

    /// Whether the budget is asked the same questions, so that counts may go on.
    func judgesLike(_ other: GroupPlan) -> Bool {
        self.objectives == other.objectives && self.goodTTFTNanos == other.goodTTFTNanos
            && self.goodInterTokenNanos == other.goodInterTokenNanos
            && self.goodEndToEndNanos == other.goodEndToEndNanos
    }
}
