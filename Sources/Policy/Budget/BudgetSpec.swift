/// The written budget of a model. Shares are 0...1, times nanoseconds; `nil` is unwritten.
package struct BudgetSpec: Sendable, Equatable {
    package var objectives: Objectives
    package var deadline: DeadlineSpec
    /// Failures tolerated among offered requests; refusals are not failures.
    package var errorRate: Double?
    /// Refusals tolerated among offered requests.
    package var refusalRate: Double?
    package var costPerMillionOutputTokens: Money?
    /// Window of the error budget; 28 days when unwritten.
    package var windowNanos: UInt64
    package var allocation: AllocationSpec?

    /// 28 days: four whole weeks, so that every window holds the same weekdays.
    package static let windowNanosDefault: UInt64 = 28 * 86_400 * 1_000_000_000

    package init(
        objectives: Objectives = Objectives(), deadline: DeadlineSpec = DeadlineSpec(),
        errorRate: Double? = nil, refusalRate: Double? = nil,
        costPerMillionOutputTokens: Money? = nil,
        windowNanos: UInt64 = BudgetSpec.windowNanosDefault, allocation: AllocationSpec? = nil
    ) {
        self.objectives = objectives
        self.deadline = deadline
        self.errorRate = errorRate
        self.refusalRate = refusalRate
        self.costPerMillionOutputTokens = costPerMillionOutputTokens
        self.windowNanos = windowNanos
        self.allocation = allocation
    }
}

/// The hard limits of a budget: tolerance for the tail.
package struct DeadlineSpec: Sendable, Equatable {
    /// A request without a first token by then is aborted.
    package var timeToFirstTokenNanos: UInt64?
    /// Replaces `timeToFirstTokenNanos` while no replica is ready; never shorter than it.
    package var coldStartNanos: UInt64?
    /// Confidence a predicted time to first token must have, 0.5 to below 1; 0.95 when unwritten.
    package var confidence: Double

    package init(
        timeToFirstTokenNanos: UInt64? = nil, coldStartNanos: UInt64? = nil,
        confidence: Double = 0.95
    ) {
        self.timeToFirstTokenNanos = timeToFirstTokenNanos
        self.coldStartNanos = coldStartNanos
        self.confidence = confidence
    }
}

/// How the TTFT p99 is shared out along the path, in nanoseconds. The sum is at most that p99.
package struct AllocationSpec: Sendable, Equatable {
    package var gatewayNanos: UInt64
    package var queueNanos: UInt64
    package var networkNanos: UInt64
    package var engineQueueNanos: UInt64
    package var prefillNanos: UInt64

    package init(
        gatewayNanos: UInt64 = 0, queueNanos: UInt64 = 0, networkNanos: UInt64 = 0,
        engineQueueNanos: UInt64 = 0, prefillNanos: UInt64 = 0
    ) {
        self.gatewayNanos = gatewayNanos
        self.queueNanos = queueNanos
        self.networkNanos = networkNanos
        self.engineQueueNanos = engineQueueNanos
        self.prefillNanos = prefillNanos
    }
}
