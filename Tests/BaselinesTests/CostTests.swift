import Baselines
import RequestPath
import Testing
import Time

/// What a request costs a baseline. Prints a table and asserts nothing about time.
@Suite struct CostTests {
    @Test(arguments: [8, 1000])
    func `the cost of a request's whole life is printed`(_ endpoints: Int) {
        for gate in BaselineGate.allCases {
            var line = "\(endpoints) endpoints, \(gate.rawValue):"
            for choice in BaselineChoice.allCases {
                var mill = Mill(gate, choice, endpoints: endpoints)
                mill.run(requests: 200)
                let clock = ContinuousClock()
                let requests = 800
                let took = clock.measure { mill.run(requests: requests) }
                let nanos = took / .nanoseconds(1) / Double(requests)
                line += " \(choice.rawValue) \(Int(nanos)) ns,"
                #expect(mill.sent > 0)
            }
            print(line)
        }
    }
}

/// Arrivals faster than endings, scrapes each 50 ms of each endpoint, ticks as asked for.
private struct Mill {
    private(set) var sent = 0
    private var policy: Baseline
    private var now = Instant(nanos: 1_000_000_000)
    private var nextID: UInt64 = 0
    private var inFlight: [UInt64] = []
    private var oldest = 0
    private var nextScrape = 0
    private let endpoints: Int
    private var actions = ActionBuffer()

    init(_ gate: BaselineGate, _ choice: BaselineChoice, endpoints: Int) {
        self.endpoints = endpoints
        self.policy = Baseline.make(
            gate: gate, choice: choice, plan: Desk.plan(classes: 3), seed: 1)
        self.inFlight.reserveCapacity(20_000)
        for index in 0..<endpoints {
            self.tell(.endpointAdded(EndpointID(raw: index), model: ModelID(raw: 0), ready: true))
            self.scrape(index)
        }
    }

    mutating func run(requests: Int) {
        for _ in 0..<requests {
            // A hundred requests a second for each endpoint.
            let next = self.now.advanced(byNanos: 10_000_000 / UInt64(self.endpoints))
            while let due = self.policy.nextDeadline(), due <= next {
                self.now = max(self.now, due)
                self.tell(.tick)
            }
            self.now = next
            if self.nextID % 5 == 0 { self.scrape(self.nextScrape) }
            self.nextID += 1
            self.tell(
                .arrive(
                    Arrival(
                        request: RequestID(raw: self.nextID), model: ModelID(raw: 0),
                        tenant: TenantID(raw: 0), classIndex: Int(self.nextID % 3),
                        promptBytes: 4_000, promptHash: self.nextID % 1_000)))
            if self.inFlight.count - self.oldest > 20 * self.endpoints { self.endOldest() }
        }
    }

    private mutating func scrape(_ index: Int) {
        self.nextScrape = (index + 1) % self.endpoints
        let waiting = UInt32((self.nextID / 64) % 8)
        self.tell(
            .scraped(
                EndpointID(raw: index),
                EngineGauges(running: 20, waiting: waiting, kvCacheShare: 0.6)))
    }

    private mutating func endOldest() {
        let id = RequestID(raw: self.inFlight[self.oldest])
        self.oldest += 1
        self.tell(.firstToken(id))
        self.tell(.progress(id, outputTokens: 40))
        self.tell(.finish(id, usage: nil))
    }

    private mutating func tell(_ event: Event) {
        self.actions.removeAll()
        self.policy.step(event, now: self.now, into: &self.actions)
        for action in self.actions.actions {
            guard case .dispatch(let id, _) = action else { continue }
            self.sent += 1
            self.inFlight.append(id.raw)
        }
    }
}
