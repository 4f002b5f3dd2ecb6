import RequestPath
import Time

/// Least work: the endpoint that is soonest drained, with a barrier before a full KV cache:
///
///     (queued tokens + tokens sent since the scrape) / throughput + weight * k / (1 - k)
///
/// An endpoint without fresh gauges is taken to hold a mean prompt for each request in flight;
/// when all are without, the one with the fewest requests wins. The first of equals wins.
///
/// Engines here report waiting requests and no tokens, so that queued tokens are requests times
/// the mean prompt; the policy it follows would count none, which is worse for it. Throughput is
/// the default of one that is not reported.
/// Source: SMG, `policies/least_load.rs`.
struct LeastLoadChoice: Choice {
    private let knobs: BaselineKnobs.LeastLoad

    init(plan: Plan, seed: UInt64, knobs: BaselineKnobs) {
        self.knobs = knobs.leastLoad
    }

    mutating func pick(for request: LiveRequest, in fleet: Fleet, now: Instant) -> Int {
        let model = Int(request.model)
        var best = Int(fleet.ready[model][0])
        var least = Double.infinity
        for index in fleet.ready[model] {
            let seconds = self.seconds(fleet[Int(index)], now: now)
            if seconds < least {
                least = seconds
                best = Int(index)
            }
        }
        return best
    }

    private func seconds(_ endpoint: FleetEndpoint, now: Instant) -> Double {
        guard let gauges = endpoint.gauges,
            now.nanosSince(endpoint.scrapedAt) <= self.knobs.staleNanos
        else {
            // Where all are without gauges this orders by requests in flight alone.
            return Double(endpoint.inFlight) * self.knobs.meanPromptTokens
                / self.knobs.tokensPerSecond
        }
        let queued = Double(gauges.waiting) * self.knobs.meanPromptTokens
        let used = min(max(gauges.kvCacheShare, 0), 0.999)
        return (queued + Double(endpoint.tokensSinceScrape)) / self.knobs.tokensPerSecond
            + self.knobs.kvPressureSeconds * used / (1 - used)
    }
}
