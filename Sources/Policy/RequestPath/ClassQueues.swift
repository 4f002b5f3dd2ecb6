import Time

/// Everything queued, in the order it will be served: class, then tenant, then deadline.
///
/// Classes go in strict order, with bounded waiting: the next request of a lower class goes first
/// once it has waited its maximum, at most every other time. Inside a class tenants take turns by
/// deficit round robin, charged in token work when they send and corrected when the answer is
/// complete. Inside a tenant the earliest deadline goes first.
struct ClassQueues: Sendable {
    private(set) var flows: [Flow] = []
    var lanes: [Lane] = []
    /// Flow of (lane, tenant), or -1: made when the tenant first uses the class.
    private var flowIndexes: [Int32] = []
    private var tenantCount = 0

    /// Token work a flow of weight 1 may send in one turn.
    static let quantum = 4096.0
    /// A flow owes no more than this many quanta, however wrong its estimates were.
    private static let debtMaxQuanta = 64.0

    init(lanes: [Lane], tenantCount: Int) {
        self.lanes = lanes
        self.tenantCount = tenantCount
        self.flowIndexes = Array(repeating: -1, count: lanes.count * tenantCount)
    }

    /// Tenants were appended.
    mutating func grow(tenantCount: Int) {
        guard tenantCount > self.tenantCount else { return }
        var indexes: [Int32] = Array(repeating: -1, count: self.lanes.count * tenantCount)
        for (index, flow) in self.flows.enumerated() {
            indexes[Int(flow.lane) * tenantCount + Int(flow.tenant)] = Int32(index)
        }
        self.flowIndexes = indexes
        self.tenantCount = tenantCount
    }

    /// The flow of a tenant in a lane, made if there is none yet.
    mutating func flow(lane: Int, tenant: Int, weight: Double) -> Int {
        let key = lane * self.tenantCount + tenant
        if self.flowIndexes[key] >= 0 { return Int(self.flowIndexes[key]) }
        self.flows.append(
            Flow(tenant: Int32(tenant), lane: Int32(lane), weight: max(weight, 1e-3)))
        self.flowIndexes[key] = Int32(self.flows.count - 1)
        return self.flows.count - 1
    }

    mutating func setWeight(tenant: Int, weight: Double) {
        for lane in self.lanes.indices {
            let index = Int(self.flowIndexes[lane * self.tenantCount + tenant])
            guard index >= 0 else { continue }
            if self.flows[index].isInRing {
                self.lanes[lane].weightInRing += max(weight, 1e-3) - self.flows[index].weight
            }
            self.flows[index].weight = max(weight, 1e-3)
        }
    }

    /// Puts a record into its flow. `held` flows take no turns.
    ///
    /// - Complexity: O(1) for deadlines that come in order; else O(those of the flow that are
    ///   later).
    mutating func enqueue(_ slot: Int, slab: inout RequestSlab, held: Bool) {
        let index = Int(slab[slot].flow)
        var after = self.flows[index].tail
        while after >= 0, slab[Int(after)].due > slab[slot].due {
            after = slab[Int(after)].previous
        }
        let before = after >= 0 ? slab[Int(after)].next : self.flows[index].head
        slab[slot].previous = after
        slab[slot].next = before
        if after >= 0 {
            slab[Int(after)].next = Int32(slot)
        } else {
            self.flows[index].head = Int32(slot)
        }
        if before >= 0 {
            slab[Int(before)].previous = Int32(slot)
        } else {
            self.flows[index].tail = Int32(slot)
        }
        self.count(slab[slot], flow: index, sign: 1)
        if !held { self.join(index) }
    }

    /// Takes a record out of its flow.
    mutating func remove(_ slot: Int, slab: inout RequestSlab) {
        let index = Int(slab[slot].flow)
        let previous = slab[slot].previous
        let next = slab[slot].next
        if previous >= 0 {
            slab[Int(previous)].next = next
        } else {
            self.flows[index].head = next
        }
        if next >= 0 {
            slab[Int(next)].previous = previous
        } else {
            self.flows[index].tail = previous
        }
        self.count(slab[slot], flow: index, sign: -1)
        if self.flows[index].head < 0 {
            self.leave(index)
            self.flows[index].deficit = min(0, self.flows[index].deficit)
        }
    }

    /// The flow's tenant may send again, or may not.
    mutating func setHeld(_ held: Bool, tenant: Int) {
        for lane in self.lanes.indices {
            let index = Int(self.flowIndexes[lane * self.tenantCount + tenant])
            guard index >= 0, self.flows[index].head >= 0 else { continue }
            if held { self.leave(index) } else { self.join(index) }
        }
    }

