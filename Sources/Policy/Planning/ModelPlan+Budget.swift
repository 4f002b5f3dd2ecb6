package import Budget
package import RequestPath

extension ModelPlan {
    /// What one written model asks of admission; ladder steps to models that are not among `models`
    /// are left out. A model's id is its place there.
    package init(_ spec: ModelSpec, among models: [ModelSpec]) {
        self.init(
            name: spec.name, classes: spec.classes.map { ClassPlan($0, of: spec) },
            ladder: spec.overload.degrade.compactMap { LadderStep($0, among: models) },
            retryShare: spec.overload.retryShare, hedgeShare: spec.overload.hedgeShare,
            maxContextTokens: spec.engine.maxContextTokens,
            confidence: spec.budget.deadline.confidence,
            interTokenBoundNanos: spec.budget.objectives.interTokenLatency?.highest?.nanos,
            coldStartNanos: spec.budget.deadline.coldStartNanos,
            concurrentRequestsMax: spec.engine.concurrentRequestsMax,
            tokensInFlightMax: spec.engine.tokensInFlightMax)
    }
}

extension ClassPlan {
    fileprivate init(_ written: ClassSpec, of model: ModelSpec) {
        let bounds = model.bounds(of: written)
        self.init(
            name: written.name, planNanos: bounds.timeToFirstTokenNanos,
            deadlineNanos: bounds.deadlineNanos, maxWaitNanos: written.maxWaitNanos,
            queueRequestsMax: written.queueRequestsMax, queueBytesMax: written.queueBytesMax)
        let planNanos = self.planNanos
        self.lowerBounds = (model.objectives(of: written).timeToFirstToken?.bounds ?? [])
            .filter { $0.nanos < planNanos }
            .map {
                QuantileBound(quantile: Double($0.quantile.rawValue) / 1000, nanos: $0.nanos)
            }
    }
}

extension LadderStep {
    fileprivate init?(_ written: DegradeStep, among models: [ModelSpec]) {
        switch written {
        case .cap(let tokens): self = .cap(outputTokens: tokens)
        case .model(let name):
            guard let index = models.firstIndex(where: { $0.name == name }) else { return nil }
            self = .model(ModelID(raw: index))
        }
    }
}
