import RequestPath
import Time

/// NVIDIA Dynamo's request rejection: a worker is busy when one of two loads is above its
/// threshold, and a request is refused only when every worker is.
///
/// The share of KV blocks in use is the engine's last word however old; an engine that has said
/// nothing is not busy. Prefill tokens are the router's own count of what it sent and has no first
/// token of. The guide leaves open whether a busy worker may still be chosen while another is not:
/// here it may, as in versions whose router picks a worker among all and then asks whether any is
/// free.
/// Source: "Request Rejection", its guide and its architecture page; `pipeline/network/egress`,
/// `push_router.rs`.
struct BusyAllGate: Gate {
    private let knobs: BaselineKnobs.Busy

    init(plan: Plan, seed: UInt64, knobs: BaselineKnobs) {
        self.knobs = knobs.busy
    }

    mutating func arrive(_ slot: Int, _ books: inout Books, now: Instant) {
        let ready = books.ready(for: slot)
        if ready.isEmpty { return books.refuse(slot, .noCapacity) }
        for index in ready where !self.isBusy(books.fleet[Int(index)]) {
            return books.send(slot)
        }
        books.refuse(slot, .saturated)
    }

    private func isBusy(_ endpoint: FleetEndpoint) -> Bool {
        (endpoint.gauges?.kvCacheShare ?? 0) > self.knobs.kvCacheShare
            || endpoint.prefillTokens > self.knobs.prefillTokens
    }
}
