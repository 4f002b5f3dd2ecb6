import RequestPath
import Time

/// A world with no sense in it: random plans and events, and a book kept of every request, so that
/// what admission does can be checked after each step.
struct RandomWorld {
    private enum Stage: Equatable {
        case queued
        case inFlight(EndpointID, answered: Bool)
    }

    private struct Entry {
        var arrival: Arrival
        var arrivedAt: Instant
        var stage: Stage
        var attempt = 0
        /// Where a second try is under way.
        var second: EndpointID?
        var tokens: UInt32 = 0
    }

    private(set) var log: [Action] = []
    /// What was found wrong, in words; empty when all held.
    private(set) var faults: [String] = []
    private(set) var settled = 0
    private(set) var arrivals = 0
    private(set) var hedges = 0
    /// Requests sent that had to wait for room.
    private(set) var waits = 0

    private var random: SmallRandom
    private var plan: Plan
    private var admission: Admission
    private var now = Instant(nanos: 1_000_000_000)
    private var book: [UInt64: Entry] = [:]
    /// Live ids in order of arrival, so that a draw does not depend on hashing.
    private var live: [UInt64] = []
    private var endpoints: [(id: EndpointID, model: ModelID)] = []
    private var nextEndpoint = 0
    private var probes: [EndpointID] = []
    private var actions = ActionBuffer()
    private var failing: RequestID?
    private var isTicking = false
    private let endpointsMax: Int
    private let hasPrefixes: Bool

    /// With at most so many endpoints of both models together, and where prompts are told by the
    /// hashes of their blocks.
    init(seed: UInt64, endpointsMax: Int = 12, hasPrefixes: Bool = false) {
        self.endpointsMax = endpointsMax
        self.hasPrefixes = hasPrefixes
        var random = SmallRandom(seed: seed)
        self.plan = Self.somePlan(&random)
        self.admission = Admission(plan: self.plan, seed: seed)
        self.random = random
    }

    mutating func run(steps: Int) {
        for _ in 0..<(1 + self.random.below(self.endpointsMax / 2)) { self.addEndpoint() }
        for _ in 0..<steps where self.faults.isEmpty {
            self.passTime()
            self.happen()
        }
        self.wind()
    }

    // MARK: What happens

    private mutating func passTime() {
        let span =
            self.random.chance(0.02) ? 3_000_000_000 : self.random.chance(0.3) ? 0 : 20_000_000
        let until = self.now.advanced(byNanos: UInt64(Double(span) * self.random.unit()))
        self.tickUntil(until)
        self.now = until
    }

    private mutating func tickUntil(_ until: Instant) {
        var ticks = 0
        while let due = self.admission.nextDeadline(), due <= until, self.faults.isEmpty {
            self.now = max(self.now, due)
            self.tell(.tick)
            ticks += 1
            if ticks > 10_000 { self.faults.append("ticks do not end") }
        }
    }

    private mutating func happen() {
        switch self.random.below(100) {
        case 0..<45: self.arrive()
        case 45..<88: self.moveOne()
        case 88..<92: self.answerProbe(healthy: self.random.chance(0.7))
        case 92..<94: self.scrape()
        case 94: self.addEndpoint()
        case 95: self.removeEndpoint()
        case 96: self.replan()
        case 98: self.probeOfItself()
        default: break
        }
    }

    private mutating func arrive() {
        self.arrivals += 1
        let model = self.random.below(self.plan.models.count)
        let classes = self.plan.models[model].classes.count
        var arrival = Arrival(
            request: RequestID(raw: UInt64(self.arrivals) &* 7919), model: ModelID(raw: model),
            tenant: TenantID(raw: self.random.below(self.plan.tenants.count)),
            classIndex: self.random.below(classes),
            promptBytes: UInt32(self.random.logNormal(median: 1500, sigma: 1.3)),
            promptHash: self.random.next() % 20, bodyBytes: UInt32(self.random.below(8000)))
        if self.random.chance(0.3) { arrival.outputTokensMax = UInt32(1 + self.random.below(900)) }
        if self.random.chance(0.2) {
            arrival.promptTokensExact = UInt32(1 + self.random.below(4000))
        }
        if self.random.chance(0.1) {
            arrival.deadlineNanos = UInt64(1 + self.random.below(2_000_000_000))
        }
        if self.hasPrefixes {
            // Prompts that begin alike, as far as they go.
            let first = arrival.promptHash * 100
            arrival.prefixHashes = (0..<UInt64(arrival.promptBytes / 2048)).map { first + $0 }
        }
        arrival.cappable = self.random.chance(0.8)
        arrival.retryable = self.random.chance(0.8)
        arrival.streams = self.random.chance(0.8)
        let id = arrival.request.raw
        self.book[id] = Entry(arrival: arrival, arrivedAt: self.now, stage: .queued)
        self.live.append(id)
        self.tell(.arrive(arrival))
    }

