import RequestPath
import Time

/// Decides where a request goes that a gate has let through.
protocol Choice: Sendable {
    init(seed: UInt64, knobs: BaselineKnobs)

    /// One of the ready endpoints of the request's model; there is at least one.
    mutating func pick(for request: LiveRequest, in fleet: Fleet, now: Instant) -> Int
    /// The endpoint is gone, and what it held with it.
    mutating func forget(_ endpoint: Int)
}

extension Choice {
    mutating func forget(_ endpoint: Int) {}
}
