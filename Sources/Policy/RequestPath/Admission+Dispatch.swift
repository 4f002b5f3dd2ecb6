import Time

extension Admission {
    /// Puts a queued record into its flow and sets its timer.
    mutating func enqueue(_ slot: Int, now: Instant) {
        let tenant = Int(self.slab[slot].tenant)
        self.queues.enqueue(slot, slab: &self.slab, held: self.tenants[tenant].isHeld)
        self.timers.set(slot, at: self.lastUse(of: self.slab[slot]))
    }

    /// The instant after which sending a queued request is of no use.
    func lastUse(of record: RequestRecord) -> Instant {
        let over = record.deadline.nanosSince(record.due)
        let grace = min(over, record.due.nanosSince(record.arrival) / 16)
        return record.due.advanced(byNanos: grace)
    }

    /// Sends queued work of a model while an endpoint has room. Where only `changed` can have
    /// gained room, the others are not asked again for a request that they had none for.
    mutating func pump(
        _ model: Int, changed: Int? = nil, now: Instant, into actions: inout ActionBuffer
    ) {
        while let (slot, isOverdue) = self.head(of: model, now: now) {
            let endpoint: Int?
            if let changed, slot == self.pools[model].stuckSlot {
                endpoint = self.hasRoom(changed, for: slot) ? changed : nil
            } else {
                endpoint = self.pick(model, for: slot, now: now)
            }
            guard let endpoint else {
                self.pools[model].stuckSlot = slot
                return
            }
            self.pools[model].stuckSlot = -1
            let lane = Int(self.queues.flows[Int(self.slab[slot].flow)].lane)
            if self.isHopeless(slot, at: endpoint, now: now) {
                self.refuseLate(slot, now: now, into: &actions)
            } else {
                self.pools[model].overdueLast = isOverdue
                self.dispatch(slot, to: endpoint, now: now, into: &actions)
            }
            if self.queues.lanes[lane].turn < 0 {
                self.observeIdle(lane: lane, model: model, now: now, into: &actions)
            }
        }
        self.pools[model].stuckSlot = -1
    }

    /// The request to send next, and whether it goes before higher classes for having waited.
    mutating func head(of model: Int, now: Instant) -> (slot: Int, isOverdue: Bool)? {
        var first: Int?
        for lane in self.pools[model].lanes {
            guard let slot = self.queues.next(lane: lane) else { continue }
            guard first != nil else {
                first = slot
                if self.pools[model].overdueLast { break }
                continue
            }
            if now >= self.overdueAt(slot) { return (slot, true) }
        }
        return first.map { ($0, false) }
    }

    private func overdueAt(_ slot: Int) -> Instant {
        let record = self.slab[slot]
        let model = Int(record.served)
        let bounds = self.plan.models[model].classes[Int(record.classIndex)]
        let engine = self.pools[model].steps.firstTokenNanos(tokens: Double(record.prefillTokens))
        let useful = record.due.nanosSince(record.arrival)
        let last = min(bounds.maxWaitNanos ?? useful, useful)
        return record.arrival.advanced(
            byNanos: last - min(last / 2, UInt64(saturating: 2 * engine)))
    }

    /// Whether an endpoint that has changed has room for the request that waits first; if not, its
    /// limits know what held it.
    private mutating func hasRoom(_ index: Int, for slot: Int) -> Bool {
        let room = self.rooms[index]
        if room.fits(self.slab[slot], self.prefill(slot, at: index)) {
            return true
        }
        self.endpoints[index].limits.noteBound(
            sequences: room.sequences <= 0 || room.contextTokens < self.slab[slot].contextTokens)
        return false
    }

    /// Among endpoints with room the one that would complete the request first, and one that failed
    /// it only when there is no other. Of a large pool the first `choices` with room are compared,
    /// from a place drawn at random. What an endpoint has of the prompt in its prefix cache counts
    /// for the time it saves.
    ///
    /// - Complexity: O(log endpoints) for each that is compared. O(endpoints) at worst: where some
    ///   lack only prefill tokens and others only context, or where many would have room if only
    ///   all blocks of the prompt were cached there.
    mutating func pick(
        _ model: Int, for slot: Int, besides excluded: Int = -1, now: Instant
    ) -> Int? {
        let count = self.pools[model].endpoints.count
        guard count > 0 else { return nil }
        var best: Int?
        var bestNanos = Double.infinity
        var compared = 0
        let start = count > Self.comparedWhole ? self.draw(below: count) : 0
        let need = RoomIndex.Tokens(
            prefill: self.leastPrefillTokens(slot),
            context: UInt32(saturating: self.slab[slot].contextTokens))
        let left = Double(self.slab[slot].due.nanosSince(now))
        var places = start..<count
        while true {
            guard let place = self.pools[model].roomIndex.first(in: places, with: need) else {
                guard start > 0, places.upperBound == count else { break }
                // Then those before it.
                places = 0..<start
                continue
            }
            places = place + 1..<places.upperBound
            let index = Int(self.pools[model].endpoints[place])
            if index == excluded { continue }
            let prefill = self.prefill(slot, at: index)
            guard self.rooms[index].fits(self.slab[slot], prefill) else { continue }
            var nanos = self.rooms[index].completionNanos(self.slab[slot], prefill, now: now)
            if index == Int(self.slab[slot].failedOn) { nanos += 1e15 }
            // One that would be late is better than none, and worse than any in time.
            if self.rooms[index].firstTokenNanos(prefillTokens: prefill.owed, now: now) > left {
                nanos += 1e13
            }
            if nanos < bestNanos {
                bestNanos = nanos
                best = index
            }
            compared += 1
            if compared >= Self.choices, count > Self.comparedWhole { break }
        }
        return best
    }

