import Baselines
import RequestPath
import Statistics
import Time

/// A world with no sense in it around a baseline, with a book of its own kept of every request.
///
/// Ids are used again as soon as they are free, so that a record that outlives its answer is found.
struct RandomField {
    private enum Stage: Equatable {
        case waiting
        case inFlight(EndpointID, answered: Bool)
    }

    private struct Entry {
        var arrival: Arrival
        var arrivedAt: Instant
        var stage = Stage.waiting
        var attempt = 0
    }

    private struct Member {
        var id: EndpointID
        var model: ModelID
        var isReady: Bool
        var failedProbes = 0
    }

    private(set) var log: [Action] = []
    /// What was found wrong, in words; empty when all held.
    private(set) var faults: [String] = []
    private(set) var arrivals = 0
    private(set) var settled = 0

    private var random: SeededRandom
    private var policy: Baseline
    private var plan: Plan
    private var now = Instant(nanos: 1_000_000_000)
    private var book: [UInt64: Entry] = [:]
    /// Live ids in order of arrival, so that a draw does not depend on hashing.
    private var live: [UInt64] = []
    private var freeIDs = Array(UInt64(0)..<4000)
    private var members: [Member] = []
    private var nextEndpoint = 0
    private var probes: [EndpointID] = []
    private var failing: RequestID?
    private var actions = ActionBuffer()

    init(_ gate: BaselineGate, _ choice: BaselineChoice, seed: UInt64) {
        self.random = SeededRandom(seed: seed)
        self.plan = Self.somePlan(&self.random)
        var knobs = BaselineKnobs()
        knobs.detector.creditsInFlight = self.random.uniform() < 0.3
        knobs.gauge.timeToLiveNanos = 2_000_000_000
        knobs.gauge.bandRequestsMax = 40
        knobs.slots.perEndpoint = 1 + Int(self.random.uniform(below: 6))
        for rank in 0..<4 {
            knobs.slots.classes[rank].queueMax = 4 * (rank + 1)
            knobs.slots.classes[rank].timeoutNanos /= 20
            knobs.slots.classes[rank].starvationNanos /= 20
        }
        knobs.busy.prefillTokens = 3_000
        knobs.gradient.limitMin = 1
        knobs.gradient.limitInitial = 4
        knobs.scores.prefixBlocksMax = 8
        knobs.health.probePeriodNanos = 1_000_000_000
        self.policy = Baseline.make(
            gate: gate, choice: choice, plan: self.plan, seed: seed, knobs: knobs)
    }

    mutating func run(steps: Int) {
        for _ in 0..<(1 + self.below(5)) { self.addEndpoint() }
        for _ in 0..<steps where self.faults.isEmpty {
            let span = self.chance(0.02) ? 1_500_000_000 : self.chance(0.3) ? 0 : 8_000_000
            self.pass(nanos: UInt64(Double(span) * self.random.uniform()))
            self.happen()
        }
        self.wind()
    }

    // MARK: What happens

    private mutating func pass(nanos: UInt64) {
        let until = self.now.advanced(byNanos: nanos)
        var ticks = 0
        while let due = self.policy.nextDeadline(), due <= until, self.faults.isEmpty {
            self.now = max(self.now, due)
            self.tell(.tick)
            if let next = self.policy.nextDeadline(), next <= self.now {
                self.faults.append("still due after a tick")
            }
            ticks += 1
            if ticks > 10_000 { self.faults.append("ticks do not end") }
        }
        self.now = until
    }

    private mutating func happen() {
        switch self.below(100) {
        case 0..<40: self.arrive()
        case 40..<80: self.moveOne()
        case 80..<86: self.scrapeOne()
        case 86..<92: self.answerProbe(healthy: self.chance(0.6))
        case 92: self.addEndpoint()
        case 93: self.removeEndpoint()
        case 94: self.replan()
        case 95: self.tell(.tick)
        default: break
        }
    }

