package import Time

/// Work as it comes, counted in bins of one length that end at its whole multiples.
package struct DemandMeter: Sendable {
    /// Nanoseconds of a bin.
    package static let binNanos: UInt64 = 200_000_000
    /// Bins kept while nobody takes them: an hour.
    private static let binsMax = 18_000

    private var closed: [Double] = []
    private var open = 0.0
    /// Bins that had ended when the open one began.
    private var index: UInt64

    /// Counts from `start` on.
    package init(from start: Instant) {
        self.index = start.nanos / Self.binNanos
    }

    /// `work` nanoseconds of a replica are asked for; what is no positive number is passed over.
    package mutating func offer(_ work: Double, now: Instant) {
        self.advance(to: now)
        if work > 0, work.isFinite { self.open += work }
    }

    /// The bins that have ended since the last call, oldest first; the last ended at the last whole
    /// multiple of a bin before `now`.
    package mutating func take(now: Instant) -> [Double] {
        self.advance(to: now)
        defer { self.closed.removeAll(keepingCapacity: true) }
        return self.closed
    }

    private mutating func advance(to now: Instant) {
        let index = now.nanos / Self.binNanos
        guard index > self.index else { return }
        self.closed.append(self.open)
        self.open = 0
        let empty = min(index - self.index - 1, UInt64(Self.binsMax - self.closed.count))
        for _ in 0..<empty { self.closed.append(0) }
        self.index = index
    }
}
