import Report
import RequestPath
import Statistics
import Time
import Workload

/// Everything that is counted while a run goes on. Memory does not follow its length.
struct RunAccount: Sendable {
    var budget: BudgetReport
    var clock: IdleClock
    let warmUpNanos: UInt64
    var requests: UInt64 = 0
    var settled: UInt64 = 0
    var refusalDelays = Histogram()
    var refusals: UInt64 = 0
    var earlyRefusals: UInt64 = 0
    var abortedAtDeadline: UInt64 = 0
    var dispatches: UInt64 = 0
    var firstDispatches: UInt64 = 0
    var computedTokens: UInt64 = 0
    var wastedTokens: UInt64 = 0
    var promptTokens: UInt64 = 0
    var cachedTokens: UInt64 = 0
    var preemptions: UInt64 = 0
    var ladderMoves: UInt64 = 0
    var healthChanges: UInt64 = 0
    var largestPrompt = 0
    var queuePeak = 0
    var queueOvershoot = 0
    /// Invariants that did not hold, the first of them in words.
    var faults: [String] = []

    private static let faultsMax = 20

    init(budget: ReportBudget, tenants: [TenantPlan], warmUpNanos: UInt64) {
        self.budget = BudgetReport(budget: budget)
        clock = IdleClock(tenants)
        self.warmUpNanos = warmUpNanos
    }

    mutating func fault(_ text: String, now: Instant) {
        guard faults.count < Self.faultsMax else { return }
        faults.append("at \(now.nanos) ns: \(text)")
    }

    func isCounted(_ request: LiveRequest) -> Bool {
        request.offeredAt.nanos >= warmUpNanos
    }

    mutating func settle(
        _ request: LiveRequest, _ status: RequestOutcome.Status, className: String, now: Instant
    ) {
        settled += 1
        guard isCounted(request) else { return }
        let produced = request.producedTokens
        var outcome = RequestOutcome(
            serviceClass: className, tenant: request.arrival.tenant ?? "", status: status,
            e2eNanos: now.nanosSince(request.offeredAt),
            inputTokens: UInt64(request.arrival.inputTokens),
            outputTokens: UInt64(request.outputWanted), producedTokens: produced,
            isDegraded: request.isDegraded, attempts: request.tries)
        if let first = request.firstTokenAt {
            outcome.ttftNanos = first.nanosSince(request.offeredAt)
            if produced > 1 { outcome.itlMeanNanos = now.nanosSince(first) / (produced - 1) }
        }
        let isGood = budget.add(outcome)
        computedTokens += request.computedTokens
        wastedTokens += request.computedTokens - (isGood ? request.usefulTokens : 0)
    }
}