    /// Moves one request that is at an engine, or cancels one anywhere.
    private mutating func moveOne() {
        guard !self.live.isEmpty else { return }
        let id = self.live[self.random.below(self.live.count)]
        guard let entry = self.book[id] else { return }
        let request = RequestID(raw: id)
        if self.random.chance(0.05) {
            self.forget(id)
            return self.tell(.cancel(request))
        }
        guard case .inFlight(let endpoint, let answered) = entry.stage else { return }
        if let second = entry.second, self.random.chance(0.6) {
            return self.moveSecond(request, second)
        }
        if self.random.chance(0.12) {
            let failure = Failure.allCases[self.random.below(Failure.allCases.count)]
            if let second = entry.second {
                self.book[id]?.second = nil
                self.book[id]?.stage = .inFlight(second, answered: false)
                return self.tell(.attemptFailed(request, failure, beforeFirstByte: true))
            }
            self.failing = request
            self.book[id]?.stage = .queued
            self.tell(.attemptFailed(request, failure, beforeFirstByte: !answered))
            self.failing = nil
        } else if !answered, entry.arrival.streams || self.random.chance(0.3) {
            self.book[id]?.stage = .inFlight(endpoint, answered: true)
            self.book[id]?.second = nil
            self.book[id]?.tokens = 1
            self.tell(.firstToken(request))
        } else if answered, self.random.chance(0.6) {
            let tokens = entry.tokens + UInt32(1 + self.random.below(40))
            self.book[id]?.tokens = tokens
            self.tell(.progress(request, outputTokens: tokens))
        } else {
            self.finish(id)
        }
    }

    /// The second of two tries answers first, fails, or is cancelled for the first.
    private mutating func moveSecond(_ request: RequestID, _ second: EndpointID) {
        self.book[request.raw]?.second = nil
        switch self.random.below(3) {
        case 0:
            self.book[request.raw]?.stage = .inFlight(second, answered: false)
            self.tell(.hedgeWon(request))
        case 1: self.tell(.hedgeFailed(request, nil))
        default:
            let failure = Failure.allCases[self.random.below(Failure.allCases.count)]
            self.tell(.hedgeFailed(request, failure))
        }
    }

    private mutating func finish(_ id: UInt64) {
        guard let entry = self.book[id] else { return }
        let prompt = entry.arrival.promptTokensExact ?? entry.arrival.promptBytes / 4
        let usage = Usage(
            promptTokens: max(1, prompt), outputTokens: max(1, entry.tokens),
            cachedTokens: self.random.chance(0.2) ? prompt / 2 : 0)
        self.forget(id)
        self.tell(
            .finish(RequestID(raw: id), usage: self.random.chance(0.8) ? usage : nil))
    }

    private mutating func answerProbe(healthy: Bool) {
        guard !self.probes.isEmpty else { return }
        let id = self.probes.remove(at: self.random.below(self.probes.count))
        self.tell(.probed(id, healthy: healthy))
    }

    /// Health is looked at all the time, also before what is due has been told to be.
    private mutating func probeOfItself() {
        guard !self.endpoints.isEmpty else { return }
        let id = self.endpoints[self.random.below(self.endpoints.count)].id
        self.now = self.now.advanced(byNanos: UInt64(60_000_000 * self.random.unit()))
        self.tell(.probed(id, healthy: self.random.chance(0.9)))
    }

    private mutating func scrape() {
        guard !self.endpoints.isEmpty else { return }
        let gauges = EngineGauges(
            running: UInt32(self.random.below(40)), waiting: UInt32(self.random.below(8)),
            kvCacheShare: self.random.unit())
        let id = self.endpoints[self.random.below(self.endpoints.count)].id
        self.tell(.scraped(id, gauges))
    }