    private mutating func arrive() {
        guard let id = self.freeIDs.popLast() else { return }
        self.arrivals += 1
        let model = self.below(self.plan.models.count)
        let arrival = Arrival(
            request: RequestID(raw: id), model: ModelID(raw: model), tenant: TenantID(raw: 0),
            classIndex: self.below(self.plan.models[model].classes.count),
            promptBytes: UInt32(self.below(8_000)),
            promptTokensExact: self.chance(0.5) ? UInt32(self.below(2_000)) : nil,
            retryable: self.chance(0.8), promptHash: UInt64(self.below(12)),
            bodyBytes: UInt32(self.below(9_000)))
        self.book[id] = Entry(arrival: arrival, arrivedAt: self.now)
        self.live.append(id)
        self.tell(.arrive(arrival))
    }

    private mutating func moveOne() {
        guard !self.live.isEmpty else { return }
        let id = self.live[self.below(self.live.count)]
        guard let entry = self.book[id] else { return }
        let request = RequestID(raw: id)
        if self.chance(0.05) {
            self.settle(id)
            return self.tell(.cancel(request))
        }
        guard case .inFlight(let endpoint, let answered) = entry.stage else { return }
        if self.chance(0.15) {
            self.failing = request
            self.book[id]?.stage = .waiting
            self.tell(
                .attemptFailed(
                    request, Failure.allCases[self.below(Failure.allCases.count)],
                    beforeFirstByte: !answered))
            self.failing = nil
        } else if !answered {
            self.book[id]?.stage = .inFlight(endpoint, answered: true)
            self.tell(.firstToken(request))
        } else if self.chance(0.3) {
            self.tell(.progress(request, outputTokens: UInt32(2 + self.below(500))))
        } else {
            self.settle(id)
            self.tell(.finish(request, usage: nil))
        }
    }

    private mutating func scrapeOne() {
        guard !self.members.isEmpty else { return }
        self.tell(
            .scraped(
                self.members[self.below(self.members.count)].id,
                EngineGauges(
                    running: UInt32(self.below(30)), waiting: UInt32(self.below(9)),
                    kvCacheShare: self.random.uniform())))
    }

    private mutating func answerProbe(healthy: Bool) {
        guard !self.probes.isEmpty else { return }
        let id = self.probes.remove(at: self.below(self.probes.count))
        if let at = self.members.firstIndex(where: { $0.id == id }) {
            self.members[at].failedProbes = healthy ? 0 : self.members[at].failedProbes + 1
            if healthy { self.members[at].isReady = true }
            if self.members[at].failedProbes >= 3 { self.members[at].isReady = false }
        }
        self.tell(.probed(id, healthy: healthy))
    }

    private mutating func addEndpoint() {
        guard self.members.count < 9 else { return }
        let member = Member(
            id: EndpointID(raw: self.nextEndpoint),
            model: ModelID(raw: self.below(self.plan.models.count)), isReady: self.chance(0.7))
        self.nextEndpoint += 1
        self.members.append(member)
        self.tell(.endpointAdded(member.id, model: member.model, ready: member.isReady))
    }

    private mutating func removeEndpoint() {
        guard !self.members.isEmpty else { return }
        let removed = self.members.remove(at: self.below(self.members.count))
        self.tell(.endpointRemoved(removed.id))
    }

    private mutating func replan() {
        let other = Self.somePlan(&self.random)
        for model in self.plan.models.indices {
            self.plan.models[model].classes = other.models[model].classes
        }
        self.tell(.replan(self.plan))
    }

    /// Ends the run: nobody arrives, every engine is well and idle, all is finished.
    private mutating func wind() {
        for model in self.plan.models.indices where self.faults.isEmpty {
            let id = EndpointID(raw: self.nextEndpoint)
            self.nextEndpoint += 1
            self.members.append(Member(id: id, model: ModelID(raw: model), isReady: true))
            self.tell(.endpointAdded(id, model: ModelID(raw: model), ready: true))
        }
        var rounds = 0
        while !self.live.isEmpty, self.faults.isEmpty {
            rounds += 1
            if rounds > 5_000 { return self.faults.append("live requests never end") }
            for member in self.members where rounds % 5 == 1 {
                self.tell(
                    .scraped(member.id, EngineGauges(running: 0, waiting: 0, kvCacheShare: 0)))
            }
            self.pass(nanos: 20_000_000)
            self.answerProbe(healthy: true)
            guard let id = self.live.first(where: { self.book[$0]?.stage != .waiting }) else {
                continue
            }
            self.settle(id)
            self.tell(.finish(RequestID(raw: id), usage: nil))
        }
    }

