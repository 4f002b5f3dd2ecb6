import Time

/// Timers of requests: a four-ary heap of slots ordered by instant, then slot.
///
/// Each slot holds at most one timer. Storage grows with the slab and is never given back, so that
/// setting and clearing allocate nothing in steady state.
struct DeadlineHeap: Sendable {
    private struct Entry {
        var at: Instant
        var slot: Int32
    }

    private var entries: [Entry] = []
    /// Position of each slot's entry, or -1.
    private var positions: [Int32] = []

    init(capacity: Int) {
        self.entries.reserveCapacity(capacity)
        self.positions.reserveCapacity(capacity)
    }

    /// The earliest timer, if any.
    var first: (at: Instant, slot: Int)? {
        guard let entry = self.entries.first else { return nil }
        return (entry.at, Int(entry.slot))
    }

    func contains(_ slot: Int) -> Bool {
        slot < self.positions.count && self.positions[slot] >= 0
    }

    /// Sets or moves the timer of `slot`.
    ///
    /// - Complexity: O(log n).
    mutating func set(_ slot: Int, at: Instant) {
        while self.positions.count <= slot { self.positions.append(-1) }
        let position = Int(self.positions[slot])
        if position < 0 {
            self.entries.append(Entry(at: at, slot: Int32(slot)))
            self.positions[slot] = Int32(self.entries.count - 1)
            self.siftUp(self.entries.count - 1)
        } else {
            self.entries[position].at = at
            self.siftUp(position)
            self.siftDown(Int(self.positions[slot]))
        }
    }

    /// Clears the timer of `slot`; nothing happens when it has none.
    ///
    /// - Complexity: O(log n).
    mutating func clear(_ slot: Int) {
        guard slot < self.positions.count else { return }
        let position = Int(self.positions[slot])
        guard position >= 0 else { return }
        self.positions[slot] = -1
        let last = self.entries.removeLast()
        guard position < self.entries.count else { return }
        self.place(last, at: position)
        self.siftUp(position)
        self.siftDown(Int(self.positions[Int(last.slot)]))
    }

    private static func precedes(_ left: Entry, _ right: Entry) -> Bool {
        left.at == right.at ? left.slot < right.slot : left.at < right.at
    }

    private mutating func place(_ entry: Entry, at position: Int) {
        self.entries[position] = entry
        self.positions[Int(entry.slot)] = Int32(position)
    }

    private mutating func siftUp(_ start: Int) {
        var position = start
        let entry = self.entries[position]
        while position > 0 {
            let parent = (position - 1) / 4
            guard Self.precedes(entry, self.entries[parent]) else { break }
            self.place(self.entries[parent], at: position)
            position = parent
        }
        self.place(entry, at: position)
    }

    private mutating func siftDown(_ start: Int) {
        var position = start
        let entry = self.entries[position]
        while true {
            let firstChild = position * 4 + 1
            guard firstChild < self.entries.count else { break }
            var least = firstChild
            for child in firstChild..<min(firstChild + 4, self.entries.count)
            where Self.precedes(self.entries[child], self.entries[least]) {
                least = child
            }
            guard Self.precedes(self.entries[least], entry) else { break }
            self.place(self.entries[least], at: position)
            position = least
        }
        self.place(entry, at: position)
    }
}
