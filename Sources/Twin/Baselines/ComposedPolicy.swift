import RequestPath
import Time

/// A gate and a choice with the books between them.
///
/// It keeps what all baselines have in common: who is live, who is ready, and that each request is
/// answered once.
struct ComposedPolicy<Admitting: Gate, Choosing: Choice>: RequestPolicy, Sendable {
    private var books: Books
    private var gate: Admitting
    private var choice: Choosing
    private var retries = RetryHeap()
    private var plan: Plan
    private let retryAfterNanos: UInt64

    init(plan: Plan, seed: UInt64, knobs: BaselineKnobs) {
        self.plan = plan
        self.books = Books(models: plan.models.count, health: knobs.health)
        self.gate = Admitting(plan: plan, seed: seed, knobs: knobs)
        self.choice = Choosing(plan: plan, seed: seed, knobs: knobs)
        self.retryAfterNanos = max(1, knobs.retryAfterNanos)
    }

    /// - Complexity: O(log live requests + endpoints of the model); no allocation once as many
    ///   requests have been live as ever will be.
    mutating func step(_ event: Event, now: Instant, into actions: inout ActionBuffer) {
        self.choice.hear(event, now: now)
        switch event {
        case .arrive(let arrival): self.arrive(arrival, now: now, into: &actions)
        case .firstToken(let id): self.firstToken(id)
        case .progress, .hedgeWon, .hedgeFailed: break
        case .finish(let id, _), .declined(let id): self.finish(id, now: now)
        case .attemptFailed(let id, let failure, let beforeFirstByte):
            self.attemptFailed(
                id, failure, beforeFirstByte: beforeFirstByte, now: now, into: &actions)
        case .cancel(let id): self.cancel(id, now: now)
        case .endpointAdded(let id, let model, let ready):
            self.addEndpoint(id, model: model, ready: ready, now: now)
        case .endpointRemoved(let id): self.removeEndpoint(id, now: now)
        case .probed(let id, let healthy):
            self.probed(id, healthy: healthy, now: now, into: &actions)
        case .scraped(let id, let gauges):
            guard self.books.fleet.isKnown(id) else { break }
            self.books.fleet.scraped(id, gauges, now: now)
            self.gate.scraped(model: self.books.fleet[id.raw].model, self.books, now: now)
        case .replan(let plan): self.replan(plan, now: now)
        case .tick: self.tick(now: now, into: &actions)
        }
        self.carryOut(now: now, into: &actions)
    }

    func nextDeadline() -> Instant? {
        var due = self.gate.due
        if let other = self.retries.first { due = min(due ?? other, other) }
        if let other = self.books.fleet.nextProbe { due = min(due ?? other, other) }
        return due
    }

    // MARK: Requests

    private mutating func arrive(
        _ arrival: Arrival, now: Instant, into actions: inout ActionBuffer
    ) {
        guard self.isSound(arrival) else {
            assertionFailure("an arrival of a live request, or of an unknown model")
            guard self.books.requests.slot(of: arrival.request) == nil else { return }
            return self.turnAway(arrival, .noCapacity, now: now, into: &actions)
        }
        var request = LiveRequest(arrival, now: now)
        request.isCold = self.books.fleet.ready[arrival.model.raw].isEmpty
        let slot = self.books.requests.insert(request)
        self.gate.arrive(slot, &self.books, now: now)
    }

    private func isSound(_ arrival: Arrival) -> Bool {
        self.plan.models.indices.contains(arrival.model.raw)
            && self.plan.models[arrival.model.raw].classes.indices.contains(arrival.classIndex)
            && self.books.requests.slot(of: arrival.request) == nil
    }

    private mutating func turnAway(
        _ arrival: Arrival, _ reason: RefusalReason, now: Instant,
        into actions: inout ActionBuffer
    ) {
        self.choice.forget(request: arrival.request, now: now)
        actions.append(
            .refuse(
                arrival.request,
                Refusal(reason: reason, retryAfterNanos: self.retryAfterNanos)))
    }

