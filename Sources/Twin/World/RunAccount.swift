import Report
import RequestPath
import Statistics
import Time
import Workload

/// Everything that is counted while a run goes on. Memory does not follow its length.
struct RunAccount: Sendable {
    /// Requests that were turned away or passed their deadline, each once by what finally became of
    /// it.
    struct Unserved: Sendable {
        /// Refused in the arrival call.
        var early: UInt64 = 0
        /// Refused at any time.
        var refused: UInt64 = 0
        /// Not refused, and without a first token by the deadline.
        var late: UInt64 = 0
    }

    var budget: BudgetReport
    var clock: IdleClock
    let warmUpNanos: UInt64
    /// The one tenant whose requests count; nil: all of them.
    let reportedTenant: Int?
    /// The longest wait at the gateway, by class, however it ended.
    var longestWaits: [UInt64]
    let measure: WorkMeasure
    /// What clairvoyant servers would have made of it: one at the capacity of the pair, one that
    /// does what engines can with every step full. nil where the capacity is not known.
    var fluid: FluidServer?
    var fluidEngines: FluidServer?
    var requests: UInt64 = 0
    var settled: UInt64 = 0
    var refusalDelays = Histogram()
    var unserved = Unserved()
    var unanswered: UInt64 = 0
    var offeredWork = 0.0
    /// Tokens of good answers.
    var goodOutputTokens: UInt64 = 0
    var goodWork = 0.0
    var dispatches: UInt64 = 0
    var hedges: UInt64 = 0
    var hedgesWon: UInt64 = 0
    var computedTokens: UInt64 = 0
    /// Computed for requests that were answered, by tries that did not bring the answer.
    var extraTokens: UInt64 = 0
    var firstDispatches: UInt64 = 0
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

    init(_ scenario: Scenario) {
        budget = BudgetReport(budget: scenario.budget)
        clock = IdleClock(scenario.plan.tenants, from: scenario.warmUpNanos)
        warmUpNanos = scenario.warmUpNanos
        reportedTenant = scenario.reportedTenant?.raw
        longestWaits = Array(
            repeating: 0, count: scenario.plan.models[scenario.model.raw].classes.count)
        measure = WorkMeasure(scenario.pools[scenario.model.raw].engine)
        if scenario.cluster == nil, let rate = scenario.capacityWork {
            fluid = FluidServer(rate: rate)
            let replicas = scenario.pools[scenario.model.raw].replicas
            fluidEngines = FluidServer(rate: Double(max(1, replicas)))
        }
    }

    mutating func fault(_ text: String, now: Instant) {
        guard faults.count < Self.faultsMax else { return }
        faults.append("at \(now.nanos) ns: \(text)")
    }

    /// Whether the warm-up is over.
    func isCounting(_ now: Instant) -> Bool { now.nanos >= warmUpNanos }

    func isCounted(_ request: LiveRequest) -> Bool {
        isCounting(request.offeredAt)
            && (reportedTenant == nil || request.tenant == reportedTenant)
    }

    /// A request that has waited at the gateway since it was asked waits no more.
    mutating func endWait(_ request: LiveRequest, now: Instant) {
        clock.wait(request.tenant, -1, now: now)
        guard isCounted(request) else { return }
        longestWaits[request.classIndex] = max(
            longestWaits[request.classIndex], now.nanosSince(request.askedAt))
    }

    /// A request was offered; a good answer to it has such bounds.
    mutating func offer(_ request: LiveRequest, _ bounds: GoodBounds, streams: Bool) {
        requests += 1
        largestPrompt = max(largestPrompt, request.arrival.inputTokens)
        guard isCounted(request) else { return }
        let work = measure.nanos(
            inputTokens: request.arrival.inputTokens, outputTokens: request.outputWanted)
        offeredWork += work.total
        fluid?.add(work, of: request, bounds, streams: streams)
        fluidEngines?.add(work, of: request, bounds, streams: streams)
    }

    /// A request is over: counts its outcome, and what became of it in regard to the deadline.
    ///
    /// - Parameters:
    ///   - deadlineNanos: of its class, from a try's arrival to the first token.
    ///   - streams: whether its client saw tokens as they came.
    mutating func settle(
        _ request: LiveRequest, _ status: RequestOutcome.Status, className: String,
        deadlineNanos: UInt64, streams: Bool, now: Instant
    ) {
        settled += 1
        guard isCounted(request) else { return }
        if case .refused(_, let moment) = status {
            unserved.refused += 1
            unserved.early += moment == .arrival ? 1 : 0
        } else if request.isLate(deadlineNanos, now: now) {
            unserved.late += 1
        }
        computedTokens += request.computedTokens
        if case .completed = status { extraTokens += request.computedTokens - request.answerTokens }
        let produced = request.producedTokens
        var outcome = RequestOutcome(
            serviceClass: className, tenant: request.arrival.tenant ?? "", status: status,
            e2eNanos: now.nanosSince(request.offeredAt),
            inputTokens: UInt64(request.arrival.inputTokens),
            outputTokens: UInt64(request.outputWanted), producedTokens: produced,
            computedTokens: request.computedTokens, isDegraded: request.isDegraded,
            attempts: request.tries)
        if streams, let first = request.firstTokenAt {
            outcome.ttftNanos = first.nanosSince(request.offeredAt)
            if produced > 1 {
                outcome.itlMeanNanos = request.lastTokenAt.nanosSince(first) / (produced - 1)
            }
        }
        guard budget.add(outcome) else { return }
        goodOutputTokens += produced
        goodWork +=
            measure.nanos(
                inputTokens: request.arrival.inputTokens, outputTokens: Int(clamping: produced)
            ).total
    }
}
