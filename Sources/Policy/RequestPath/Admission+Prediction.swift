import Time

/// When a request's first token would come.
struct Prediction: Sendable {
    /// At the gateway, then at the engine, in nanoseconds.
    var waitNanos: Double
    var engineNanos: Double

    var totalNanos: Double { self.waitNanos + self.engineNanos }
}

extension Admission {
    /// Predicts the time to first token of a request that would join `flow` now.
    ///
    /// Two things may be short: prefill tokens an engine may be handed, and sequences it may run.
    /// The wait is the longer of the two; each is the work ahead over the rate at which the pool
    /// serves it. Ahead are the classes above, what they will still bring, and the tenant's own
    /// queue at the tenant's share.
    func predict(
        _ demand: Demand, flow index: Int, pool: Int, now: Instant
    ) -> Prediction {
        let capacity = self.capacity(of: pool)
        let flow = self.queues.flows[index]
        let lane = Int(flow.lane)
        var above = Demand.zero
        var aboveRate = Demand.zero
        for higher in self.pools[pool].lanes.lowerBound..<lane {
            above += self.queues.lanes[higher].queued
            aboveRate += self.queues.lanes[higher].admitted.perNano(now: now)
        }
        let laneRate = self.queues.lanes[lane].admitted.perNano(now: now)
        let ownRate = flow.admitted.perNano(now: now)
        let laneQueued = self.queues.lanes[lane].queued
        let share = Share(
            of: flow, weights: self.queues.lanes[lane].weightInRing,
            work: TokenWork.of(
                prefillTokens: demand.prefillTokens,
                outputTokens: self.pools[pool].outputs.meanServed))
        let prefill = share.wait(
            capacity: capacity.prefillRate, above: above.prefillTokens,
            aboveRate: aboveRate.prefillTokens, lane: laneQueued.prefillTokens,
            othersRate: laneRate.prefillTokens - ownRate.prefillTokens,
            own: flow.queued.prefillTokens,
            free: capacity.prefillWindow - capacity.prefillWaiting - demand.prefillTokens,
            turn: share.requestsPerTurn * demand.prefillTokens)
        let slots = share.wait(
            capacity: capacity.slotRate, above: above.requests, aboveRate: aboveRate.requests,
            lane: laneQueued.requests, othersRate: laneRate.requests - ownRate.requests,
            own: flow.queued.requests + 1, free: Double(capacity.slots - capacity.inFlight),
            turn: share.requestsPerTurn)
        let waiting = self.prefillLeft(in: pool, now: now) / Double(max(1, capacity.open))
        return Prediction(
            waitNanos: max(prefill, slots),
            engineNanos: self.pools[pool].steps.firstTokenNanos(
                tokens: waiting + demand.prefillTokens))
    }

    /// Prefill tokens that wait at a pool's engines and are not believed to be computed yet; all
    /// that wait in a pool too large to ask each.
    ///
    /// - Complexity: O(endpoints), of at most `comparedWhole`.
    private func prefillLeft(in pool: Int, now: Instant) -> Double {
        guard self.pools[pool].endpoints.count <= Self.comparedWhole else {
            return self.pools[pool].capacity.prefillWaiting
        }
        var left = 0.0
        for position in self.pools[pool].endpoints where self.endpoints[Int(position)].isOpen {
            left += Double(self.prefillLeft(at: Int(position), now: now))
        }
        return left
    }

    /// Nanoseconds to the first token at the endpoint with room that would answer first; `nil`
    /// where none has room, or in a pool too large to ask each: the mean is near it there.
    ///
    /// - Complexity: O(endpoints), of at most `comparedWhole`.
    func soonestFirstToken(
        _ record: RequestRecord, model: Int, now: Instant
    ) -> Double? {
        guard self.pools[model].endpoints.count <= Self.comparedWhole else { return nil }
        let prefill = Prefill(owed: record.prefillTokens, believed: record.prefillTokens)
        var soonest: Double?
        for position in self.pools[model].endpoints {
            let room = self.rooms[Int(position)]
            guard room.fits(record, prefill) else { continue }
            let nanos = room.firstTokenNanos(
                prefillTokens: record.prefillTokens, now: now)
            soonest = min(soonest ?? nanos, nanos)
        }
        return soonest
    }

    /// The pool's capacity; that of one endpoint not yet known while none is open.
    func capacity(of pool: Int) -> PoolShare {
        let capacity = self.pools[pool].capacity
        guard capacity.open == 0 else { return capacity }
        let endpoint = Endpoint(model: pool, ready: true, now: .zero)
        return self.pools[pool].share(of: endpoint)
    }

    /// Tells the pool what has changed at an endpoint.
    mutating func refresh(_ index: Int) {
        let model = self.endpoints[index].model
        self.rooms[index] = self.pools[model].refresh(&self.endpoints[index])
    }
}

/// A flow's part of what its lane is given.
private struct Share {
    /// 0...1, at worst: with every other flow in the ring busy.
    let least: Double
    let othersWeight: Double
    /// Requests the others may send before the flow's turn comes.
    let requestsPerTurn: Double

    init(of flow: Flow, weights: Double, work: Double) {
        let sum = weights + (flow.isInRing ? 0 : flow.weight)
        self.least = flow.weight / sum
        self.othersWeight = max(0, sum - flow.weight)
        self.requestsPerTurn = self.othersWeight * max(1, ClassQueues.quantum / max(1, work))
    }

    /// Nanoseconds until the flow's queue of `own` has been sent.
    func wait(
        capacity: Double, above: Double, aboveRate: Double, lane: Double, othersRate: Double,
        own: Double, free: Double, turn: Double
    ) -> Double {
        let left = max(capacity - aboveRate, capacity * 0.05)
        let mine = max(left * self.least, left - max(0, othersRate))
        let others = min(max(0, lane - own), turn)
        let ahead = (above + others) / capacity + own / mine
        return max(0, ahead - max(0, free) / capacity)
    }
}
