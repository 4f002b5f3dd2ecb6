package import Baselines
import EngineModel
import Report
import RequestPath
import Statistics
import Time
package import Workload

/// A world in virtual time: clients, a gateway that decides by `Policy`, and its engines.
///
/// What the gateway tells its policy, and when, is what the live gateway tells admission: a first
/// token as it comes, progress every sixteen tokens, usage with the end, probes and scrapes by its
/// monitor's clock. The same scenario, arrivals and policy give the same outcome to the last byte.
/// Memory follows how many requests live at once, not how many come.
package struct Simulation<Policy: RequestPolicy> {
    let scenario: Scenario
    /// What is under test, as it stands.
    package internal(set) var policy: Policy
    var arrivals: ArrivalStream
    var account: RunAccount
    var now = Instant.zero
    var heap = EventHeap()
    var endpoints: [ModelEndpoint] = []
    var live = LiveRequests()
    var actions = ActionBuffer()
    var engineEvents: [EngineEvent] = []
    /// Engines that were given work and do not step yet.
    var kicked: [Int] = []
    /// When the policy wants to be woken.
    var due: Instant?
    /// The request whose arrival is being told.
    var arriving: Int?
    var attempts: UInt64 = 0
    var policySteps = 0
    var ticksAtOnce = 0
    var activeFaults: [Bool]
    var fleet: Fleet?
    var monitorRandom: SeededRandom
    var chance: SeededRandom
    let goodBounds: [GoodBounds]
    let classByName: [String: Int]
    let tenantByName: [String: Int]

    private static var ticksAtOnceMax: Int { 10_000 }

    /// A world before its first event.
    package init(scenario: Scenario, policy: Policy, arrivals: ArrivalStream) {
        self.scenario = scenario
        self.policy = policy
        self.arrivals = arrivals
        let plan = scenario.plan
        account = RunAccount(scenario)
        activeFaults = Array(repeating: false, count: scenario.faults.count)
        var root = SeededRandom(seed: scenario.seed)
        monitorRandom = root.fork()
        chance = root.fork()
        let classes = plan.models[scenario.model.raw].classes
        goodBounds = classes.map { scenario.budget.goodBounds(of: $0.name) }
        classByName = Dictionary(
            classes.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
        tenantByName = Dictionary(
            plan.tenants.enumerated().map { ($1.name, $0) },
            uniquingKeysWith: { first, _ in first })
        for model in scenario.endpointModels {
            var configuration = scenario.pools[model].engine
            configuration.tellsEvery = Self.tokensPerProgress
            endpoints.append(
                ModelEndpoint(
                    model: model,
                    engine: BatchingEngine(configuration: configuration, seed: root.next())))
        }
    }

    /// The gateway reports progress when it has relayed this many tokens more.
    static var tokensPerProgress: Int { 16 }

    /// Runs to the end: all arrivals have come and every request has its outcome.
    ///
    /// Throws what is wrong with the arrivals; a trace that was read before has nothing wrong.
    package mutating func run() throws(TraceFault) -> RunOutcome {
        begin()
        var next = try arrivals.next()
        var lastArrival: UInt64 = 0
        while next != nil || live.count > 0 {
            let happensAt = heap.firstAt ?? .max
            let dueAt = due?.nanos ?? .max
            let at = min(happensAt, dueAt, next?.atNanos ?? .max)
            let end =
                next == nil
                ? Instant(nanos: lastArrival).advanced(byNanos: scenario.drainNanos).nanos : .max
            guard at < .max, at <= end else {
                giveUp(at: end, isStuck: at == .max)
                break
            }
            now = max(now, Instant(nanos: at))
            if happensAt == at {
                if let entry = heap.popFirst() { happen(entry.happening) }
            } else if dueAt == at {
                tick()
            } else if let arrival = next {
                lastArrival = arrival.atNanos
                arrive(arrival)
                next = try arrivals.next()
            }
        }
        return finish(lastArrival: lastArrival)
    }

    private mutating func begin() {
        for (index, fault) in scenario.faults.enumerated() {
            heap.add(.faultBegins(Int32(index)), at: fault.startNanos)
            if let end = fault.endNanos { heap.add(.faultEnds(Int32(index)), at: end) }
        }
        for index in endpoints.indices {
            let id = EndpointID(raw: index)
            refreshIdle(index)
            tell(.endpointAdded(id, model: ModelID(raw: endpoints[index].model), ready: true))
            watch(index)
        }
        if let cluster = scenario.cluster { beginScaling(by: cluster) }
    }

    /// Lets the monitor look at an endpoint from now on.
    mutating func watch(_ index: Int) {
        guard !endpoints[index].isWatched else { return }
        endpoints[index].isWatched = true
        heap.add(.probe(endpoint: Int32(index)), at: jittered(scenario.monitor.probeNanos))
        if let nanos = scenario.monitor.scrapeNanos {
            heap.add(.scrape(endpoint: Int32(index)), at: jittered(nanos))
        }
    }

    private mutating func happen(_ happening: Happening) {
        switch happening {
        case .stepEnd(let endpoint, let epoch): endStep(Int(endpoint), epoch: epoch)
        case .scrape(let endpoint): scrape(Int(endpoint))
        case .scraped(let endpoint): scraped(Int(endpoint))
        case .probe(let endpoint): probe(Int(endpoint))
        case .probed(let endpoint): probed(Int(endpoint))
        case .attemptFails(let slot, let generation): attemptFails(Int(slot), generation)
        case .secondFails(let slot, let attempt): secondFailed(Int(slot), attempt)
        case .retry(let slot, let generation): retry(Int(slot), generation)
        case .leave(let slot, let number): leave(Int(slot), number)
        case .silence(let endpoint): silence(Int(endpoint))
        case .faultBegins(let index): faultBegins(Int(index))
        case .faultEnds(let index): faultEnds(Int(index))
        case .scale: scale()
        case .replicaReady(let index, let epoch): replicaReady(Int(index), epoch: epoch)
        }
    }

    // MARK: The policy

    private mutating func tick() {
        tell(.tick)
        guard let due, due <= now else {
            ticksAtOnce = 0
            return
        }
        ticksAtOnce += 1
        if ticksAtOnce > Self.ticksAtOnceMax {
            account.fault("the policy asks for a tick at \(due.nanos) without end", now: now)
            self.due = nil
        }
    }

    /// Tells the policy one event and carries out what it answers.
    mutating func tell(_ event: Event) {
        actions.removeAll()
        policy.step(event, now: now, into: &actions)
        for index in 0..<actions.actions.count { carryOut(actions.actions[index]) }
        while let endpoint = kicked.popLast() { beginStep(endpoint) }
        due = policy.nextDeadline()
        policySteps += 1
        guard scenario.auditEvery > 0, policySteps % scenario.auditEvery == 0 else { return }
        for fault in policy.audit(now: now) { account.fault("\(fault)", now: now) }
    }

    private mutating func carryOut(_ action: Action) {
        switch action {
        case .dispatch(let id, let dispatch):
            guard let slot = slot(id, in: .waiting, for: "dispatched") else { return }
            self.dispatch(slot, dispatch)
        case .hedge(let id, let dispatch):
            guard let slot = slot(id, in: .atEngine, for: "hedged") else { return }
            hedge(slot, dispatch)
        case .refuse(let id, let refusal):
            guard let slot = slot(id, in: .waiting, for: "refused") else { return }
            refused(slot, refusal)
        case .abort(let id):
            guard let slot = slot(id, in: .atEngine, for: "aborted") else { return }
            leaveEngine(slot)
            aborted(slot)
        case .fail(let id, let failure):
            guard let slot = slot(id, in: .waiting, for: "failed") else { return }
            account.endWait(live[slot], now: now)
            failed(slot, failure)
        case .probe(let endpoint):
            heap.add(
                .probed(endpoint: Int32(endpoint.raw)),
                at: now.nanos + Monitor.answerNanos)
        case .ladderMoved: account.ladderMoves += account.isCounting(now) ? 1 : 0
        case .healthChanged: account.healthChanges += account.isCounting(now) ? 1 : 0
        }
    }

    /// The slot an action is for; records a fault when the request is not where it must be.
    private mutating func slot(
        _ id: RequestID, in phase: LiveRequest.Phase, for what: String
    ) -> Int? {
        if let slot = live.slot(of: id), live[slot].phase == phase { return slot }
        account.fault("request \(id.raw) was \(what) but is not \(phase)", now: now)
        return nil
    }
}
