package import Time

/// The choice alone, without the gate: how it does under another's gate is asked in the twin.
extension Admission {
    /// Sends a request to the endpoint of the least predicted completion, whatever room it has, and
    /// enters it into the ledger; `nil` when no endpoint of the model is open, or the request lives.
    ///
    /// From then on it is told of like a request that was dispatched. Nothing waits in an admission
    /// that is only asked to place.
    ///
    /// - Complexity: O(endpoints of the model).
    package mutating func place(_ arrival: Arrival, now: Instant) -> EndpointID? {
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
        guard let index = self.pick(model, for: slot, heedsRoom: false) else {
            self.settleUnserved(slot)
            return nil
        }
        self.queues.enqueue(slot, slab: &self.slab, held: false)
        var actions = ActionBuffer(capacity: 1)
        self.dispatch(slot, to: index, now: now, into: &actions)
        return EndpointID(raw: index)
    }
}