    private mutating func addEndpoint() {
        guard self.endpoints.count < self.endpointsMax else { return }
        let id = EndpointID(raw: self.nextEndpoint)
        let model = ModelID(raw: self.random.below(self.plan.models.count))
        self.nextEndpoint += 1
        self.endpoints.append((id, model))
        self.tell(.endpointAdded(id, model: model, ready: self.random.chance(0.7)))
    }

    private mutating func removeEndpoint() {
        guard !self.endpoints.isEmpty else { return }
        let removed = self.endpoints.remove(at: self.random.below(self.endpoints.count))
        self.tell(.endpointRemoved(removed.id))
    }

    private mutating func replan() {
        let other = Self.somePlan(&self.random)
        for model in self.plan.models.indices {
            self.plan.models[model].classes = other.models[model % other.models.count].classes
            self.plan.models[model].retryShare = self.random.unit()
        }
        for tenant in self.plan.tenants.indices {
            self.plan.tenants[tenant] = other.tenants[tenant % other.tenants.count]
        }
        if self.plan.tenants.count < 8 { self.plan.tenants.append(TenantPlan(name: "new")) }
        self.tell(.replan(self.plan))
    }

    /// Ends the run: nobody arrives, every engine is well, all is finished.
    private mutating func wind() {
        for model in self.plan.models.indices where self.faults.isEmpty {
            let id = EndpointID(raw: self.nextEndpoint)
            self.nextEndpoint += 1
            self.endpoints.append((id, ModelID(raw: model)))
            self.tell(.endpointAdded(id, model: ModelID(raw: model), ready: true))
        }
        var rounds = 0
        while !self.live.isEmpty, self.faults.isEmpty {
            rounds += 1
            if rounds > 20_000 { return self.faults.append("live requests never end") }
            self.tickUntil(self.now.advanced(byNanos: 20_000_000))
            self.now = self.now.advanced(byNanos: 20_000_000)
            self.answerProbe(healthy: true)
            let flying = self.live.filter { self.book[$0]?.stage != .queued }
            if let id = flying.first { self.finish(id) }
        }
        if self.admission.liveRequests != 0 { self.faults.append("records leak") }
        for endpoint in self.endpoints {
            guard let gauges = self.admission.gauges(of: endpoint.id) else { continue }
            if gauges.inFlight != 0 || gauges.prefillWaiting != 0 || gauges.contextTokens != 0 {
                self.faults.append("the ledger of \(endpoint.id) is not zero when idle")
            }
        }
    }

    // MARK: What is checked

    private mutating func forget(_ id: UInt64) {
        if self.book.removeValue(forKey: id) == nil { self.faults.append("\(id) settled twice") }
        self.live.removeAll { $0 == id }
        self.settled += 1
    }

    private mutating func tell(_ event: Event) {
        guard self.faults.isEmpty else { return }
        self.actions.removeAll()
        self.isTicking = event == .tick
        self.admission.step(event, now: self.now, into: &self.actions)
        for action in self.actions.actions {
            self.log.append(action)
            self.check(action)
        }
        for fault in self.admission.audit(now: self.now) {
            self.faults.append("after \(event): \(fault)")
        }
        if self.admission.liveRequests != self.live.count {
            self.faults.append("after \(event): live \(self.live.count) by the book")
        }
        if let due = self.admission.nextDeadline(), event == .tick, due <= self.now {
            self.faults.append("still due after a tick")
        }
    }

    private mutating func check(_ action: Action) {
        switch action {
        case .dispatch(let id, let dispatch): self.checkDispatch(id, dispatch)
        case .hedge(let id, let dispatch): self.checkHedge(id, dispatch)
        case .refuse(let id, let refusal):
            if refusal.retryAfterNanos == 0 { self.faults.append("no Retry-After") }
            guard let entry = self.book[id.raw], entry.stage == .queued || self.failing == id else {
                return self.faults.append("refused \(id), which is not waiting")
            }
            if refusal.late != (self.now > entry.arrivedAt) {
                self.faults.append("wrong lateness of \(id)")
            }
            self.forget(id.raw)
        case .abort(let id):
            if self.book[id.raw].map({ $0.stage == .queued }) ?? true {
                self.faults.append("aborted \(id), which is not at an engine")
            }
            self.forget(id.raw)
        case .fail(let id, _):
            if self.failing != id { self.faults.append("failed \(id) without a failure") }
            self.forget(id.raw)
        case .probe(let id): self.probes.append(id)
        case .ladderMoved, .healthChanged: break
        }
    }

