package import Time

/// An invariant that does not hold: a fault of admission itself.
package enum AuditFault: Sendable, Equatable {
    /// An endpoint's ledger differs from the sum over its requests.
    case ledger(EndpointID)
    /// A request waits although this endpoint has room for it and its turn has come.
    case idleRoom(EndpointID, RequestID)
    /// A class's totals differ from the sum over its queue.
    case queue(ModelID, classIndex: Int)
    /// A tenant's count of requests in flight differs from the sum.
    case tenant(TenantID)
    /// A live request has no timer although it needs one.
    case timer(RequestID)
    /// A pool's capacity differs from the sum over its endpoints.
    case capacity(ModelID)
    /// What a choice is told of the room in a pool differs from its endpoints.
    case rooms(ModelID)
}

extension Admission {
    /// Checks the invariants of the state against sums made anew; empty when they hold.
    ///
    /// For tests and the twin: it looks at every live request.
    ///
    /// - Complexity: O(live requests + models * endpoints).
    package func audit(now: Instant) -> [AuditFault] {
        var faults: [AuditFault] = []
        self.auditLedgers(into: &faults)
        self.auditRooms(into: &faults)
        self.auditQueues(into: &faults)
        self.auditIdleRoom(now: now, into: &faults)
        for slot in 0..<self.slab.slotCount where self.needsTimer(self.slab[slot]) {
            if !self.timers.contains(slot) { faults.append(.timer(self.slab[slot].id)) }
        }
        return faults
    }

    private func needsTimer(_ record: RequestRecord) -> Bool {
        switch record.phase {
        case .free: false
        case .queued: true
        case .inFlight: record.prefillOwed
        }
    }

    private func auditLedgers(into faults: inout [AuditFault]) {
        var inFlight = Array(repeating: 0, count: self.endpoints.count)
        var prefill = inFlight
        var tenants = Array(repeating: 0, count: self.tenants.count)
        for slot in 0..<self.slab.slotCount where self.slab[slot].phase == .inFlight {
            let record = self.slab[slot]
            inFlight[Int(record.endpoint)] += 1
            prefill[Int(record.endpoint)] += record.prefillOwed ? Int(record.prefillTokens) : 0
            tenants[Int(record.tenant)] += 1
            guard record.hedge >= 0 else { continue }
            inFlight[Int(record.hedge)] += 1
            prefill[Int(record.hedge)] += Int(record.prefillTokensAtHedge)
        }
        for index in self.endpoints.indices {
            let ledger = self.endpoints[index].ledger
            if ledger.inFlight != inFlight[index] || ledger.prefillWaiting != prefill[index] {
                faults.append(.ledger(EndpointID(raw: index)))
            }
            if ledger.isIdle, ledger.contextTokens != 0 {
                faults.append(.ledger(EndpointID(raw: index)))
            }
        }
        for index in self.tenants.indices where self.tenants[index].inFlight != tenants[index] {
            faults.append(.tenant(TenantID(raw: index)))
        }
        for model in self.pools.indices {
            var sum = PoolShare()
            for index in self.pools[model].endpoints { sum += self.endpoints[Int(index)].share }
            let known = self.pools[model].capacity
            if sum.open != known.open || sum.slots != known.slots
                || sum.inFlight != known.inFlight || sum.starting != known.starting
            {
                faults.append(.capacity(ModelID(raw: model)))
            }
        }
    }

    private func auditRooms(into faults: inout [AuditFault]) {
        for model in self.pools.indices {
            var anew = self.pools[model].roomIndex
            anew.removeAll()
            var isRight = true
            for (place, index) in self.pools[model].endpoints.enumerated() {
                anew.set(place, self.rooms[Int(index)].left)
                if self.endpoints[Int(index)].place != place { isRight = false }
            }
            if !isRight || anew != self.pools[model].roomIndex {
                faults.append(.rooms(ModelID(raw: model)))
            }
        }
    }

    private func auditQueues(into faults: inout [AuditFault]) {
        var requests = Array(repeating: 0, count: self.queues.lanes.count)
        var bytes = Array(repeating: UInt64(0), count: self.queues.lanes.count)
        for slot in 0..<self.slab.slotCount where self.slab[slot].phase == .queued {
            let lane = Int(self.queues.flows[Int(self.slab[slot].flow)].lane)
            requests[lane] += 1
            bytes[lane] += UInt64(self.slab[slot].bodyBytes)
        }
        for model in self.pools.indices {
            for lane in self.pools[model].lanes {
                let known = self.queues.lanes[lane]
                if Int(known.queued.requests) != requests[lane] || known.bytes != bytes[lane]
                    || self.queues.linked(lane: lane, slab: self.slab) != requests[lane]
                {
                    let classIndex = lane - self.pools[model].lanes.lowerBound
                    faults.append(.queue(ModelID(raw: model), classIndex: classIndex))
                }
            }
        }
    }

    private func auditIdleRoom(now: Instant, into faults: inout [AuditFault]) {
        var copy = self
        for model in copy.pools.indices {
            guard let (slot, isOverdue) = copy.head(of: model, now: now) else { continue }
            // Time alone may have moved another request to the front since the last event here.
            if isOverdue, slot != copy.pools[model].stuckSlot { continue }
            for index in copy.pools[model].endpoints {
                let room = copy.endpoints[Int(index)].room(
                    self.pools[model].bounds, steps: self.pools[model].steps)
                let prefill = copy.prefill(slot, at: Int(index))
                guard room.fits(copy.slab[slot], prefill) else { continue }
                faults.append(.idleRoom(EndpointID(raw: Int(index)), copy.slab[slot].id))
            }
        }
    }
}
