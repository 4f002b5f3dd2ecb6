import RequestPath
import Testing
import Time

/// What one request costs with 10,000 queued. Prints a table and asserts nothing about time.
@Suite struct CostTests {
    @Test(arguments: [2, 1000])
    func `the cost of arrive, dispatch, first token and finish is printed`(_ endpoints: Int) {
        var world = CostWorld(endpoints: endpoints, queued: 10_000)
        world.run(requests: 20_000)
        let (decisions, lives) = world.run(requests: 50_000)
        for (name, unsorted) in [("decision on arrival", decisions), ("whole life", lives)] {
            let nanos = unsorted.sorted()
            let mean = nanos.reduce(0, +) / Double(nanos.count)
            print(
                "\(endpoints) endpoints, \(world.queued) queued, \(name):", Int(mean),
                "ns mean,", Int(nanos[nanos.count / 2]), "p50,",
                Int(nanos[nanos.count * 99 / 100]), "p99,",
                Int(nanos[nanos.count * 999 / 1000]), "p99.9")
        }
        #expect(world.queued >= 9_000)
    }
}

/// A saturated model: one request arrives for each that ends.
private struct CostWorld {
    private var admission: Admission
    private var actions = ActionBuffer()
    private var now = Instant(nanos: 1_000_000_000)
    private var nextID: UInt64 = 0
    private var inFlight: [UInt64] = []
    private var oldest = 0
    private var random = SmallRandom(seed: 3)
    private let tenants = 100

    init(endpoints: Int, queued: Int) {
        let plan = Plan(
            models: [
                ModelPlan(
                    name: "chat",
                    classes: [
                        ClassPlan(
                            name: "only", planNanos: 1 << 60, deadlineNanos: 1 << 60,
                            queueRequestsMax: 20_000)
                    ],
                    ladder: [.cap(outputTokens: 64)], interTokenBoundNanos: 80_000_000,
                    concurrentRequestsMax: 32)
            ],
            tenants: (0..<self.tenants).map { TenantPlan(name: "tenant\($0)") })
        self.admission = Admission(plan: plan, seed: 1)
        self.inFlight.reserveCapacity(200_000)
        for index in 0..<endpoints {
            self.tell(.endpointAdded(EndpointID(raw: index), model: ModelID(raw: 0), ready: true))
        }
        for _ in 0..<(queued + endpoints * 8) { self.arrive() }
    }

    var queued: Int {
        self.admission.gauges(of: ModelID(raw: 0), classIndex: 0)?.queuedRequests ?? 0
    }

    @discardableResult
    mutating func run(requests: Int) -> (decisions: [Double], lives: [Double]) {
        let clock = ContinuousClock()
        var decisions: [Double] = []
        var lives: [Double] = []
        decisions.reserveCapacity(requests)
        lives.reserveCapacity(requests)
        for _ in 0..<requests {
            self.now = self.now.advanced(byNanos: 100_000)
            let decision = clock.measure { self.arrive() }
            let rest = clock.measure { self.endOldest() }
            decisions.append(Double(decision.components.attoseconds) / 1e9)
            lives.append(Double((decision + rest).components.attoseconds) / 1e9)
        }
        return (decisions, lives)
    }

    private mutating func arrive() {
        let id = self.nextID
        self.nextID += 1
        self.tell(
            .arrive(
                Arrival(
                    request: RequestID(raw: id), model: ModelID(raw: 0),
                    tenant: TenantID(raw: self.random.below(self.tenants)), classIndex: 0,
                    promptBytes: UInt32(400 + self.random.below(4000)), outputTokensMax: 256,
                    promptHash: id)))
    }

    private mutating func endOldest() {
        let id = RequestID(raw: self.inFlight[self.oldest])
        self.oldest += 1
        self.tell(.firstToken(id))
        self.tell(.progress(id, outputTokens: 40))
        self.tell(.finish(id, usage: Usage(promptTokens: 500, outputTokens: 80)))
    }

    private mutating func tell(_ event: Event) {
        self.actions.removeAll()
        self.admission.step(event, now: self.now, into: &self.actions)
        for action in self.actions.actions {
            if case .dispatch(let id, _) = action { self.inFlight.append(id.raw) }
        }
    }
}
