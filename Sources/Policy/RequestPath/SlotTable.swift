/// Slots found by a 64-bit key: one open table with linear probing, at most half full.
///
/// It grows by doubling and is never given back, so that it allocates nothing in steady state.
package struct SlotTable: Sendable {
    private struct Entry: Sendable {
        var key: UInt64 = 0
        /// -1 is empty.
        var slot: Int32 = -1
    }

    private var entries: [Entry]
    /// Keys that are there.
    package private(set) var count = 0

    /// `capacity` keys fit before it first grows.
    package init(capacity: Int) {
        var size = 16
        while size < capacity * 2 { size *= 2 }
        self.entries = Array(repeating: Entry(), count: size)
    }

    /// The slot of a key, or `nil`.
    ///
    /// - Complexity: O(1) expected.
    package subscript(key: UInt64) -> Int? {
        var position = self.home(of: key)
        while self.entries[position].slot >= 0 {
            if self.entries[position].key == key { return Int(self.entries[position].slot) }
            position = (position + 1) & (self.entries.count - 1)
        }
        return nil
    }

    /// Enters a key that is not there.
    ///
    /// - Complexity: O(1) amortised.
    package mutating func insert(_ key: UInt64, slot: Int) {
        self.count += 1
        if self.count * 2 > self.entries.count { self.grow() }
        self.place(Entry(key: key, slot: Int32(slot)))
    }

    /// Removes a key by shifting later entries of its run back, so that no tombstones gather;
    /// nothing happens when it is not there.
    package mutating func remove(_ key: UInt64) {
        let mask = self.entries.count - 1
        var hole = self.home(of: key)
        while self.entries[hole].slot >= 0, self.entries[hole].key != key {
            hole = (hole + 1) & mask
        }
        guard self.entries[hole].slot >= 0 else { return }
        var position = (hole + 1) & mask
        while self.entries[position].slot >= 0 {
            let home = self.home(of: self.entries[position].key)
            if (position &- home) & mask >= (position &- hole) & mask {
                self.entries[hole] = self.entries[position]
                hole = position
            }
            position = (position + 1) & mask
        }
        self.entries[hole] = Entry()
        self.count -= 1
    }

    private func home(of key: UInt64) -> Int {
        // Fibonacci hashing: keys are often consecutive.
        let mixed = (key ^ (key >> 32)) &* 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: mixed >> 20) & (self.entries.count - 1)
    }

    private mutating func place(_ entry: Entry) {
        var position = self.home(of: entry.key)
        while self.entries[position].slot >= 0 {
            position = (position + 1) & (self.entries.count - 1)
        }
        self.entries[position] = entry
    }

    private mutating func grow() {
        let old = self.entries
        self.entries = Array(repeating: Entry(), count: old.count * 2)
        for entry in old where entry.slot >= 0 { self.place(entry) }
    }
}
