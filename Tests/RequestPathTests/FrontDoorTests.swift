import RequestPath
import Testing
import Time

/// Demand as a scaler is told of it: what was asked for, each request once.
@Suite struct FrontDoorTests {
    private struct Door {
        private(set) var admission = Admission(plan: OverloadTests.plan, seed: 1)
        private(set) var advice: UInt64?
        private var actions = ActionBuffer()
        private(set) var now = Instant(nanos: 1_000_000_000)
        private var lastID: UInt64 = 0

        var offered: Double { self.admission.frontDoor(of: ModelID(raw: 0)).offeredNanos }
        var refused: Double { self.admission.frontDoor(of: ModelID(raw: 0)).missedNanos }

        mutating func tell(_ event: Event) {
            self.actions.removeAll()
            self.advice = nil
            self.admission.step(event, now: self.now, into: &self.actions)
            for action in self.actions.actions {
                if case .refuse(_, let refusal) = action { self.advice = refusal.retryAfterNanos }
            }
        }

        mutating func pass(nanos: UInt64) { self.now = self.now.advanced(byNanos: nanos) }

        mutating func ask(
            hash: UInt64, tokens: UInt32 = 1_000, isRetry: Bool = false, tenant: Int = 0
        ) {
            self.lastID += 1
            var arrival = Arrival(
                request: RequestID(raw: self.lastID), model: ModelID(raw: 0),
                tenant: TenantID(raw: tenant), classIndex: 0, promptBytes: tokens * 4,
                promptTokensExact: tokens, promptHash: hash)
            arrival.isRetry = isRetry
            self.tell(.arrive(arrival))
        }

        mutating func open() {
            self.tell(.endpointAdded(EndpointID(raw: 0), model: ModelID(raw: 0), ready: true))
        }
    }

    @Test func `what is served and what is refused for want of capacity are both asked for`() {
        var door = Door()
        door.ask(hash: 1)
        #expect(door.advice != nil)
        let one = door.offered
        #expect(one > 0)
        #expect(door.refused == one)
        door.open()
        door.ask(hash: 2)
        #expect(door.advice == nil)
        #expect(door.offered > one)
        #expect(door.refused == one)
    }

    @Test func `twice the prompt is more work, and a model nobody knows is asked for nothing`() {
        var door = Door()
        door.ask(hash: 1, tokens: 1_000)
        let one = door.offered
        door.ask(hash: 2, tokens: 2_000)
        #expect(door.offered - one > one)
        #expect(door.admission.frontDoor(of: ModelID(raw: 7)) == FrontDoor())
    }

    @Test func `who comes back when told to was counted before`() throws {
        var door = Door()
        door.ask(hash: 1)
        let one = door.offered
        for _ in 0..<3 {
            door.pass(nanos: try #require(door.advice))
            door.ask(hash: 1)
        }
        #expect(door.offered == one)
        // Long after that the same prompt is another request.
        door.pass(nanos: 7_200_000_000_000)
        door.ask(hash: 1)
        #expect(door.offered == 2 * one)
    }

    @Test func `who says that it has asked before is believed where its prompt cannot be told`() {
        var door = Door()
        door.ask(hash: 0, isRetry: true)
        #expect(door.offered == 0)
        // It was turned away for another reason, or elsewhere: here it was never counted.
        door.ask(hash: 1, isRetry: true)
        #expect(door.offered > 0)
    }

    @Test func `the same prompt again, of a request that was served, is asked for again`() {
        var door = Door()
        door.open()
        door.ask(hash: 1)
        let one = door.offered
        door.ask(hash: 1)
        #expect(door.offered == 2 * one)
    }

    @Test func `a prompt that fits no engine asks for no more of them`() {
        var door = Door()
        door.open()
        let limit = OverloadTests.plan.models[0].maxContextTokens
        guard let limit else { return }
        door.ask(hash: 1, tokens: UInt32(limit) + 1)
        #expect(door.advice != nil)
        #expect(door.offered == 0)
    }
}
