/// What admission must hold: the written budget, compiled to numbers. All times are nanoseconds.
package struct Plan: Sendable, Equatable {
    /// Indexed by `ModelID`.
    package var models: [ModelPlan]
    /// Indexed by `TenantID`.
    package var tenants: [TenantPlan]

    package init(models: [ModelPlan], tenants: [TenantPlan]) {
        self.models = models
        self.tenants = tenants
    }
}

/// One model: classes, ladder, budgets for second tries and what is known of its engines.
package struct ModelPlan: Sendable, Equatable {
    package var name: String
    /// From the highest priority to the lowest: strict order with bounded waiting. Never empty.
    package var classes: [ClassPlan]
    /// The degrade ladder, cheapest harm first; empty when none is written.
    package var ladder: [LadderStep]
    /// Extra dispatches allowed per dispatch for retries, 0.1 for `10%`.
    package var retryShare: Double
    /// Token work allowed for second tries before the first token, as a share of all; 0 is off.
    package var hedgeShare: Double
    /// Prompt plus output above this is refused; `nil` when unwritten.
    package var maxContextTokens: UInt32?
    /// Confidence a predicted TTFT must have, 0.95 for `95%`.
    package var confidence: Double
    /// Highest bound on the mean inter-token time of a request; `nil` when unwritten.
    package var interTokenBoundNanos: UInt64?
    /// How long requests may wait while no replica is ready; `nil`: refused at once.
    package var coldStartNanos: UInt64?
    /// Written caps for each endpoint; admission tunes itself below them.
    package var concurrentRequestsMax: UInt32?
    package var tokensInFlightMax: UInt64?

    package init(
        name: String, classes: [ClassPlan], ladder: [LadderStep] = [], retryShare: Double = 0.1,
        hedgeShare: Double = 0, maxContextTokens: UInt32? = nil, confidence: Double = 0.95,
        interTokenBoundNanos: UInt64? = nil, coldStartNanos: UInt64? = nil,
        concurrentRequestsMax: UInt32? = nil, tokensInFlightMax: UInt64? = nil
    ) {
        self.name = name
        self.classes = classes
        self.ladder = ladder
        self.retryShare = retryShare
        self.hedgeShare = hedgeShare
        self.maxContextTokens = maxContextTokens
        self.confidence = confidence
        self.interTokenBoundNanos = interTokenBoundNanos
        self.coldStartNanos = coldStartNanos
        self.concurrentRequestsMax = concurrentRequestsMax
        self.tokensInFlightMax = tokensInFlightMax
    }
}

/// One class of a model.
package struct ClassPlan: Sendable, Equatable {
    package var name: String
    /// Admission plans to this TTFT bound less a learned margin: the highest-quantile objective, or
    /// the deadline of a class that has only one.
    package var planNanos: UInt64
    /// Bounds of lower quantiles than the one planned to; they cap how many may be slower.
    package var lowerBounds: [QuantileBound] = []
    /// The hard limit: a request without a first token by then is aborted. Never below `planNanos`.
    package var deadlineNanos: UInt64
    /// A queued request waits no longer than this although higher classes have work; `nil`: plan.
    package var maxWaitNanos: UInt64?
    /// Most requests queued at once.
    package var queueRequestsMax: Int
    /// Most body bytes queued at once.
    package var queueBytesMax: UInt64

    package init(
        name: String, planNanos: UInt64, deadlineNanos: UInt64, maxWaitNanos: UInt64? = nil,
        queueRequestsMax: Int = 2000, queueBytesMax: UInt64 = 256 << 20
    ) {
        self.name = name
        self.planNanos = planNanos
        self.deadlineNanos = deadlineNanos
        self.maxWaitNanos = maxWaitNanos
        self.queueRequestsMax = queueRequestsMax
        self.queueBytesMax = queueBytesMax
    }
}

/// A share of requests that must lie within a time.
package struct QuantileBound: Sendable, Equatable {
    /// 0.95 for a p95.
    package var quantile: Double
    package var nanos: UInt64

    package init(quantile: Double, nanos: UInt64) {
        self.quantile = quantile
        self.nanos = nanos
    }
}

/// One rung of the degrade ladder.
package enum LadderStep: Sendable, Equatable {
    /// Answers are cut at this many output tokens.
    case cap(outputTokens: UInt32)
    /// The request goes to another model.
    case model(ModelID)
}

/// One tenant.
package struct TenantPlan: Sendable, Equatable {
    package var name: String
    /// Share of contended capacity relative to other tenants; positive.
    package var weight: Double
    package var requestsPerMinute: UInt32?
    package var tokensPerMinute: UInt64?
    package var concurrency: UInt32?

    package init(
        name: String, weight: Double = 1, requestsPerMinute: UInt32? = nil,
        tokensPerMinute: UInt64? = nil, concurrency: UInt32? = nil
    ) {
        self.name = name
        self.weight = weight
        self.requestsPerMinute = requestsPerMinute
        self.tokensPerMinute = tokensPerMinute
        self.concurrency = concurrency
    }
}
