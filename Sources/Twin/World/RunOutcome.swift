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

    /// Work of good requests, by `WorkMeasure`.
    package struct WorkDone: Sendable, Hashable, Encodable {
        /// Of the work that was offered, 0 ... 1.
        package let share: Double
        /// Engine seconds of work a second, while requests were offered.
        package let perSecond: Double

        private enum CodingKeys: String, CodingKey {
            case share
            case perSecond = "per_second"
        }
    }

    package let report: Report
    /// Work of requests that were good.
    package let goodputInWork: WorkDone
    /// The most work that could have been done in time at the capacity (`FluidServer`); nil where
    /// that is not known.
    package let bound: WorkDone?
    /// The same with every step of every engine full: what no policy passes whose prompts are not
    /// found in prefix caches and whose ladder leads to no other model.
    package let engineBound: WorkDone?
    /// Most prefill tokens that waited at one engine beyond the larger of the policy's target and
    /// the longest prompt so far.
    package let engineQueueOvershoot: Int
    /// Most prefill tokens that waited at one engine: of requests sent there without a first token.
    package let engineQueuePeak: Int
    /// Engine seconds idle while eligible work waited.
    package let idleWhileWaitingSeconds: Double
    /// GPUs of the pools that requests can come to, times the run from the end of its warm-up.
    package let gpuSeconds: Double
    /// Tokens of good answers.
    package let goodOutputTokens: UInt64
    /// Price of the GPU seconds for each good request; nil without a price or a good one.
    package let costPerGoodRequest: Double?
    /// Dispatches / requests dispatched at least once.
    package let dispatchAmplification: Double
    /// Second tries before the first token, and how many of them answered.
    package let hedges: UInt64
    package let hedgesWon: UInt64
    /// Tokens computed by tries that did not bring the answer, of all computed.
    package let extraWorkShare: Double
    /// Requests refused in the arrival call, of all refused and all others that had no first token
    /// by their class's deadline; nil without any.
    package let earlyRefusalShare: Double?
    package let refusalDelay: Delays
    /// Prompt tokens found in prefix caches, of all of completed requests.
    package let cachedPromptShare: Double
    /// Tokens computed by the endpoint that computed most, over the mean of those of the model
    /// asked for; 1 where nothing was computed.
    package let busiestEndpoint: Double
    /// The longest wait at the gateway in milliseconds, by class, the highest first.
    package let longestWaits: [Double]
    package let preemptions: UInt64
    package let ladderMoves: UInt64
    package let healthChanges: UInt64
    /// Requests still unanswered when the run was given up; they count as abandoned.
    package let unanswered: UInt64
    /// Requests of the workload that were left out because they exceed the context.
    package let tooLong: UInt64
    /// How its scaler did; nil where nothing scaled.
    package let scaling: ScalingOutcome?
    /// Invariants that did not hold, in words; empty when all did.
    package let faults: [String]

    /// (bound - goodput) / bound, in work; nil without a bound. Below zero where engines did more
    /// than the capacity, which is a rate at which nearly all is good.
    package var regret: Double? {
        bound.flatMap { $0.share > 0 ? ($0.share - goodputInWork.share) / $0.share : nil }
    }
}

extension Simulation {
    mutating func finish(lastArrival: UInt64) -> RunOutcome {
        if account.settled != account.requests {
            account.fault("requests were answered twice or not at all", now: now)
        }
        for index in endpoints.indices where !endpoints[index].isDown {
            let gauges = endpoints[index].engine.gauges
            if gauges.running + gauges.waiting > 0 || endpoints[index].prefillWaiting != 0 {
                account.fault("endpoint \(index) still holds work", now: now)
            }
        }
        account.clock.advance(to: now)
        fleet?.account.advance(to: now)
        fleet?.nodes?.settle(now: now.nanos)
        account.fluid?.finish()
        account.fluidEngines?.finish()
        // A load of one moment is offered while the run lasts.
        let offered = scenario.offeringNanos ?? (lastArrival > 0 ? lastArrival : now.nanos)
        let counted = max(offered, account.warmUpNanos + 1) - account.warmUpNanos
        let report = account.budget.report(
            source: .simulated, durationNanos: counted, note: RunOutcome.note)
        let spent = spent
        let hours = Double(now.nanosSince(Instant(nanos: account.warmUpNanos))) / 3_600e9
        func share(_ part: UInt64, _ whole: UInt64) -> Double {
            whole == 0 ? 0 : Double(part) / Double(whole)
        }
        func work(_ nanos: Double) -> RunOutcome.WorkDone {
            RunOutcome.WorkDone(
                share: account.offeredWork > 0 ? nanos / account.offeredWork : 0,
                perSecond: nanos / Double(counted))
        }
        let unserved = account.unserved.refused + account.unserved.late
        let good = Double(report.figures.good)
        return RunOutcome(
            report: report, goodputInWork: work(account.goodWork),
            bound: account.fluid.map { work($0.served) },
            engineBound: account.fluidEngines.map { work($0.served) },
            engineQueueOvershoot: account.queueOvershoot, engineQueuePeak: account.queuePeak,
            idleWhileWaitingSeconds: Double(account.clock.totalNanos) / 1e9,
            gpuSeconds: spent.gpuSeconds, goodOutputTokens: account.goodOutputTokens,
            costPerGoodRequest: good == 0 ? nil : spent.price.map { $0 / good },
            dispatchAmplification: account.firstDispatches == 0
                ? 1 : share(account.dispatches, account.firstDispatches),
            hedges: account.hedges, hedgesWon: account.hedgesWon,
            extraWorkShare: share(account.extraTokens, account.computedTokens),
            earlyRefusalShare: unserved == 0 ? nil : share(account.unserved.early, unserved),
            refusalDelay: RunOutcome.Delays(account.refusalDelays),
            cachedPromptShare: share(account.cachedTokens, account.promptTokens),
            busiestEndpoint: busiestEndpoint,
            longestWaits: account.longestWaits.map { Double($0 / 1_000) / 1_000 },
            preemptions: account.preemptions, ladderMoves: account.ladderMoves,
            healthChanges: account.healthChanges, unanswered: account.unanswered,
            tooLong: arrivals.tooLong,
            scaling: fleet.map { ScalingOutcome($0.account, $0.nodes, hours: hours) },
            faults: account.faults)
    }

    private var busiestEndpoint: Double {
        let computed = endpoints.filter { $0.model == scenario.model.raw }.map(\.computedTokens)
        let mean = Double(computed.reduce(0, +)) / Double(max(1, computed.count))
        return mean == 0 ? 1 : Double(computed.max() ?? 0) / mean
    }

    /// What the serving pools took from the end of the warm-up to the end of the run; no price
    /// where one of them has none.
    private var spent: (gpuSeconds: Double, price: Double?) {
        let seconds = Double(now.nanosSince(Instant(nanos: account.warmUpNanos))) / 1e9
        var gpuSeconds = 0.0
        var price: Double? = 0
        for model in scenario.servingModels {
            let pool = scenario.pools[model]
            var taken = Double(pool.replicas) * seconds * Double(pool.gpus)
            if model == scenario.model.raw, let fleet {
                taken = fleet.gpuNanos(gpusPerReplica: pool.gpus) / 1e9
            }
            guard taken > 0 else { continue }
            gpuSeconds += taken
            price = pool.pricePerGPUHour.flatMap { hour in price.map { $0 + hour * taken / 3_600 } }
        }
        return (gpuSeconds, price)
    }
}

extension RunOutcome {
    static let note = "simulated; how far it is off live runs is in docs/evidence/live-error.md"
}
