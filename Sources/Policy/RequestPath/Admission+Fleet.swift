import Time

extension Admission {
    mutating func addEndpoint(
        _ id: EndpointID, model: ModelID, ready: Bool, now: Instant,
        into actions: inout ActionBuffer
    ) {
        guard id.raw >= 0, self.pools.indices.contains(model.raw) else {
            assertionFailure("an endpoint of an unknown model")
            return
        }
        while self.endpoints.count <= id.raw {
            var unknown = Endpoint(model: 0, ready: false, now: now)
            unknown.isKnown = false
            self.endpoints.append(unknown)
            self.rooms.append(Room())
        }
        if self.endpoints[id.raw].isKnown {
            return self.reviveEndpoint(id, ready: ready, now: now, into: &actions)
        }
        self.endpoints[id.raw] = Endpoint(model: model.raw, ready: ready, now: now)
        self.endpoints[id.raw].place = self.pools[model.raw].endpoints.count
        self.pools[model.raw].endpoints.append(Int32(id.raw))
        self.refresh(id.raw)
        self.setEndpointTimer(id.raw)
        self.pump(model.raw, now: now, into: &actions)
    }

    /// An endpoint named again: it stays after all, or a starting one has become ready.
    private mutating func reviveEndpoint(
        _ id: EndpointID, ready: Bool, now: Instant, into actions: inout ActionBuffer
    ) {
        self.endpoints[id.raw].isLeaving = false
        if ready, self.endpoints[id.raw].health.state == .starting {
            return self.probed(id, healthy: true, now: now, into: &actions)
        }
        self.refresh(id.raw)
        self.pump(self.endpoints[id.raw].model, now: now, into: &actions)
    }

    mutating func removeEndpoint(
        _ id: EndpointID, now: Instant, into actions: inout ActionBuffer
    ) {
        guard self.isKnown(id) else { return }
        self.endpoints[id.raw].isLeaving = true
        self.endpointTimers.clear(id.raw)
        self.refresh(id.raw)
        self.forgetIfDone(id.raw)
    }

    /// Forgets an endpoint that is leaving once nothing is in flight there.
    mutating func forgetIfDone(_ index: Int) {
        guard self.endpoints[index].isKnown, self.endpoints[index].isLeaving,
            self.endpoints[index].ledger.isIdle
        else { return }
        self.leavePool(index)
        self.endpoints[index].isKnown = false
        self.prefixes.removeAll(at: index)
    }

    /// Takes an endpoint off its pool's list; those behind it move up.
    ///
    /// - Complexity: O(endpoints of the model).
    private mutating func leavePool(_ index: Int) {
        let model = self.endpoints[index].model
        let place = self.endpoints[index].place
        self.endpoints[index].place = -1
        self.pools[model].endpoints.remove(at: place)
        let count = self.pools[model].endpoints.count
        for behind in place..<count {
            let other = Int(self.pools[model].endpoints[behind])
            self.endpoints[other].place = behind
            self.pools[model].roomIndex.set(behind, self.rooms[other].left)
        }
        self.pools[model].roomIndex.set(count, .none)
    }

    mutating func probed(
        _ id: EndpointID, healthy: Bool, now: Instant, into actions: inout ActionBuffer
    ) {
        guard self.isKnown(id), !self.endpoints[id.raw].isLeaving else { return }
        let model = self.endpoints[id.raw].model
        let wasStarting = self.endpoints[id.raw].health.state == .starting
        if self.endpoints[id.raw].busyUntil <= now { self.endpoints[id.raw].busyUntil = .zero }
        if !healthy, self.endpoints[id.raw].health.isOpen {
            if self.endpoints[id.raw].health.probeFailed() {
                self.eject(id.raw, gone: false, now: now, into: &actions)
            }
        } else if self.endpoints[id.raw].health.probed(healthy: healthy, now: now) {
            if wasStarting {
                let took = now.nanosSince(self.endpoints[id.raw].addedAt)
                self.pools[model].startNanos = (self.pools[model].startNanos + took) / 2
                actions.append(.healthChanged(id, healthy: true))
            }
        }
        self.refresh(id.raw)
        self.setEndpointTimer(id.raw)
        self.pump(model, now: now, into: &actions)
    }

    mutating func scraped(
        _ id: EndpointID, _ gauges: EngineGauges, now: Instant, into actions: inout ActionBuffer
    ) {
        guard self.isKnown(id) else { return }
        let seen = Int(gauges.running) + Int(gauges.waiting)
        let others = max(0, seen - self.endpoints[id.raw].ledger.inFlight)
        // One scrape may be older than what has ended since: others are who two in a row saw.
        self.endpoints[id.raw].ledger.observeForeign(others)
        self.refresh(id.raw)
        self.pump(self.endpoints[id.raw].model, now: now, into: &actions)
    }

    mutating func noteSuccess(_ index: Int, into actions: inout ActionBuffer) {
        guard self.endpoints[index].health.succeeded() else { return }
        self.endpoints[index].limits.reset()
        actions.append(.healthChanged(EndpointID(raw: index), healthy: true))
    }

