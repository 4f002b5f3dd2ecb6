package import Time

/// The choice alone, without the gate: how it does under another's gate is asked in the twin.
extension Admission {
    /// Sends a request to that of `endpoints` with the least predicted completion, whatever room it
    /// has, and enters it into the ledger; `nil` without endpoints, or when the request lives.
    ///
    /// From then on it is told of like a request that was dispatched. Nothing waits in an admission
    /// that is only asked to place.
    ///
    /// - Complexity: O(endpoints).
    package mutating func place(
        _ arrival: Arrival, among endpoints: [Int32], now: Instant
    ) -> EndpointID? {
        guard self.plan.models.indices.contains(arrival.model.raw),
            self.plan.tenants.indices.contains(arrival.tenant.raw),
            self.slab.slot(of: arrival.request) == nil
        else { return nil }
        var record = self.estimate(arrival, now: now)
        let model = arrival.model.raw
        record.id = arrival.request
        record.served = Int32(model)
        record.classIndex = 0
        record.due = Instant(nanos: .max)
        record.deadline = record.due
        record.flow = Int32(
            self.queues.flow(
                lane: self.pools[model].lanes.lowerBound, tenant: arrival.tenant.raw,
                weight: self.plan.tenants[arrival.tenant.raw].weight))
        record.phase = .queued
        let slot = self.slab.insert(arrival.request)
        self.slab[slot] = record
        self.keepChain(PrefixChain(arrival), slot: slot)
        guard let index = self.leastCompletion(slot, among: endpoints, now: now) else {
            self.settleUnserved(slot)
            return nil
        }
        self.queues.enqueue(slot, slab: &self.slab, held: false)
        var actions = ActionBuffer(capacity: 1)
        self.dispatch(slot, to: index, now: now, into: &actions)
        return EndpointID(raw: index)
    }

    /// One that is not open here is better than none.
    private func leastCompletion(
        _ slot: Int, among endpoints: [Int32], now: Instant
    ) -> Int? {
        var best: Int?
        var bestNanos = Double.infinity
        for position in endpoints where self.rooms.indices.contains(Int(position)) {
            let index = Int(position)
            let nanos =
                self.endpoints[index].isOpen
                ? self.rooms[index].completionNanos(
                    self.slab[slot], self.prefill(slot, at: index), now: now) : 1e30
            if nanos < bestNanos { (best, bestNanos) = (index, nanos) }
        }
        return best
    }
}
