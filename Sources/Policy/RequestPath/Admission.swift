package import Time

/// Decides, for every request, whether, when and where it is served: the load line itself.
///
/// A pure function of its events: the same events at the same instants give the same actions.
package struct Admission: Sendable {
    private var plan: Plan

    package init(plan: Plan, seed: UInt64) {
        self.plan = plan
    }

    /// Takes one event and appends what must be done about it.
    package mutating func step(_ event: Event, now: Instant, into actions: inout ActionBuffer) {
    }

    /// When `tick` is due next; `nil` while nothing waits for time to pass.
    package func nextDeadline() -> Instant? {
        nil
    }
}
