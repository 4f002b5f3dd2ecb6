import RequestPath
import Time

/// How a request that a gate had let in came to its end.
enum Ending: Sendable {
    case finished
    /// Its attempts failed, its client left, or there was no endpoint to send it to.
    case broken
}

/// Decides whether and when a request may be sent; the choice decides where.
///
/// A gate leaves its decisions in the books, in order. Each arrival is decided on in `arrive` or
/// kept waiting in a lane of the gate. All hooks are called with the request's record in place.
protocol Gate: Sendable {
    init(plan: Plan, seed: UInt64, knobs: BaselineKnobs)

    /// When `tick` has something to do; `nil` while it has not.
    var due: Instant? { get }

    /// A request has come.
    mutating func arrive(_ slot: Int, _ books: inout Books, now: Instant)
    /// A waiting request was cancelled.
    mutating func withdraw(_ slot: Int, _ books: inout Books, now: Instant)
    /// The first token of a request that had been sent came.
    mutating func answered(_ slot: Int, _ books: inout Books)
    /// A request that had been sent is over.
    mutating func ended(_ slot: Int, _ ending: Ending, _ books: inout Books, now: Instant)
    /// Nanoseconds after which a request that failed is sent again; `nil`: it is not.
    mutating func retryNanos(_ slot: Int, _ books: Books) -> UInt64?
    /// An endpoint of the model was scraped.
    mutating func scraped(model: Int, _ books: Books, now: Instant)
    /// Endpoints of the model became ready, or ceased to be.
    mutating func fleetChanged(model: Int, _ books: inout Books, now: Instant)
    mutating func tick(_ books: inout Books, now: Instant)
    mutating func replan(_ plan: Plan, _ books: inout Books, now: Instant)
    /// Adds what does not hold.
    func audit(_ books: Books, into faults: inout [AuditFault])
}

/// A gate that keeps nobody waiting needs no more than `arrive`.
extension Gate {
    var due: Instant? { nil }
    mutating func withdraw(_ slot: Int, _ books: inout Books, now: Instant) {}
    mutating func answered(_ slot: Int, _ books: inout Books) {}
    mutating func ended(_ slot: Int, _ ending: Ending, _ books: inout Books, now: Instant) {}
    mutating func retryNanos(_ slot: Int, _ books: Books) -> UInt64? { nil }
    mutating func scraped(model: Int, _ books: Books, now: Instant) {}
    mutating func fleetChanged(model: Int, _ books: inout Books, now: Instant) {}
    mutating func tick(_ books: inout Books, now: Instant) {}
    mutating func replan(_ plan: Plan, _ books: inout Books, now: Instant) {}
    func audit(_ books: Books, into faults: inout [AuditFault]) {}
}