    // MARK: What is checked

    private mutating func settle(_ id: UInt64) {
        if self.book.removeValue(forKey: id) == nil { self.faults.append("\(id) settled twice") }
        self.live.removeAll { $0 == id }
        self.freeIDs.append(id)
        self.settled += 1
    }

    private mutating func tell(_ event: Event) {
        guard self.faults.isEmpty else { return }
        self.actions.removeAll()
        self.policy.step(event, now: self.now, into: &self.actions)
        for action in self.actions.actions {
            self.log.append(action)
            self.check(action)
        }
        for fault in self.policy.audit(now: self.now) {
            self.faults.append("after \(event): \(fault)")
        }
    }

    private mutating func check(_ action: Action) {
        switch action {
        case .dispatch(let id, let dispatch): self.checkDispatch(id, dispatch)
        case .hedge(let id, _): self.faults.append("\(id) hedged: the field does not")
        case .refuse(let id, let refusal):
            if refusal.retryAfterNanos == 0 { self.faults.append("no Retry-After") }
            guard let entry = self.book[id.raw], entry.stage == .waiting else {
                return self.faults.append("refused \(id), which is not waiting")
            }
            if refusal.late != (self.now > entry.arrivedAt) {
                self.faults.append("wrong lateness of \(id)")
            }
            self.settle(id.raw)
        case .abort(let id):
            if case .inFlight(_, answered: false) = self.book[id.raw]?.stage {
                self.settle(id.raw)
            } else {
                self.faults.append("aborted \(id), which is not at an engine without a byte")
            }
        case .fail(let id, _):
            if self.book[id.raw]?.stage != .waiting || self.book[id.raw]?.attempt == 0 {
                self.faults.append("failed \(id) without a failure")
            }
            self.settle(id.raw)
        case .probe(let id): self.probes.append(id)
        case .healthChanged, .ladderMoved: break
        }
    }

    private mutating func checkDispatch(_ id: RequestID, _ dispatch: Dispatch) {
        guard var entry = self.book[id.raw], entry.stage == .waiting else {
            return self.faults.append("dispatched \(id), which is not waiting")
        }
        entry.attempt += 1
        if dispatch.attempt != entry.attempt { self.faults.append("attempt of \(id)") }
        if entry.attempt > 1, !entry.arrival.retryable { self.faults.append("\(id) sent twice") }
        if self.failing == id { self.faults.append("\(id) sent again without a pause") }
        entry.stage = .inFlight(dispatch.endpoint, answered: false)
        self.book[id.raw] = entry
        let member = self.members.first { $0.id == dispatch.endpoint }
        if member?.isReady != true { self.faults.append("\(id) sent to one not ready") }
        if member?.model != entry.arrival.model || dispatch.model != entry.arrival.model {
            self.faults.append("\(id) sent to another model")
        }
    }

    // MARK: Draws

    private mutating func below(_ bound: Int) -> Int {
        Int(self.random.uniform(below: UInt64(bound)))
    }

    private mutating func chance(_ share: Double) -> Bool { self.random.uniform() < share }

    private static func somePlan(_ random: inout SeededRandom) -> Plan {
        let models = (0..<2).map { model in
            let classes = (0..<(1 + random.uniform(below: 5))).map {
                ClassPlan(name: "class\($0)", planNanos: 1, deadlineNanos: 1)
            }
            return ModelPlan(name: "model\(model)", classes: classes)
        }
        return Plan(models: models, tenants: [TenantPlan(name: "tenant")])
    }
}