    /// Endpoints compared in a large pool, and the largest pool that is compared as a whole.
    private static let choices = 8
    static let comparedWhole = 16

    /// The next number below `bound` of a fixed sequence from the seed.
    mutating func draw(below bound: Int) -> Int {
        self.random = self.random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int((self.random >> 33) % UInt64(bound))
    }

    /// The first token would come too late even if it were sent now.
    private func isHopeless(_ slot: Int, at index: Int, now: Instant) -> Bool {
        guard now > self.slab[slot].arrival else { return false }
        let last = self.lastUse(of: self.slab[slot])
        guard self.endpoints[index].steps.isLearned else { return now >= last }
        let engine = self.rooms[index].firstTokenNanos(
            prefillTokens: self.prefill(slot, at: index).owed, now: now)
        return now.advanced(byNanos: UInt64(saturating: engine * 0.8)) >= last
    }

    /// Prefill tokens at an endpoint that are not believed to be computed yet.
    func prefillLeft(at index: Int, now: Instant) -> UInt32 {
        let endpoint = self.endpoints[index]
        let steps = endpoint.steps.isLearned ? endpoint.steps : self.pools[endpoint.model].steps
        return endpoint.prefillLeft(steps, now: now)
    }

    mutating func dispatch(
        _ slot: Int, to index: Int, now: Instant, into actions: inout ActionBuffer
    ) {
        self.queues.remove(slot, slab: &self.slab)
        self.timers.clear(slot)
        let model = Int(self.slab[slot].served)
        let cap = self.cap(for: self.slab[slot])
        let lane = self.pools[model].lanes.lowerBound + Int(self.slab[slot].classIndex)
        if self.slab[slot].arrival == now {
            self.slab[slot].waited = .none
        } else if self.slab[slot].waited == .saturation,
            self.pools[model].latestDispatched > self.slab[slot].arrival
        {
            self.slab[slot].waited = .fairness
        }
        self.pools[model].latestDispatched = max(
            self.pools[model].latestDispatched, self.slab[slot].arrival)
        self.slab[slot].phase = .inFlight
        self.slab[slot].endpoint = Int32(index)
        self.slab[slot].attempt += 1
        self.slab[slot].cap = cap
        if let cap { self.slab[slot].outputTokens = min(self.slab[slot].outputTokens, cap) }
        self.slab[slot].dispatchedAt = now
        self.slab[slot].prefillOwed = true
        if self.slab[slot].attempt == 1 {
            self.pools[model].retries.earn(share: self.pools[model].bounds.retryShare)
        }
        self.slab[slot].hedge = -1
        self.settlePrefix(slot, at: index)
        self.chargeFlow(slot)
        self.slab[slot].prefillAtDispatch =
            self.prefillLeft(at: index, now: now) + self.slab[slot].prefillTokens
        self.endpoints[index].ledger.debit(self.slab[slot], now: now)
        self.refresh(index)
        self.takeTenantSlot(Int(self.slab[slot].tenant))
        self.setAttemptTimer(slot, now: now)
        let record = self.slab[slot]
        let moved = record.served != record.asked
        actions.append(
            .dispatch(
                record.id,
                Dispatch(
                    endpoint: EndpointID(raw: index), model: ModelID(raw: model),
                    outputTokensCap: cap,
                    ladderStep: cap != nil || moved ? self.ladderStep(record, lane: lane) : 0,
                    attempt: Int(record.attempt), waited: record.waited)))
    }

    /// The step that shaped a dispatch: of the model asked for, where the request was moved.
    private func ladderStep(_ record: RequestRecord, lane: Int) -> Int {
        guard record.served != record.asked else { return self.queues.lanes[lane].ladder.step }
        let ladder = self.plan.models[Int(record.asked)].ladder
        let moved = ladder.firstIndex(of: .model(ModelID(raw: Int(record.served))))
        return (moved ?? 0) + 1
    }

    private mutating func chargeFlow(_ slot: Int) {
        let record = self.slab[slot]
        let work = TokenWork.of(
            prefillTokens: Double(record.prefillTokens), outputTokens: Double(record.outputTokens))
        self.queues.charge(flow: Int(record.flow), work: work)
        self.slab[slot].charged += work
        if record.attempt == 1 {
            let model = Int(record.served)
            self.pools[model].hedging.earn(
                work: work, share: self.pools[model].bounds.hedgeShare)
        }
    }

    /// A streamed answer is hedged when it is late and aborted at its deadline; of a whole one the
    /// prompt is taken as computed when it should be, since nothing will tell.
    private mutating func setAttemptTimer(_ slot: Int, now: Instant) {
        if self.slab[slot].streams {
            let deadline = max(now, self.slab[slot].deadline)
            self.timers.set(slot, at: min(deadline, self.hedgeInstant(slot, now: now) ?? deadline))
            return
        }
        let steps = self.pools[Int(self.slab[slot].served)].steps
        let nanos = steps.firstTokenNanos(tokens: Double(self.slab[slot].prefillAtDispatch))
        self.timers.set(slot, at: now.advanced(byNanos: UInt64(saturating: nanos)))
    }

    private mutating func takeTenantSlot(_ tenant: Int) {
        self.tenants[tenant].inFlight += 1
        guard self.tenants[tenant].isHeld else { return }
        self.queues.setHeld(true, tenant: tenant)
        self.holdsChanged = true
    }
}
