import Time

extension Admission {
    /// Takes a changed plan into force with every live request in place.
    ///
    /// What has been learned is kept; where a model's classes changed in number, its queues are
    /// laid out anew and its requests keep their deadlines.
    mutating func replan(_ plan: Plan, now: Instant, into actions: inout ActionBuffer) {
        let old = self.plan
        guard plan.models.count >= old.models.count, plan.tenants.count >= old.tenants.count else {
            assertionFailure("models and tenants are changed or appended, never taken away")
            return
        }
        let sameLanes = zip(plan.models, old.models).allSatisfy {
            $0.classes.count == $1.classes.count
        }
        self.plan = plan
        for index in self.tenants.indices {
            self.tenants[index] = self.tenants[index].replanned(plan.tenants[index])
        }
        for tenant in plan.tenants.dropFirst(self.tenants.count) {
            self.tenants.append(TenantLimits(plan: tenant))
        }
        self.layOut(sameLanes: sameLanes && plan.models.count == old.models.count)
        for model in self.pools.indices {
            self.pools[model].bounds = EngineBounds(plan.models[model])
        }
        for index in self.endpoints.indices where self.endpoints[index].isKnown {
            self.refresh(index)
        }
        for model in self.pools.indices {
            self.pools[model].stuckSlot = -1
            for lane in self.pools[model].lanes {
                self.queues.lanes[lane].ladder.clip(to: plan.models[model].ladder.count)
            }
            self.pump(model, now: now, into: &actions)
        }
    }

    private mutating func layOut(sameLanes: Bool) {
        if sameLanes {
            self.queues.grow(tenantCount: self.plan.tenants.count)
            for index in self.tenants.indices {
                self.queues.setWeight(tenant: index, weight: self.plan.tenants[index].weight)
                self.queues.setHeld(self.tenants[index].isHeld, tenant: index)
            }
            return
        }
        let oldPools = self.pools
        let oldLanes = self.queues.lanes
        (self.pools, self.queues) = Self.rooms(for: self.plan)
        for model in oldPools.indices {
            let lanes = self.pools[model].lanes
            self.pools[model] = oldPools[model].moved(to: lanes)
            for (lane, oldLane) in zip(lanes, oldPools[model].lanes) {
                self.queues.lanes[lane].carry(oldLanes[oldLane])
            }
        }
        self.requeueAll()
    }

    /// Links every live request into the new queues, in the order of their slots.
    private mutating func requeueAll() {
        for slot in 0..<self.slab.slotCount where self.slab[slot].phase != .free {
            let record = self.slab[slot]
            let lanes = self.pools[Int(record.served)].lanes
            let classIndex = max(0, min(Int(record.classIndex), lanes.count - 1))
            let tenant = Int(record.tenant)
            self.slab[slot].classIndex = Int32(classIndex)
            self.slab[slot].flow = Int32(
                self.queues.flow(
                    lane: lanes.lowerBound + classIndex, tenant: tenant,
                    weight: self.plan.tenants[tenant].weight))
            guard record.phase == .queued else { continue }
            self.queues.enqueue(slot, slab: &self.slab, held: self.tenants[tenant].isHeld)
        }
    }
}
