import RequestPath
import Testing
import Time

/// Admission and scaling share a ledger: what is on its way shortens waits.
@Suite struct CapacityOnItsWayTests {
    private static let second: UInt64 = 1_000_000_000

    /// One model whose class may wait for minutes, at an engine that takes one request at a time.
    private struct World {
        private(set) var admission: Admission
        private var actions = ActionBuffer()
        private var now = Instant(nanos: second)
        private var lastID: UInt64 = 0
        private(set) var refusals: [UInt64] = []
        private(set) var dispatched: [RequestID] = []

        init(plan: UInt64) {
            self.admission = Admission(
                plan: Plan(
                    models: [
                        ModelPlan(
                            name: "m",
                            classes: [
                                ClassPlan(
                                    name: "batch", planNanos: plan * second,
                                    deadlineNanos: plan * second)
                            ], concurrentRequestsMax: 1)
                    ], tenants: [TenantPlan(name: "t")]), seed: 1)
            self.tell(.endpointAdded(EndpointID(raw: 0), model: ModelID(raw: 0), ready: true))
        }

        mutating func tell(_ event: Event) {
            self.actions.removeAll()
            self.admission.step(event, now: self.now, into: &self.actions)
            for action in self.actions.actions {
                switch action {
                case .refuse(_, let refusal): self.refusals.append(refusal.retryAfterNanos)
                case .dispatch(let id, _): self.dispatched.append(id)
                default: break
                }
            }
            #expect(self.admission.audit(now: self.now) == [])
        }

        mutating func pass(seconds: UInt64) {
            self.now = self.now.advanced(byNanos: seconds * CapacityOnItsWayTests.second)
        }

        mutating func ask() {
            self.lastID += 1
            self.tell(
                .arrive(
                    Arrival(
                        request: RequestID(raw: self.lastID), model: ModelID(raw: 0),
                        tenant: TenantID(raw: 0), classIndex: 0, promptBytes: 400,
                        promptTokensExact: 100, promptHash: self.lastID)))
        }

        /// Each of `count` requests takes ten seconds.
        mutating func serve(_ count: Int) {
            for _ in 0..<count {
                self.ask()
                let id = RequestID(raw: self.lastID)
                self.pass(seconds: 1)
                self.tell(.firstToken(id))
                self.pass(seconds: 9)
                self.tell(.finish(id, usage: Usage(promptTokens: 100, outputTokens: 400)))
            }
        }

        /// Asks until one is refused; how many were let in.
        mutating func fill() -> Int {
            var asked = 0
            let before = self.refusals.count
            while self.refusals.count == before, asked < 500 {
                self.ask()
                asked += 1
            }
            return asked - 1
        }

        mutating func start(_ index: Int) {
            self.tell(
                .endpointAdded(EndpointID(raw: index), model: ModelID(raw: 0), ready: false))
        }
    }

    @Test func `more may wait while more replicas are on their way`() {
        var alone = World(plan: 300)
        alone.serve(8)
        let few = alone.fill()
        var grown = World(plan: 300)
        grown.serve(8)
        for index in 1...3 { grown.start(index) }
        let many = grown.fill()
        #expect(few > 3)
        #expect(Double(many) > 1.8 * Double(few), "\(many) and \(few)")
        // Nothing was sent to what is not there.
        #expect(grown.dispatched.count == alone.dispatched.count)
    }

    @Test func `a refused client is told to come back sooner`() throws {
        var alone = World(plan: 300)
        alone.serve(8)
        _ = alone.fill()
        var grown = World(plan: 300)
        grown.serve(8)
        _ = grown.fill()
        for index in 1...3 { grown.start(index) }
        // Both are as full as one replica allows; one of them grows.
        for _ in 0..<200 {
            alone.ask()
            grown.ask()
        }
        let before = try #require(alone.refusals.last)
        let after = try #require(grown.refusals.last)
        #expect(Double(after) < 0.8 * Double(before), "\(after) and \(before)")
    }

    @Test func `a replica that does not come is believed in less and less`() {
        var world = World(plan: 300)
        world.serve(8)
        let few = world.fill()
        for index in 1...3 { world.start(index) }
        let soon = world.fill()
        world.pass(seconds: 1_000)
        // What waited is over.
        world.tell(.tick)
        let late = world.fill()
        #expect(soon > 0)
        #expect(late <= few + soon)
    }

    @Test func `what left before it came shortens nothing`() {
        var world = World(plan: 300)
        world.serve(8)
        let few = world.fill()
        world.start(1)
        world.tell(.endpointRemoved(EndpointID(raw: 1)))
        #expect(world.fill() == 0)
        #expect(few > 0)
    }
}