    mutating func noteFailure(
        _ index: Int, _ failure: Failure, prompt: UInt64, now: Instant,
        into actions: inout ActionBuffer
    ) {
        switch failure {
        case .busy:
            let inFlight = self.endpoints[index].ledger.inFlight
            self.endpoints[index].limits.learnBusy(inFlight: inFlight)
            self.endpoints[index].busyUntil = now.advanced(byNanos: Self.busyPauseNanos)
            self.setEndpointTimer(index)
        case .refused, .draining:
            self.eject(index, gone: true, now: now, into: &actions)
        case .disconnected, .stalled, .serverError, .malformed:
            if self.endpoints[index].health.failed(prompt: prompt) {
                self.eject(index, gone: false, now: now, into: &actions)
            }
        }
    }

    private static let busyPauseNanos: UInt64 = 50_000_000

    private mutating func eject(
        _ index: Int, gone: Bool, now: Instant, into actions: inout ActionBuffer
    ) {
        let endpoint = self.endpoints[index]
        guard !endpoint.isLeaving, endpoint.health.state != .out else { return }
        let wasHealthy = endpoint.health.state == .available
        if wasHealthy, !gone, !self.mayEject(from: endpoint.model) { return }
        self.endpoints[index].health.eject(now: now, gone: gone)
        // Who is gone comes back with nothing in its cache.
        if gone { self.prefixes.removeAll(at: index) }
        if wasHealthy { actions.append(.healthChanged(EndpointID(raw: index), healthy: false)) }
        self.refresh(index)
        self.setEndpointTimer(index)
    }

    /// At most half of a pool may be out for failing; those that are gone do not count.
    private func mayEject(from model: Int) -> Bool {
        var present = 0
        var out = 0
        for index in self.pools[model].endpoints {
            let endpoint = self.endpoints[Int(index)]
            if endpoint.isLeaving || endpoint.health.gone { continue }
            present += 1
            if endpoint.health.state == .out || endpoint.health.state == .halfOpen { out += 1 }
        }
        return (out + 1) * 2 <= present
    }

    /// Sets the endpoint's timer to what comes first: its probe, or the end of its busy pause.
    mutating func setEndpointTimer(_ index: Int) {
        let endpoint = self.endpoints[index]
        if let probeAt = endpoint.health.probeAt, !endpoint.isLeaving {
            self.endpointTimers.set(index, at: probeAt)
        } else if endpoint.busyUntil > .zero {
            self.endpointTimers.set(index, at: endpoint.busyUntil)
        } else {
            self.endpointTimers.clear(index)
        }
    }

    /// Nanoseconds until an endpoint of the model may be ready: by what starting took before, or by
    /// the next probe.
    func timeToCapacity(of model: Int, now: Instant) -> Double {
        var soonest: UInt64?
        for position in self.pools[model].endpoints {
            let endpoint = self.endpoints[Int(position)]
            if endpoint.isLeaving { continue }
            let wait =
                endpoint.health.state == .starting
                ? self.timeToStart(endpoint, now: now)
                : max(endpoint.health.probeAt?.nanosSince(now) ?? 0, Self.leastToStart)
            soonest = min(soonest ?? wait, wait)
        }
        return Double(soonest ?? self.pools[model].startNanos)
    }

    /// Nanoseconds until an endpoint that starts is expected, by what starting took before; one
    /// that is late may be late for as long again.
    private func timeToStart(_ endpoint: Endpoint, now: Instant) -> UInt64 {
        let usual = self.pools[endpoint.model].startNanos
        let since = now.nanosSince(endpoint.addedAt)
        return max(usual > since ? usual - since : since - usual, Self.leastToStart)
    }

    private static let leastToStart: UInt64 = 1_000_000_000

    /// What a wait for the capacity there is now comes to with the capacity on its way: work that
    /// would take `nanos` is done at the present rate until the first replica comes, then at the
    /// rate of one more, and so on. The same ledger tells admission whether to let a request wait
    /// and a refused client when to come back.
    ///
    /// - Complexity: O(1) while nothing starts, else O(endpoints of the model).
    func withCapacityOnItsWay(_ nanos: Double, model: Int, now: Instant) -> Double {
        let capacity = self.pools[model].capacity
        guard capacity.starting > 0, capacity.open > 0,
            nanos > Double(Self.leastToStart), nanos < .infinity
        else { return nanos }
        var arrivals: [Double] = []
        for position in self.pools[model].endpoints {
            let endpoint = self.endpoints[Int(position)]
            if endpoint.isOnItsWay { arrivals.append(Double(self.timeToStart(endpoint, now: now))) }
        }
        var left = nanos
        var passed = 0.0
        var rate = 1.0
        for arrival in arrivals.sorted() {
            let span = arrival - passed
            if left <= span * rate { break }
            left -= span * rate
            passed = arrival
            rate += 1 / Double(capacity.open)
        }
        return passed + left / rate
    }

    private func isKnown(_ id: EndpointID) -> Bool {
        self.endpoints.indices.contains(id.raw) && self.endpoints[id.raw].isKnown
    }
}
