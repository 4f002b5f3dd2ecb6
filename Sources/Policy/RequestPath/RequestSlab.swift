/// All live requests: records in one array with a free list, found by id through one open table.
///
/// It grows by doubling when more are live than ever before, and then allocates nothing.
struct RequestSlab: Sendable {
    private var records: [RequestRecord] = []
    private var free: Int32 = -1
    private(set) var liveCount = 0
    /// Slots by hash of id, linear probing; -1 is empty. Its size is a power of two, at most half
    /// full.
    private var table: [Int32]

    init(capacity: Int) {
        var size = 16
        while size < capacity * 2 { size *= 2 }
        self.table = Array(repeating: -1, count: size)
        self.records.reserveCapacity(capacity)
    }

    /// Slots ever used; live ones are those whose phase is not `free`.
    var slotCount: Int { self.records.count }

    subscript(slot: Int) -> RequestRecord {
        _read { yield self.records[slot] }
        _modify { yield &self.records[slot] }
    }

    /// The slot of a live request; `nil` for an id that is not live, settled ones among them.
    ///
    /// - Complexity: O(1) expected.
    func slot(of id: RequestID) -> Int? {
        var position = self.home(of: id)
        while self.table[position] >= 0 {
            let slot = Int(self.table[position])
            if self.records[slot].id == id { return slot }
            position = (position + 1) & (self.table.count - 1)
        }
        return nil
    }

    /// Takes a record for `id`, reset. The id must not be live.
    ///
    /// - Complexity: O(1) amortised.
    mutating func insert(_ id: RequestID) -> Int {
        let slot: Int
        if self.free >= 0 {
            slot = Int(self.free)
            self.free = self.records[slot].next
            self.records[slot] = RequestRecord()
        } else {
            slot = self.records.count
            self.records.append(RequestRecord())
        }
        self.records[slot].id = id
        self.liveCount += 1
        if self.liveCount * 2 > self.table.count { self.grow() }
        self.enter(slot)
        return slot
    }

    /// Gives a record back.
    mutating func remove(_ slot: Int) {
        self.leave(slot)
        self.records[slot].phase = .free
        self.records[slot].next = self.free
        self.free = Int32(slot)
        self.liveCount -= 1
    }

    private func home(of id: RequestID) -> Int {
        // Fibonacci hashing: ids are often consecutive.
        let mixed = (id.raw ^ (id.raw >> 32)) &* 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: mixed >> 20) & (self.table.count - 1)
    }

    private mutating func enter(_ slot: Int) {
        var position = self.home(of: self.records[slot].id)
        while self.table[position] >= 0 { position = (position + 1) & (self.table.count - 1) }
        self.table[position] = Int32(slot)
    }

    /// Removes by shifting later entries of the run back, so that no tombstones gather.
    private mutating func leave(_ slot: Int) {
        let mask = self.table.count - 1
        var hole = self.home(of: self.records[slot].id)
        while self.table[hole] != Int32(slot) {
            guard self.table[hole] >= 0 else { return }
            hole = (hole + 1) & mask
        }
        var position = (hole + 1) & mask
        while self.table[position] >= 0 {
            let home = self.home(of: self.records[Int(self.table[position])].id)
            if (position &- home) & mask >= (position &- hole) & mask {
                self.table[hole] = self.table[position]
                hole = position
            }
            position = (position + 1) & mask
        }
        self.table[hole] = -1
    }

    private mutating func grow() {
        let old = self.table
        self.table = Array(repeating: -1, count: old.count * 2)
        for slot in old where slot >= 0 { self.enter(Int(slot)) }
    }
}
