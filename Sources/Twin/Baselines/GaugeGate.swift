import RequestPath
import Time

/// llm-d-router with flow control on: requests wait at the gateway while the mean of the scraped
/// gauges says that the pool is full.
///
/// One request may go when one arrives and one in each period of a millisecond. It is the first of
/// the highest class that has any, first come first served, and the next class is not asked while
/// the pool is full. It has gone when a scrape shows it, not before: until then the gate lets more
/// through. What waits longer than the time to live is dropped by a sweep each second, counted
/// from when the pool last became empty or ceased to be; the time to live of an empty pool is the
/// same by default. Each model is a pool with its own gate. Fairness between tenants is the default
/// one: none. Eviction of what is in flight is off by default and left out. On shutdown what waits
/// is refused.
///
/// Chosen where the published behaviour is not plain: periods and sweeps are those of one clock
/// for all pools, from its origin.
/// Source: llm-d-router, `flowcontrol/controller/internal/processor.go`.
struct GaugeGate: Gate {
    private struct Pool {
        /// Its classes among `lanes`, highest first.
        var lanes: Range<Int>
        var waiting = 0
        var isEmpty = true
        /// When it last became empty or ceased to be.
        var regimeSince = Instant.zero
        /// The next period in which a request may go.
        var dispatchDue: Instant?
        var sweepDue: Instant?
    }

    private(set) var due: Instant?
    private var lanes: [Lane] = []
    private var pools: [Pool] = []
    private let knobs: BaselineKnobs.Gauge
    private let saturation: Saturation
    private let creditsInFlight: Bool

    init(plan: Plan, seed: UInt64, knobs: BaselineKnobs) {
        self.knobs = knobs.gauge
        self.saturation = Saturation(knobs: knobs.detector)
        self.creditsInFlight = knobs.detector.creditsInFlight
        self.layOut(plan)
    }

    // MARK: Requests

    mutating func arrive(_ slot: Int, _ books: inout Books, now: Instant) {
        let model = Int(books.requests[slot].model)
        let lane = self.lane(of: books.requests[slot])
        let bytes = self.lanes[lane].bytes + UInt64(books.requests[slot].bodyBytes)
        if self.lanes[lane].count >= self.knobs.bandRequestsMax || bytes > self.knobs.bandBytesMax {
            books.refuse(slot, .queueFull)
        } else {
            self.lanes[lane].append(slot, in: &books.requests)
            self.pools[model].waiting += 1
            self.planSweep(model, books, now: now)
        }
        self.dispatchOne(model, &books, now: now)
        self.refreshDue()
    }

    mutating func withdraw(_ slot: Int, _ books: inout Books, now: Instant) {
        let model = Int(books.requests[slot].model)
        self.take(slot, &books)
        if self.pools[model].waiting == 0 { self.rest(model) }
        self.refreshDue()
    }

    mutating func ended(_ slot: Int, _ ending: Ending, _ books: inout Books, now: Instant) {
        guard self.creditsInFlight else { return }
        self.look(Int(books.requests[slot].model), now: now)
    }

    mutating func scraped(model: Int, _ books: Books, now: Instant) {
        self.look(model, now: now)
    }

    mutating func fleetChanged(model: Int, _ books: inout Books, now: Instant) {
        let isEmpty = books.fleet.ready[model].isEmpty
        if isEmpty != self.pools[model].isEmpty {
            self.pools[model].isEmpty = isEmpty
            self.pools[model].regimeSince = now
        }
        self.planSweep(model, books, now: now)
        self.look(model, now: now)
    }

    // MARK: Time

    mutating func tick(_ books: inout Books, now: Instant) {
        for model in self.pools.indices {
            if let at = self.pools[model].sweepDue, at <= now {
                self.sweep(model, &books, now: now)
            }
            if let at = self.pools[model].dispatchDue, at <= now {
                self.dispatchOne(model, &books, now: now)
            }
        }
        self.refreshDue()
    }

    /// Sends the first request of the highest class that has one, unless the pool is full.
    private mutating func dispatchOne(_ model: Int, _ books: inout Books, now: Instant) {
        guard self.pools[model].waiting > 0 else { return self.rest(model) }
        let isFull = self.saturation.value(model: model, books.fleet, now: now) >= 1
        if !isFull {
            for lane in self.pools[model].lanes {
                guard let slot = self.lanes[lane].first else { continue }
                self.take(slot, &books)
                books.send(slot)
                break
            }
        }
        if self.pools[model].waiting == 0 { return self.rest(model) }
        // What has just been sent shows in no gauge but the credit, if that is on.
        let open =
            isFull ? self.saturation.lowersAt(model: model, books.fleet, now: now) : now
        self.pools[model].dispatchDue = open.map {
            Self.period(after: $0, each: self.knobs.dispatchPeriodNanos)
        }
    }