    private mutating func firstToken(_ id: RequestID) {
        guard let slot = self.books.requests.slot(of: id),
            self.books.requests[slot].phase == .inFlight, !self.books.requests[slot].hasAnswered
        else { return }
        self.books.fleet.answered(self.books.requests[slot])
        self.books.requests[slot].hasAnswered = true
        self.gate.answered(slot, &self.books)
    }

    private mutating func finish(_ id: RequestID, now: Instant) {
        guard let slot = self.books.requests.slot(of: id),
            self.books.requests[slot].phase == .inFlight
        else { return }
        self.end(slot, .finished, now: now)
    }

    private mutating func cancel(_ id: RequestID, now: Instant) {
        guard let slot = self.books.requests.slot(of: id) else { return }
        guard self.books.requests[slot].phase == .waiting else {
            return self.end(slot, .broken, now: now)
        }
        self.gate.withdraw(slot, &self.books, now: now)
        self.books.requests.remove(slot)
    }

    private mutating func attemptFailed(
        _ id: RequestID, _ failure: Failure, beforeFirstByte: Bool, now: Instant,
        into actions: inout ActionBuffer
    ) {
        guard let slot = self.books.requests.slot(of: id),
            self.books.requests[slot].phase == .inFlight
        else { return }
        let request = self.books.requests[slot]
        if beforeFirstByte, !request.hasAnswered, request.retryable,
            let pause = self.gate.retryNanos(slot, self.books)
        {
            self.books.fleet.ended(request)
            self.books.requests[slot].phase = .backingOff
            self.books.requests[slot].lastFailure = failure
            self.books.requests[slot].retryAt = now.advanced(byNanos: pause)
            self.retries.insert(slot, at: self.books.requests[slot].retryAt)
            return
        }
        actions.append(.fail(id, failure))
        self.end(slot, .broken, now: now)
    }

    /// Forgets a request that the gate had let in.
    private mutating func end(_ slot: Int, _ ending: Ending, now: Instant) {
        let request = self.books.requests[slot]
        if request.phase == .inFlight { self.books.fleet.ended(request) }
        self.choice.forget(request: request.id, now: now)
        self.gate.ended(slot, ending, &self.books, now: now)
        self.books.requests.remove(slot)
    }

    // MARK: Endpoints

    private mutating func addEndpoint(
        _ id: EndpointID, model: ModelID, ready: Bool, now: Instant
    ) {
        guard id.raw >= 0, self.plan.models.indices.contains(model.raw) else {
            assertionFailure("an endpoint of an unknown model")
            return
        }
        self.books.fleet.add(id, model: model.raw, ready: ready, now: now)
        self.gate.fleetChanged(
            model: self.books.fleet[id.raw].model, &self.books, now: now)
    }

    private mutating func removeEndpoint(_ id: EndpointID, now: Instant) {
        guard self.books.fleet.isKnown(id) else { return }
        let model = self.books.fleet[id.raw].model
        self.books.fleet.remove(id)
        self.choice.forget(id.raw)
        self.gate.fleetChanged(model: model, &self.books, now: now)
    }

    private mutating func probed(
        _ id: EndpointID, healthy: Bool, now: Instant, into actions: inout ActionBuffer
    ) {
        guard self.books.fleet.isKnown(id), !self.books.fleet[id.raw].isLeaving,
            self.books.fleet.probed(id, healthy: healthy, now: now)
        else { return }
        actions.append(.healthChanged(id, healthy: healthy))
        self.gate.fleetChanged(
            model: self.books.fleet[id.raw].model, &self.books, now: now)
    }

    // MARK: Time

    private mutating func tick(now: Instant, into actions: inout ActionBuffer) {
        self.books.fleet.probe(now: now, into: &actions)
        while let (at, slot) = self.retries.removeFirst(dueBy: now) {
            // One that ended meanwhile left its entry behind.
            guard self.books.requests[slot].phase == .backingOff,
                self.books.requests[slot].retryAt == at
            else { continue }
            self.books.send(slot)
        }
        if let due = self.gate.due, due <= now { self.gate.tick(&self.books, now: now) }
    }

