import Baselines
import EngineModel
package import Report
import RequestPath
import Statistics
import Time
import Workload

/// What came of one run: the budget report, and what only a twin can know.
package struct RunOutcome: Sendable, Hashable {
    /// Quantiles in milliseconds; nil without a single value.
    package struct Delays: Sendable, Hashable, Encodable {
        package let p50: Double?
        package let p95: Double?
        package let p99: Double?

        init(_ histogram: Histogram) {
            func at(_ share: Double) -> Double? {
                histogram.count == 0
                    ? nil : (Double(histogram.quantile(share)) / 1_000).rounded() / 1_000
            }
            p50 = at(0.5)
            p95 = at(0.95)
            p99 = at(0.99)
        }
    }

    package let report: Report
    /// Tokens computed for requests that were not good, of all computed, 0 ... 1.
    package let wastedTokenShare: Double
    /// Most prefill tokens that waited at one engine beyond the larger of the policy's target and
    /// the longest prompt so far.
    package let engineQueueOvershoot: Int
    /// Most prefill tokens that waited at one engine.
    package let engineQueuePeak: Int
    /// Engine seconds idle while eligible work waited.
    package let idleWhileWaitingSeconds: Double
    package let gpuSeconds: Double
    /// Price of the GPU seconds for each good request; nil without a price or a good one.
    package let costPerGoodRequest: Double?
    /// Dispatches / requests dispatched at least once.
    package let dispatchAmplification: Double
    /// Refused in the arrival call, of all refused and all aborted at the deadline; nil without
    /// any.
    package let earlyRefusalShare: Double?
    package let refusalDelay: Delays
    /// Prompt tokens found in prefix caches, of all of completed requests.
    package let cachedPromptShare: Double
    package let preemptions: UInt64
    package let ladderMoves: UInt64
    package let healthChanges: UInt64
    /// Steps of the policy.
    package let policySteps: Int
    /// Requests of the workload that were left out because they exceed the context.
    package let tooLong: UInt64
    /// Invariants that did not hold, in words; empty when all did.
    package let faults: [String]
}

extension Simulation {
    mutating func finish(lastArrival: UInt64) -> RunOutcome {
        if live.count > 0 {
            account.fault("\(live.count) requests were never answered", now: now)
        }
        if account.settled + UInt64(live.count) != account.requests {
            account.fault("requests were answered twice or not at all", now: now)
        }
        for index in endpoints.indices where live.count == 0 && !endpoints[index].isDown {
            let gauges = endpoints[index].engine.gauges
            if gauges.running + gauges.waiting > 0 || endpoints[index].prefillWaiting != 0 {
                account.fault("endpoint \(index) still holds work", now: now)
            }
        }
        let span = max(now.nanos, 1)
        let gpus = scenario.pools.reduce(0) { $0 + $1.replicas * $1.gpus }
        let gpuSeconds = Double(gpus) * Double(span) / 1e9
        let counted = max(lastArrival, 1) - min(account.warmUpNanos, lastArrival)
        let report = account.budget.report(
            source: .simulated, durationNanos: max(counted, 1), note: RunOutcome.note)
        let good = report.figures.good
        func share(_ part: UInt64, _ whole: UInt64) -> Double {
            whole == 0 ? 0 : Double(part) / Double(whole)
        }
        let unserved = account.refusals + account.abortedAtDeadline
        return RunOutcome(
            report: report,
            wastedTokenShare: share(account.wastedTokens, account.computedTokens),
            engineQueueOvershoot: account.queueOvershoot, engineQueuePeak: account.queuePeak,
            idleWhileWaitingSeconds: Double(account.clock.totalNanos) / 1e9,
            gpuSeconds: gpuSeconds,
            costPerGoodRequest: good == 0
                ? nil
                : scenario.pricePerGPUHour.map { $0 * gpuSeconds / 3_600 / Double(good) },
            dispatchAmplification: account.firstDispatches == 0
                ? 1 : share(account.dispatches, account.firstDispatches),
            earlyRefusalShare: unserved == 0 ? nil : share(account.earlyRefusals, unserved),
            refusalDelay: RunOutcome.Delays(account.refusalDelays),
            cachedPromptShare: share(account.cachedTokens, account.promptTokens),
            preemptions: account.preemptions, ladderMoves: account.ladderMoves,
            healthChanges: account.healthChanges, policySteps: policySteps,
            tooLong: arrivals.tooLong, faults: account.faults)
    }
}

extension RunOutcome {
    static let note = "simulated; its error against a live run has not been measured yet"
}
