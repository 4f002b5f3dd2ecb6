package import Time

/// The slowest requests of the last minutes and the latest failures, for a person who looks.
///
/// Bounded: 20 slow ones inside five minutes, 50 failures. A request that is no candidate costs
/// two comparisons.
package struct NotableRequests: Sendable {
    private static let slowMax = 20
    private static let failedMax = 50
    private static let windowNanos: UInt64 = 300_000_000_000

    /// Unordered.
    package private(set) var slow: [RequestRecord] = []
    /// From the oldest to the newest.
    package private(set) var failed: [RequestRecord] = []
    /// While the list is full: what a request must exceed to enter it.
    private var leastNanos: UInt64 = 0
    /// When the oldest entry leaves.
    private var expiresAt = Instant.zero

    init() {}

    mutating func offer(_ record: RequestRecord) {
        if case .failed = record.outcome {
            if self.failed.count == Self.failedMax { self.failed.removeFirst() }
            self.failed.append(Self.kept(record))
        }
        if self.slow.count == Self.slowMax, record.endToEndNanos <= self.leastNanos,
            record.times.end < self.expiresAt
        {
            return
        }
        self.insert(Self.kept(record))
    }

    /// Adds another loop's.
    mutating func merge(_ other: NotableRequests) {
        self.slow += other.slow
        self.slow.sort { $0.endToEndNanos > $1.endToEndNanos }
        self.slow.removeLast(max(0, self.slow.count - Self.slowMax))
        self.failed += other.failed
        self.failed.sort { $0.times.end < $1.times.end }
        self.failed.removeFirst(max(0, self.failed.count - Self.failedMax))
    }

    /// The slowest first, of those that ended within the window before `now`.
    package func slowest(now: Instant) -> [RequestRecord] {
        self.slow.filter { now.nanosSince($0.times.end) < Self.windowNanos }
            .sorted { $0.endToEndNanos > $1.endToEndNanos }
    }

    private mutating func insert(_ record: RequestRecord) {
        let now = record.times.end
        self.slow.removeAll { now.nanosSince($0.times.end) >= Self.windowNanos }
        if self.slow.count == Self.slowMax {
            var least = 0
            for index in self.slow.indices
            where self.slow[index].endToEndNanos < self.slow[least].endToEndNanos {
                least = index
            }
            guard self.slow[least].endToEndNanos < record.endToEndNanos else { return }
            self.slow[least] = record
        } else {
            self.slow.append(record)
        }
        self.leastNanos = self.slow.reduce(.max) { min($0, $1.endToEndNanos) }
        let oldest = self.slow.reduce(now) { min($0, $1.times.end) }
        self.expiresAt = oldest.advanced(byNanos: Self.windowNanos)
    }

    /// A copy that shares no storage with the exchange, whose buffers are used again.
    private static func kept(_ record: RequestRecord) -> RequestRecord {
        var copy = record
        copy.requestID = record.requestID.withUnsafeBufferPointer { Array($0) }
        return copy
    }
}
