import RequestPath
import Time

/// How full a pool is, from its endpoints' gauges: the mean over endpoints of
/// `max(waiting / queueDepth, kvCacheShare / threshold)`.
///
/// An endpoint whose gauges are missing or stale counts as exactly full, so that a scrape outage
/// stops all of a pool, and makes an overfull one look better than it is; a pool of none is full.
/// Source: llm-d-router, `saturationdetector/utilization`.
struct Saturation: Sendable {
    let knobs: BaselineKnobs.Detector

    /// 1 and above is full.
    ///
    /// - Complexity: O(endpoints of the model).
    func value(model: Int, _ fleet: Fleet, now: Instant) -> Double {
        var sum = 0.0
        for index in fleet.ready[model] { sum += self.score(fleet[Int(index)], now: now) }
        return fleet.ready[model].isEmpty ? 1 : sum / Double(fleet.ready[model].count)
    }

    /// The first instant at which time alone lowers the value: an endpoint scored above full turns
    /// stale and counts as full. `nil` when time cannot.
    func lowersAt(model: Int, _ fleet: Fleet, now: Instant) -> Instant? {
        var soonest: Instant?
        for index in fleet.ready[model] where self.score(fleet[Int(index)], now: now) > 1 {
            let at = fleet[Int(index)].scrapedAt.advanced(byNanos: self.knobs.staleNanos + 1)
            soonest = min(soonest ?? at, at)
        }
        return soonest
    }

    private func score(_ endpoint: FleetEndpoint, now: Instant) -> Double {
        guard let gauges = endpoint.gauges,
            now.nanosSince(endpoint.scrapedAt) <= self.knobs.staleNanos
        else { return 1 }
        var waiting = Double(gauges.waiting)
        if self.knobs.creditsInFlight {
            let seen = Double(gauges.waiting) + Double(gauges.running)
            waiting += max(0, Double(endpoint.inFlight) - seen)
        }
        return max(
            waiting / self.knobs.queueDepth, gauges.kvCacheShare / self.knobs.kvCacheShare)
    }
}

/// What a lowest class is in the field: of negative priority, the only one that may be shed.
enum Priority {
    /// Whether the class is the lowest of several. The only class of a model has the field's
    /// default priority of zero and is never shed.
    static func isSheddable(classIndex: Int, of model: ModelPlan) -> Bool {
        model.classes.count > 1 && classIndex == model.classes.count - 1
    }
}
