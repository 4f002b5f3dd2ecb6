import Time

/// Whether an endpoint may be given work, from what became of the work it was given.
struct EndpointHealth: Sendable {
    enum State: Sendable, Equatable {
        /// Not ready yet; probed until it is.
        case starting
        case available
        /// Out until a probe succeeds.
        case out
        /// A probe succeeded: one request at a time until one succeeds.
        case halfOpen
    }

    private(set) var state: State
    /// Next probe; meaningful while `starting` or `out`.
    private(set) var probeAt: Instant?
    /// Taken out although half the pool may already be: nothing listens there, or it said it
    /// leaves.
    private(set) var gone = false
    /// Last outcomes, newest in bit 0; 1 is a failure.
    private var outcomes: UInt16 = 0
    private var failures = InlineArray<10, UInt64>(repeating: 0)
    private var failuresAt = 0
    private var timesOut = 0
    /// Probes that failed in a row while work was sent and none of it was answered.
    private var probesFailed = 0

    private static let window = 10
    private static let failuresToEject = 3
    private static let probesToEject = 3
    private static let probeEveryNanos: UInt64 = 1_000_000_000
    private static let backoffMaxNanos: UInt64 = 60_000_000_000

    init(ready: Bool, now: Instant) {
        self.state = ready ? .available : .starting
        self.probeAt = ready ? nil : now.advanced(byNanos: Self.probeEveryNanos)
    }

    /// Work may be sent.
    var isOpen: Bool { self.state == .available || self.state == .halfOpen }

    /// Failures among the last ten outcomes.
    var recentFailures: Int { self.outcomes.nonzeroBitCount }

    /// A request was answered. Whether the endpoint came back by it.
    mutating func succeeded() -> Bool {
        self.probesFailed = 0
        self.outcomes = self.outcomes << 1 & (1 << Self.window - 1)
        guard self.state == .halfOpen else { return false }
        self.state = .available
        self.outcomes = 0
        self.timesOut = 0
        self.gone = false
        return true
    }

    /// A request failed here, its prompt known by `prompt`. Whether the endpoint should be taken
    /// out.
    mutating func failed(prompt: UInt64) -> Bool {
        self.outcomes = (self.outcomes << 1 | 1) & (1 << Self.window - 1)
        self.failures[self.failuresAt] = prompt
        self.failuresAt = (self.failuresAt + 1) % Self.window
        if self.state == .halfOpen { return true }
        let count = self.outcomes.nonzeroBitCount
        guard count >= Self.failuresToEject else { return false }
        // One poison prompt, however often it is sent, never takes an endpoint out.
        let newest = (self.failuresAt + Self.window - 1) % Self.window
        for back in 1..<count
        where self.failures[(newest + Self.window - back) % Self.window] != prompt {
            return true
        }
        return false
    }

    /// Takes it out; each time in a row it stays out for longer.
    mutating func eject(now: Instant, gone: Bool) {
        self.timesOut = min(self.timesOut + 1, 8)
        let wait = min(Self.probeEveryNanos << UInt64(self.timesOut - 1), Self.backoffMaxNanos)
        self.state = .out
        self.probesFailed = 0
        self.gone = gone
        self.outcomes = 0
        self.probeAt = now.advanced(byNanos: wait)
    }

    /// A probe of an open endpoint failed. Whether the endpoint should be taken out: its host may
    /// have vanished, so that what it is sent only waits.
    mutating func probeFailed() -> Bool {
        self.probesFailed += 1
        return self.probesFailed >= Self.probesToEject
    }

    /// A probe came back. Whether the state changed.
    mutating func probed(healthy: Bool, now: Instant) -> Bool {
        switch (self.state, healthy) {
        case (.starting, true):
            self.state = .available
            self.probeAt = nil
            return true
        case (.out, true):
            self.state = .halfOpen
            self.probeAt = nil
            return true
        case (.starting, false):
            self.probeAt = now.advanced(byNanos: Self.probeEveryNanos)
            return false
        case (.out, false):
            self.eject(now: now, gone: self.gone)
            return false
        case (.available, _), (.halfOpen, _):
            if healthy { self.probesFailed = 0 }
            return false
        }
    }

    /// The probe due has been asked for; ask again if nothing is heard.
    mutating func probeSent(now: Instant) {
        self.probeAt = now.advanced(byNanos: 5 * Self.probeEveryNanos)
    }
}