    /// Something changed that may have opened the gate: the next period looks.
    private mutating func look(_ model: Int, now: Instant) {
        guard self.pools[model].waiting > 0 else { return }
        let next = Self.period(after: now, each: self.knobs.dispatchPeriodNanos)
        self.pools[model].dispatchDue = min(self.pools[model].dispatchDue ?? next, next)
        self.refreshDue()
    }

    /// Drops what has waited for the whole time to live.
    private mutating func sweep(_ model: Int, _ books: inout Books, now: Instant) {
        let reason: RefusalReason = self.pools[model].isEmpty ? .noCapacity : .saturated
        for lane in self.pools[model].lanes {
            while let slot = self.lanes[lane].first,
                self.expires(books.requests[slot], model) <= now
            {
                self.take(slot, &books)
                books.refuse(slot, reason)
            }
        }
        self.planSweep(model, books, now: now)
        if self.pools[model].waiting == 0 { self.rest(model) }
    }

    private func expires(_ request: LiveRequest, _ model: Int) -> Instant {
        max(request.arrival, self.pools[model].regimeSince)
            .advanced(byNanos: self.knobs.timeToLiveNanos)
    }

    /// The first sweep that will find something.
    private mutating func planSweep(_ model: Int, _ books: Books, now: Instant) {
        var soonest: Instant?
        for lane in self.pools[model].lanes {
            guard let slot = self.lanes[lane].first else { continue }
            let at = self.expires(books.requests[slot], model)
            soonest = min(soonest ?? at, at)
        }
        self.pools[model].sweepDue = soonest.map {
            let before = Instant(nanos: max($0.nanos, now.nanos + 1) - 1)
            return Self.period(after: before, each: self.knobs.sweepPeriodNanos)
        }
        self.refreshDue()
    }

    /// The first multiple of `nanos` that is later than an instant.
    private static func period(after instant: Instant, each nanos: UInt64) -> Instant {
        let nanos = max(1, nanos)
        return Instant(nanos: instant.nanos - instant.nanos % nanos).advanced(byNanos: nanos)
    }

    /// Nothing waits: nothing is due.
    private mutating func rest(_ model: Int) {
        self.pools[model].dispatchDue = nil
        self.pools[model].sweepDue = nil
    }

    private mutating func refreshDue() {
        var soonest: Instant?
        for pool in self.pools {
            if let at = pool.dispatchDue { soonest = min(soonest ?? at, at) }
            if let at = pool.sweepDue { soonest = min(soonest ?? at, at) }
        }
        self.due = soonest
    }

    // MARK: Lanes

    private func lane(of request: LiveRequest) -> Int {
        self.pools[Int(request.model)].lanes.lowerBound + Int(request.classIndex)
    }

    private mutating func take(_ slot: Int, _ books: inout Books) {
        self.lanes[self.lane(of: books.requests[slot])].remove(slot, in: &books.requests)
        self.pools[Int(books.requests[slot].model)].waiting -= 1
    }

    private mutating func layOut(_ plan: Plan) {
        self.lanes.removeAll()
        for (model, written) in plan.models.enumerated() {
            let range = self.lanes.count..<(self.lanes.count + written.classes.count)
            self.lanes.append(contentsOf: written.classes.map { _ in Lane() })
            if model < self.pools.count {
                self.pools[model].lanes = range
                self.pools[model].waiting = 0
            } else {
                self.pools.append(Pool(lanes: range))
            }
        }
    }

    /// What waits keeps its order; a class that is gone is served with the lowest left.
    mutating func replan(_ plan: Plan, _ books: inout Books, now: Instant) {
        var waiting: [Int] = []
        for lane in self.lanes {
            var slot = lane.head
            while slot >= 0 {
                waiting.append(Int(slot))
                slot = books.requests[Int(slot)].next
            }
        }
        waiting.sort { books.requests[$0].order < books.requests[$1].order }
        self.layOut(plan)
        for slot in waiting {
            self.lanes[self.lane(of: books.requests[slot])].append(slot, in: &books.requests)
            self.pools[Int(books.requests[slot].model)].waiting += 1
        }
        for model in self.pools.indices { self.planSweep(model, books, now: now) }
    }

    func audit(_ books: Books, into faults: inout [AuditFault]) {
        for model in self.pools.indices {
            var waiting = 0
            for (classIndex, lane) in self.pools[model].lanes.enumerated() {
                waiting += self.lanes[lane].count
                if !self.lanes[lane].isSound(in: books.requests) {
                    faults.append(.queue(ModelID(raw: model), classIndex: classIndex))
                }
            }
            if waiting != self.pools[model].waiting {
                faults.append(.capacity(ModelID(raw: model)))
            }
        }
    }
}
