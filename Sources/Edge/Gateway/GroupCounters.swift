import Budget
import Config
import RequestPath

/// Counters of one model and class.
package struct GroupCounters: Sendable {
    /// How many requests had a figure to judge, and how many were inside the bound.
    package struct Inside: Sendable, Equatable {
        package var inside: UInt64 = 0
        package var total: UInt64 = 0
    }

    /// Steps of the longest ladder: each is counted apart.
    package static let stepsMax = ConfigurationLimits.ladderStepsMax

    package private(set) var plan: GroupPlan
    package var completed: UInt64 = 0
    package var clientErrors: UInt64 = 0
    package var abandoned: UInt64 = 0
    /// By step, from 1 on at index 0.
    package var degraded = [UInt64](repeating: 0, count: GroupCounters.stepsMax)
    package var retries: UInt64 = 0
    package var hedgesWon: UInt64 = 0
    package var hedgesLost: UInt64 = 0
    /// Clients' retries of refused requests: these are not offered twice.
    package var clientRetries: UInt64 = 0
    /// In the order of `RefusalReason.allCases`, decided on arrival or later.
    package var refusedEarly = [UInt64](repeating: 0, count: RefusalReason.allCases.count)
    package var refusedLate = [UInt64](repeating: 0, count: RefusalReason.allCases.count)
    /// In the order of `FailureKind.allCases`.
    package var failed = [UInt64](repeating: 0, count: FailureKind.allCases.count)
    package var promptTokens: UInt64 = 0
    package var outputTokens: UInt64 = 0
    package var cachedTokens: UInt64 = 0
    /// Completed within the highest-quantile bound of every latency.
    package var good: UInt64 = 0
    /// In the order of the plan's objectives.
    package var inside: [Inside]
    package var ttft: LatencyHistogram
    package var interToken: LatencyHistogram
    package var endToEnd: LatencyHistogram
    /// In the order of `Stage.allCases`.
    package var stages = [LatencyHistogram](
        repeating: LatencyHistogram(), count: Stage.allCases.count)
    /// In the order of `WaitCause.allCases`.
    package var waits = [LatencyHistogram](
        repeating: LatencyHistogram(), count: WaitCause.allCases.count)

    init(plan: GroupPlan) {
        self.plan = plan
        self.inside = [Inside](repeating: Inside(), count: plan.objectives.count)
        self.ttft = LatencyHistogram(bounds: plan.histogramBounds(of: .timeToFirstToken))
        self.interToken = LatencyHistogram(bounds: plan.histogramBounds(of: .interTokenLatency))
        self.endToEnd = LatencyHistogram(bounds: plan.histogramBounds(of: .endToEnd))
    }

    /// Goes on under a new plan; judgements start again where the budget's bounds changed.
    mutating func adopt(_ plan: GroupPlan) {
        let fresh = GroupCounters(plan: plan)
        if !plan.judgesLike(self.plan) {
            self.good = 0
            self.inside = fresh.inside
            self.ttft = fresh.ttft
            self.interToken = fresh.interToken
            self.endToEnd = fresh.endToEnd
        }
        self.plan = plan
    }

    /// Requests asked for; a client's own fault and its retry of a refusal are not.
    package var offered: UInt64 {
        let all = self.completed + self.abandoned + self.refused + self.failedTotal
        return all - min(all, self.clientRetries)
    }

    package var refused: UInt64 {
        self.refusedEarly.reduce(0, +) + self.refusedLate.reduce(0, +)
    }

    package var failedTotal: UInt64 { self.failed.reduce(0, +) }

    package var degradedTotal: UInt64 { self.degraded.reduce(0, +) }

    mutating func add(_ record: RequestRecord) {
        switch record.outcome {
        case .completed(let status):
            if status < 400 { self.completed += 1 } else { self.clientErrors += 1 }
            if status < 400, self.isGood(record) { self.good += 1 }
        case .refused(let reason, let late):
            if late {
                self.refusedLate[reason.ordinal] += 1
            } else {
                self.refusedEarly[reason.ordinal] += 1
            }
        case .rejected: self.clientErrors += 1
        case .failed(let kind): self.failed[kind.ordinal] += 1
        case .abandoned: self.abandoned += 1
        }
        if record.isRetry { self.clientRetries += 1 }
        if record.ladderStep > 0 { self.degraded[min(record.ladderStep, Self.stepsMax) - 1] += 1 }
        if record.attempts > 1 { self.retries += UInt64(record.attempts - 1) }
        switch record.hedge {
        case .none: break
        case .won: self.hedgesWon += 1
        case .lost: self.hedgesLost += 1
        }
        self.promptTokens += UInt64(record.promptTokens)
        self.outputTokens += UInt64(record.outputTokens)
        self.cachedTokens += UInt64(record.cachedTokens)
        self.judge(record)
        if let nanos = record.ttftNanos { self.ttft.add(nanos) }
        if let nanos = record.interTokenNanos { self.interToken.add(nanos) }
        self.endToEnd.add(record.endToEndNanos)
        for stage in Stage.inOrder {
            self.stages[stage.rawValue].add(record.times.nanos(of: stage))
        }
        if record.waited != .none {
            self.waits[record.waited.ordinal].add(record.times.nanos(of: .queue))
        }
    }

    private func isGood(_ record: RequestRecord) -> Bool {
        if let bound = self.plan.goodTTFTNanos, let nanos = record.ttftNanos, nanos > bound {
            return false
        }
        if let bound = self.plan.goodInterTokenNanos, let nanos = record.interTokenNanos,
            nanos > bound
        {
            return false
        }
        guard let bound = self.plan.goodEndToEndNanos else { return true }
        return record.endToEndNanos <= bound
    }

    /// A request that ended without the figure is outside a bound it had already exceeded;
    /// otherwise nothing is known of it. Refusals and clients' faults are never counted here.
    private mutating func judge(_ record: RequestRecord) {
        var isWhole = false
        switch record.outcome {
        case .refused, .rejected: return
        case .completed(let status):
            if status >= 400 { return }
            isWhole = true
        case .failed, .abandoned: break
        }
        for index in self.inside.indices {
            let objective = self.plan.objectives[index]
            let nanos: UInt64? =
                switch objective.latency {
                case .timeToFirstToken: record.ttftNanos
                case .interTokenLatency: record.interTokenNanos
                case .endToEnd: isWhole ? record.endToEndNanos : nil
                }
            if let nanos {
                self.inside[index].total += 1
                if nanos <= objective.boundNanos { self.inside[index].inside += 1 }
            } else if !isWhole, objective.latency != .interTokenLatency,
                record.endToEndNanos > objective.boundNanos
            {
                self.inside[index].total += 1
            }
        }
    }

    mutating func merge(_ other: GroupCounters) {
        self.completed += other.completed
        self.clientErrors += other.clientErrors
        self.abandoned += other.abandoned
        self.retries += other.retries
        self.hedgesWon += other.hedgesWon
        self.hedgesLost += other.hedgesLost
        self.clientRetries += other.clientRetries
        self.good += other.good
        Self.add(other.degraded, to: &self.degraded)
        Self.add(other.refusedEarly, to: &self.refusedEarly)
        Self.add(other.refusedLate, to: &self.refusedLate)
        Self.add(other.failed, to: &self.failed)
        self.promptTokens += other.promptTokens
        self.outputTokens += other.outputTokens
        self.cachedTokens += other.cachedTokens
        for index in self.inside.indices where index < other.inside.count {
            self.inside[index].inside += other.inside[index].inside
            self.inside[index].total += other.inside[index].total
        }
        self.ttft.merge(other.ttft)
        self.interToken.merge(other.interToken)
        self.endToEnd.merge(other.endToEnd)
        for index in self.stages.indices { self.stages[index].merge(other.stages[index]) }
        for index in self.waits.indices { self.waits[index].merge(other.waits[index]) }
    }

    private static func add(_ counts: [UInt64], to sums: inout [UInt64]) {
        for index in sums.indices { sums[index] += counts[index] }
    }
}

extension RefusalReason {
    /// Place in `allCases`.
    var ordinal: Int {
        switch self {
        case .saturated: 0
        case .queueFull: 1
        case .rateLimited: 2
        case .infeasible: 3
        case .tooLong: 4
        case .noCapacity: 5
        }
    }
}

extension FailureKind {
    /// Place in `allCases`.
    var ordinal: Int {
        switch self {
        case .noEndpoint: 0
        case .stalled: 1
        case .badAnswer: 2
        case .truncated: 3
        case .engineError: 4
        }
    }
}

extension WaitCause {
    /// Place in `allCases`.
    var ordinal: Int {
        switch self {
        case .none: 0
        case .quota: 1
        case .fairness: 2
        case .saturation: 3
        case .coldStart: 4
        }
    }

    /// Bounded label for metrics.
    package var label: String {
        switch self {
        case .none: "none"
        case .quota: "quota"
        case .fairness: "fairness"
        case .saturation: "saturation"
        case .coldStart: "cold_start"
        }
    }
}
