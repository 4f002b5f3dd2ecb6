import Time

/// Which step of the degrade ladder is in force for one class of one model.
///
/// It climbs at once when waiting grows past `engageShare` of the plan and one step more for each
/// `climbEveryNanos` it stays there; it comes down a step after waiting has stayed low for the
/// whole hold time. Each return within a hold time of coming down doubles the hold: a load that
/// needs the ladder keeps it, and does not flap.
struct Ladder: Sendable {
    /// 0 is off; step n is the ladder's entry n - 1.
    private(set) var step = 0
    private var changedAt = Instant.zero
    private var lowSince: Instant?
    private var holdNanos: UInt64 = Self.holdMinNanos
    private var cameDownAt: Instant?

    static let engageShare = 0.5
    static let releaseShare = 0.2
    private static let climbEveryNanos: UInt64 = 1_000_000_000
    private static let holdMinNanos: UInt64 = 30_000_000_000
    private static let holdMaxNanos: UInt64 = 600_000_000_000

    /// The predicted wait of a new request is `share` of its plan. `next` is the step above that
    /// relieves something, if any. Whether the step changed.
    mutating func observe(share: Double, next: Int?, now: Instant) -> Bool {
        if share > Self.releaseShare { self.lowSince = nil }
        if share > Self.engageShare { return self.climb(to: next, now: now) }
        if share <= Self.releaseShare, self.lowSince == nil { self.lowSince = now }
        return self.comeDown(now: now)
    }

    /// When it may come down next without another observation.
    var dueAt: Instant? {
        guard self.step > 0, let lowSince = self.lowSince else { return nil }
        return max(lowSince, self.changedAt).advanced(byNanos: self.holdNanos)
    }

    /// Comes down a step if it is time to. Whether the step changed.
    mutating func comeDown(now: Instant) -> Bool {
        guard let dueAt = self.dueAt, now >= dueAt else { return false }
        self.step -= 1
        self.changedAt = now
        self.cameDownAt = now
        return true
    }

    /// The plan's ladder is shorter now.
    mutating func clip(to steps: Int) {
        self.step = min(self.step, steps)
    }

    private mutating func climb(to next: Int?, now: Instant) -> Bool {
        guard let next, next > self.step else { return false }
        guard self.step == 0 || now.nanosSince(self.changedAt) >= Self.climbEveryNanos else {
            return false
        }
        if let cameDownAt = self.cameDownAt {
            let soon = now.nanosSince(cameDownAt) < 2 * self.holdNanos
            self.holdNanos =
                soon ? min(self.holdNanos * 2, Self.holdMaxNanos) : Self.holdMinNanos
            self.cameDownAt = nil
        }
        self.step = next
        self.changedAt = now
        return true
    }
}
