import RequestPath

/// All live requests of a baseline, found by id; it grows to as many as were ever live at once.
struct RequestBook: Sendable {
    private var records: [LiveRequest] = []
    private var table: SlotTable
    private var free: Int32 = -1
    private var arrivals: UInt64 = 0

    init(capacity: Int) {
        self.table = SlotTable(capacity: capacity)
        self.records.reserveCapacity(capacity)
    }

    var liveCount: Int { self.table.count }

    /// Slots ever used; live ones are those whose phase is not `free`.
    var slotCount: Int { self.records.count }

    subscript(slot: Int) -> LiveRequest {
        _read { yield self.records[slot] }
        _modify { yield &self.records[slot] }
    }

    /// The slot of a live request; `nil` for an id that is not live.
    func slot(of id: RequestID) -> Int? { self.table[id.raw] }

    /// Enters a request whose id is not live, and numbers it.
    ///
    /// - Complexity: O(1) amortised.
    mutating func insert(_ request: LiveRequest) -> Int {
        var request = request
        self.arrivals += 1
        request.order = self.arrivals
        let slot: Int
        if self.free >= 0 {
            slot = Int(self.free)
            self.free = self.records[slot].next
            self.records[slot] = request
        } else {
            slot = self.records.count
            self.records.append(request)
        }
        self.table.insert(request.id.raw, slot: slot)
        return slot
    }

    /// Gives a record back.
    mutating func remove(_ slot: Int) {
        self.table.remove(self.records[slot].id.raw)
        self.records[slot].phase = .free
        self.records[slot].prefixHashes = []
        self.records[slot].next = self.free
        self.free = Int32(slot)
    }
}
