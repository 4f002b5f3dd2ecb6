import Time

/// Slots to be sent again, by instant, then by slot: a binary heap whose memory is kept.
///
/// Entries of requests that ended meanwhile are not taken out: who removes one must look whether
/// it still means something.
struct RetryHeap: Sendable {
    private struct Entry: Sendable {
        var at: Instant
        var slot: Int32
    }

    private var entries: [Entry] = []

    /// When the first one is due.
    var first: Instant? { self.entries.first?.at }

    /// Adds a slot.
    ///
    /// - Complexity: O(log n).
    mutating func insert(_ slot: Int, at: Instant) {
        self.entries.append(Entry(at: at, slot: Int32(slot)))
        var position = self.entries.count - 1
        while position > 0, self.precedes(position, (position - 1) / 2) {
            self.entries.swapAt(position, (position - 1) / 2)
            position = (position - 1) / 2
        }
    }

    /// Takes out the first one, if it is due by then.
    ///
    /// - Complexity: O(log n).
    mutating func removeFirst(dueBy now: Instant) -> (at: Instant, slot: Int)? {
        guard let first = self.entries.first, first.at <= now else { return nil }
        let last = self.entries.removeLast()
        guard !self.entries.isEmpty else { return (first.at, Int(first.slot)) }
        self.entries[0] = last
        var position = 0
        while position * 2 + 1 < self.entries.count {
            var child = position * 2 + 1
            if child + 1 < self.entries.count, self.precedes(child + 1, child) { child += 1 }
            guard self.precedes(child, position) else { break }
            self.entries.swapAt(child, position)
            position = child
        }
        return (first.at, Int(first.slot))
    }

    private func precedes(_ left: Int, _ right: Int) -> Bool {
        let (one, other) = (self.entries[left], self.entries[right])
        return one.at == other.at ? one.slot < other.slot : one.at < other.at
    }
}