    private mutating func replan(_ plan: Plan, now: Instant) {
        guard plan.models.count >= self.plan.models.count else {
            assertionFailure("models are changed or appended, never taken away")
            return
        }
        self.plan = plan
        self.books.fleet.grow(models: plan.models.count)
        for slot in 0..<self.books.requests.slotCount
        where self.books.requests[slot].phase != .free {
            let model = Int(self.books.requests[slot].model)
            let last = Int32(plan.models[model].classes.count - 1)
            self.books.requests[slot].classIndex = min(self.books.requests[slot].classIndex, last)
        }
        self.gate.replan(plan, &self.books, now: now)
    }

    // MARK: Decisions

    private mutating func carryOut(now: Instant, into actions: inout ActionBuffer) {
        var position = 0
        // What is carried out may free room that is decided about in turn.
        while position < self.books.decisions.count {
            switch self.books.decisions[position] {
            case .send(let slot): self.send(slot, now: now, into: &actions)
            case .refuse(let slot, let reason):
                self.refuse(slot, reason, now: now, into: &actions)
                self.choice.forget(request: self.books.requests[slot].id, now: now)
                self.books.requests.remove(slot)
            case .preempt(let slot): self.preempt(slot, now: now, into: &actions)
            }
            position += 1
        }
        self.books.decisions.removeAll(keepingCapacity: true)
    }

    private mutating func send(_ slot: Int, now: Instant, into actions: inout ActionBuffer) {
        let request = self.books.requests[slot]
        if self.books.fleet.ready[Int(request.model)].isEmpty {
            if request.phase == .backingOff {
                actions.append(.fail(request.id, request.lastFailure))
            } else {
                self.refuse(slot, .noCapacity, now: now, into: &actions)
            }
            return self.end(slot, .broken, now: now)
        }
        let index = self.choice.pick(for: request, in: self.books.fleet, now: now)
        self.books.fleet.sent(request, to: index)
        self.books.requests[slot].phase = .inFlight
        self.books.requests[slot].endpoint = Int32(index)
        self.books.requests[slot].attempt += 1
        let waited: WaitCause =
            request.arrival == now ? .none : request.isCold ? .coldStart : .saturation
        actions.append(
            .dispatch(
                request.id,
                Dispatch(
                    endpoint: EndpointID(raw: index), model: ModelID(raw: Int(request.model)),
                    attempt: request.attempt + 1, waited: waited)))
    }

    private func refuse(
        _ slot: Int, _ reason: RefusalReason, now: Instant, into actions: inout ActionBuffer
    ) {
        let request = self.books.requests[slot]
        let refusal = Refusal(
            reason: reason, retryAfterNanos: self.retryAfterNanos, late: now > request.arrival)
        actions.append(.refuse(request.id, refusal))
    }

    private mutating func preempt(_ slot: Int, now: Instant, into actions: inout ActionBuffer) {
        if self.books.requests[slot].phase == .inFlight {
            actions.append(.abort(self.books.requests[slot].id))
        } else {
            self.refuse(slot, .saturated, now: now, into: &actions)
        }
        self.end(slot, .broken, now: now)
    }

    // MARK: Audit

    func audit(now: Instant) -> [AuditFault] {
        var faults: [AuditFault] = []
        var inFlight = Array(repeating: 0, count: self.books.fleet.endpoints.count)
        var prefill = inFlight
        for slot in 0..<self.books.requests.slotCount
        where self.books.requests[slot].phase == .inFlight {
            let request = self.books.requests[slot]
            inFlight[Int(request.endpoint)] += 1
            prefill[Int(request.endpoint)] += request.hasAnswered ? 0 : Int(request.promptTokens)
        }
        for index in inFlight.indices {
            let endpoint = self.books.fleet[index]
            if endpoint.inFlight != inFlight[index] || endpoint.prefillTokens != prefill[index] {
                faults.append(.ledger(EndpointID(raw: index)))
            }
        }
        self.gate.audit(self.books, into: &faults)
        return faults
    }
}