    /// The slot whose turn it is in a lane; `nil` when nothing there is eligible.
    ///
    /// - Complexity: O(1) amortised over what is sent.
    mutating func next(lane: Int) -> Int? {
        while self.lanes[lane].turn >= 0 {
            let index = Int(self.lanes[lane].turn)
            if self.flows[index].deficit > 0 { return Int(self.flows[index].head) }
            self.flows[index].deficit += Self.quantum * self.flows[index].weight
            // Alone, or with credit again at the end of its turn: the next one goes.
            self.lanes[lane].turn = self.flows[index].ringNext
        }
        return nil
    }

    /// Charges a flow for what it sends, or corrects that (`work` may be negative).
    mutating func charge(flow index: Int, work: Double) {
        let floor = -Self.debtMaxQuanta * Self.quantum * self.flows[index].weight
        // What comes back after the queue has run dry is no credit for later.
        let ceiling = self.flows[index].head < 0 ? 0 : Double.infinity
        self.flows[index].attained += work
        let deficit = self.flows[index].deficit - work
        self.flows[index].deficit = min(ceiling, max(floor, deficit))
    }

    /// A request of the flow came: looks at what the flows of its lane attain, when it is time to.
    mutating func noteArrived(flow index: Int, work: Double, now: Instant) {
        self.flows[index].share.noteArrived(work: work)
        let lane = Int(self.flows[index].lane)
        guard self.lanes[lane].fairShare.isDue(now) else { return }
        self.lanes[lane].fairShare.look(&self.flows, lane: lane, now: now)
    }

    /// A request of the flow was refused for want of capacity.
    mutating func noteRefused(flow index: Int, now: Instant) {
        let lane = Int(self.flows[index].lane)
        self.lanes[lane].fairShare.noteRefused(self.flows[index], now: now)
    }

    /// Nanoseconds until the flow is no longer held back for others; `nil` when it is not.
    func heldForOthers(flow index: Int, now: Instant) -> Double? {
        let share = self.lanes[Int(self.flows[index].lane)].fairShare
        return share.holds(self.flows[index], now: now)
            ? share.nanosToCredit(self.flows[index]) : nil
    }

    /// Records linked into the flows of a lane; flows that are empty have no turn.
    func linked(lane: Int, slab: RequestSlab) -> Int {
        var count = 0
        for flow in self.flows where Int(flow.lane) == lane {
            var slot = flow.head
            while slot >= 0 {
                count += 1
                slot = slab[Int(slot)].next
            }
            if flow.head < 0, flow.isInRing { return -1 }
        }
        return count
    }

    mutating func noteAdmitted(flow index: Int, _ demand: Demand, now: Instant) {
        self.flows[index].admitted.add(demand, now: now)
        self.lanes[Int(self.flows[index].lane)].admitted.add(demand, now: now)
    }

    private mutating func count(_ record: RequestRecord, flow index: Int, sign: Double) {
        let demand = Demand(
            prefillTokens: sign * Double(record.prefillTokens), requests: sign)
        self.flows[index].queued += demand
        let lane = Int(self.flows[index].lane)
        self.lanes[lane].queued += demand
        if sign > 0 {
            self.lanes[lane].bytes += UInt64(record.bodyBytes)
        } else {
            self.lanes[lane].bytes -= UInt64(record.bodyBytes)
        }
    }

    /// Joins the ring just behind the turn: every other flow goes once before it.
    private mutating func join(_ index: Int) {
        guard !self.flows[index].isInRing else { return }
        let lane = Int(self.flows[index].lane)
        self.lanes[lane].weightInRing += self.flows[index].weight
        let turn = Int(self.lanes[lane].turn)
        guard turn >= 0 else {
            self.flows[index].ringNext = Int32(index)
            self.flows[index].ringPrevious = Int32(index)
            self.lanes[lane].turn = Int32(index)
            return
        }
        let last = Int(self.flows[turn].ringPrevious)
        self.flows[index].ringPrevious = Int32(last)
        self.flows[index].ringNext = Int32(turn)
        self.flows[last].ringNext = Int32(index)
        self.flows[turn].ringPrevious = Int32(index)
    }

    private mutating func leave(_ index: Int) {
        guard self.flows[index].isInRing else { return }
        let lane = Int(self.flows[index].lane)
        self.lanes[lane].weightInRing -= self.flows[index].weight
        let next = self.flows[index].ringNext
        let previous = self.flows[index].ringPrevious
        if Int(next) == index {
            self.lanes[lane].turn = -1
            self.lanes[lane].weightInRing = 0
        } else {
            self.flows[Int(previous)].ringNext = next
            self.flows[Int(next)].ringPrevious = previous
            if Int(self.lanes[lane].turn) == index { self.lanes[lane].turn = next }
        }
        self.flows[index].ringNext = -1
        self.flows[index].ringPrevious = -1
    }
}
