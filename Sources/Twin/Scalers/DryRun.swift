package import Scaling
import Time

/// What another scaler would have done, asked with what was recorded of a fleet.
///
/// Its fleet is only thought of: replicas come after the lead time of the recorded decision and go
/// at once, and the requests in flight and queued stay those that were recorded. So a scaler that
/// would have made the queue longer is flattered here; the twin does not flatter it.
package struct DryRun: Sendable {
    private var scaler: any ReplicaPolicy
    private var ready: Int
    private var starting: [(asked: Instant, ready: UInt64)] = []
    private var nextAt: Instant?
    private var since: Instant?
    /// Replica-nanoseconds, its own and those recorded.
    package private(set) var nanos = 0.0
    package private(set) var nanosKept = 0.0
    /// Nanoseconds with fewer replicas ready than the work of the time took, its own and recorded.
    package private(set) var shortNanos: UInt64 = 0
    package private(set) var shortNanosKept: UInt64 = 0
    /// Its changes of the target.
    package private(set) var changes: UInt64 = 0

    /// Begins with `replicas` that are ready.
    package init(scaler: any ReplicaPolicy, replicas: Int) {
        self.scaler = scaler
        self.ready = replicas
    }

    /// Its replicas, ready or on their way.
    package var replicas: Int { self.ready + self.starting.count }

    /// A recorded decision.
    package mutating func add(_ input: ScalingInput, _ decision: ScalingDecision) {
        let now = input.at
        let span = now.nanosSince(self.since ?? now)
        self.since = now
        self.nanos += Double(self.replicas) * Double(span)
        self.nanosKept += Double(input.replicas) * Double(span)
        let arrived = self.starting.count { $0.ready <= now.nanos }
        self.starting.removeFirst(arrived)
        self.ready += arrived
        if Double(self.ready) < decision.terms.now { self.shortNanos &+= span }
        if Double(input.ready) < decision.terms.now { self.shortNanosKept &+= span }
        let work = input.work.reduce(0, +)
        if work > 0 {
            self.scaler.offer(
                OfferedRequest(work: work, inputTokens: 1, outputTokens: 1), now: now)
        }
        var at = self.nextAt ?? now
        // A gap in what was recorded is no time in which it decided.
        if now.nanosSince(at) > Self.gapNanos { at = now }
        while at <= now {
            self.decide(input, leadNanos: decision.leadNanos, now: at)
            at = at.advanced(byNanos: self.scaler.intervalNanos)
        }
        self.nextAt = at
    }

    private static let gapNanos: UInt64 = 120_000_000_000

    private mutating func decide(_ input: ScalingInput, leadNanos: UInt64, now: Instant) {
        var view = FleetView()
        view.ready = self.ready
        view.starting = self.starting.map(\.asked)
        view.inFlight = input.inFlight
        view.queued = input.queued
        let target = self.scaler.target(view, now: now)
        let change = target - self.replicas
        guard change != 0 else { return }
        self.changes += 1
        if change > 0 {
            let ready = now.advanced(byNanos: leadNanos).nanos
            self.starting += Array(repeating: (now, ready), count: change)
        } else {
            let unborn = min(-change, self.starting.count)
            self.starting.removeLast(unborn)
            self.ready -= min(self.ready, -change - unborn)
        }
    }
}
