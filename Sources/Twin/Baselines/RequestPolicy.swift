package import RequestPath
package import Time

/// What is under test in the twin: the product's admission or a baseline of the field.
///
/// Events, actions and their order are those of `Admission`: what it may be told and what it may
/// answer holds for every policy behind this seam.
package protocol RequestPolicy {
    /// Takes one event and appends what must be done about it.
    mutating func step(_ event: Event, now: Instant, into actions: inout ActionBuffer)

    /// When `tick` is due next; `nil` while nothing waits for time to pass.
    func nextDeadline() -> Instant?

    /// Invariants of the state that do not hold; empty when all do, or when none are checked.
    func audit(now: Instant) -> [AuditFault]

    /// Prefill tokens it means to have waiting at an endpoint; `nil` when it has no such aim.
    func prefillTokensMax(at endpoint: EndpointID) -> Int?

    /// Why it takes requests off engines. An `Action.abort` names no cause: a policy has one.
    var abortCause: AbortCause { get }
}

/// Why a request is taken off its engine.
package enum AbortCause: Sendable, Hashable {
    /// Its deadline passed without a first token.
    case deadline
    /// Another request gets its place; its client is told to ask again after so long.
    case preempted(retryAfterNanos: UInt64)
}

extension RequestPolicy {
    /// Nothing is checked.
    package func audit(now: Instant) -> [AuditFault] { [] }

    /// No aim.
    package func prefillTokensMax(at endpoint: EndpointID) -> Int? { nil }

    /// The product's only cause.
    package var abortCause: AbortCause { .deadline }
}

extension Admission: RequestPolicy {
    package func prefillTokensMax(at endpoint: EndpointID) -> Int? {
        self.gauges(of: endpoint)?.prefillTokensMax
    }
}