    private mutating func checkDispatch(_ id: RequestID, _ dispatch: Dispatch) {
        guard var entry = self.book[id.raw], entry.stage == .queued || self.failing == id else {
            return self.faults.append("dispatched \(id), which is not waiting")
        }
        entry.attempt += 1
        if dispatch.attempt != entry.attempt { self.faults.append("attempt of \(id)") }
        if dispatch.waited == .saturation { self.waits += 1 }
        entry.stage = .inFlight(dispatch.endpoint, answered: false)
        entry.tokens = 0
        self.book[id.raw] = entry
        let known = self.endpoints.first { $0.id == dispatch.endpoint }
        if known?.model != dispatch.model { self.faults.append("\(id) sent to a stranger") }
        if let cap = dispatch.outputTokensCap {
            let most = entry.arrival.outputTokensMax ?? .max
            if !entry.arrival.cappable || cap >= most { self.faults.append("wrong cap of \(id)") }
        }
        // In one tick a later timer may take out the endpoint that an earlier one sent to.
        if self.isTicking { return }
        self.checkRoom(dispatch.endpoint)
    }

    /// A second try goes to another engine of the model, once, before the first token, while nobody
    /// waits.
    private mutating func checkHedge(_ id: RequestID, _ dispatch: Dispatch) {
        guard let entry = self.book[id.raw], entry.arrival.retryable, entry.arrival.streams,
            entry.second == nil, case .inFlight(let first, answered: false) = entry.stage,
            first != dispatch.endpoint
        else { return self.faults.append("hedged \(id), which may not be") }
        self.hedges += 1
        self.book[id.raw]?.second = dispatch.endpoint
        let known = self.endpoints.first { $0.id == dispatch.endpoint }
        if known?.model != dispatch.model { self.faults.append("\(id) hedged at a stranger") }
    }

    /// At the end of a step an endpoint that was sent work holds no more than its room.
    private mutating func checkRoom(_ id: EndpointID) {
        guard let gauges = self.admission.gauges(of: id) else { return }
        if !gauges.isOpen { self.faults.append("sent to \(id), which is out") }
        if gauges.inFlight > max(1, gauges.sequencesMax) {
            self.faults.append("\(id) holds more sequences than it may")
        }
    }

    // MARK: Plans

    private static func somePlan(_ random: inout SmallRandom) -> Plan {
        var models: [ModelPlan] = []
        for index in 0..<2 {
            var classes: [ClassPlan] = []
            for rank in 0..<(1 + random.below(3)) {
                let plan = UInt64(200_000_000 + random.below(2_000_000_000))
                classes.append(
                    ClassPlan(
                        name: "class\(rank)", planNanos: plan, deadlineNanos: plan * 2,
                        maxWaitNanos: random.chance(0.3) ? plan / 2 : nil,
                        queueRequestsMax: 1 + random.below(60),
                        queueBytesMax: UInt64(1000 + random.below(200_000))))
            }
            var ladder: [LadderStep] = []
            if random.chance(0.7) { ladder.append(.cap(outputTokens: 128)) }
            if index == 0, random.chance(0.5) { ladder.append(.model(ModelID(raw: 1))) }
            models.append(
                ModelPlan(
                    name: "model\(index)", classes: classes, ladder: ladder, retryShare: 0.2,
                    hedgeShare: random.chance(0.5) ? 0.5 : 0,
                    maxContextTokens: random.chance(0.3) ? 8000 : nil,
                    interTokenBoundNanos: random.chance(0.5) ? 60_000_000 : nil,
                    coldStartNanos: random.chance(0.5) ? 5_000_000_000 : nil,
                    concurrentRequestsMax: random.chance(0.7) ? UInt32(1 + random.below(6)) : nil,
                    tokensInFlightMax: random.chance(0.3) ? 9000 : nil))
        }
        let tenants = (0..<4).map {
            TenantPlan(
                name: "tenant\($0)", weight: 0.5 + random.unit() * 3,
                requestsPerMinute: random.chance(0.2) ? UInt32(1 + random.below(200)) : nil,
                tokensPerMinute: random.chance(0.2) ? UInt64(1 + random.below(200_000)) : nil,
                concurrency: random.chance(0.4) ? UInt32(1 + random.below(4)) : nil)
        }
        return Plan(models: models, tenants: tenants)
    }
}
