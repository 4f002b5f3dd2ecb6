import RequestPath
import Time

/// Decides where a request goes that a gate has let through.
protocol Choice: Sendable {
    init(plan: Plan, seed: UInt64, knobs: BaselineKnobs)

    /// One of the ready endpoints of the request's model; there is at least one.
    mutating func pick(for request: LiveRequest, in fleet: Fleet, now: Instant) -> Int
    /// Every event, before the gate has taken it.
    mutating func hear(_ event: Event, now: Instant)
    /// The gate has ended a request by itself.
    mutating func forget(request: RequestID, now: Instant)
    /// The endpoint is gone, and what it held with it.
    mutating func forget(_ endpoint: Int)
}

extension Choice {
    mutating func hear(_ event: Event, now: Instant) {}
    mutating func forget(request: RequestID, now: Instant) {}
    mutating func forget(_ endpoint: Int) {}
}
