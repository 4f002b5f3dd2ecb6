import RequestPath
import Testing
import Time

/// What a second try owes: the prefill that is not cached where it goes, not that of the first.
@Suite struct HedgeLedgerTests {
    @Test func `a second try owes and spends what is not cached where it goes`() throws {
        var desk = HedgeDesk()
        let sent = desk.sendElsewhere()
        let (id, other) = try #require(sent)
        let asked = desk.waitForHedge(of: id)
        let hedge = try #require(asked)
        #expect(hedge != other)
        #expect(desk.prefillWaiting(at: hedge) == 512)
        // The second answers first: its ledger is the request's, and its blocks are cached there.
        desk.tell(.hedgeWon(id))
        #expect(desk.prefillWaiting(at: other) == 0 && desk.prefillWaiting(at: hedge) == 512)
        desk.tell(.firstToken(id))
        #expect(desk.prefillWaiting(at: hedge) == 0)
        desk.tell(
            .finish(id, usage: Usage(promptTokens: 2048, outputTokens: 20, cachedTokens: 1536)))
        let next = desk.arrive([1, 2, 3, desk.block, 99], tokens: 2560)
        #expect(next.endpoint == hedge && desk.prefillWaiting(at: hedge) == 512)
    }
}

/// Two endpoints, the first of which has blocks 1, 2 and 3 cached.
private struct HedgeDesk {
    private var admission: Admission
    private var actions = ActionBuffer()
    private var now = Instant(nanos: 1_000_000_000)
    private var lastID: UInt64 = 0
    /// The block that the request sent elsewhere ends in.
    private(set) var block: UInt64 = 0

    init() {
        var plan = OverloadTests.plan
        plan.models[0].hedgeShare = 1
        self.admission = Admission(plan: plan, seed: 1)
        for index in 0..<2 {
            self.tell(.endpointAdded(EndpointID(raw: index), model: ModelID(raw: 0), ready: true))
        }
        let first = self.arrive([1, 2, 3], tokens: 1536)
        self.answer(first.id)
    }

    mutating func tell(_ event: Event) {
        self.actions.removeAll()
        self.admission.step(event, now: self.now, into: &self.actions)
        #expect(self.admission.audit(now: self.now) == [])
    }

    mutating func arrive(_ hashes: [UInt64], tokens: UInt32) -> (id: RequestID, endpoint: Int) {
        self.lastID += 1
        let id = RequestID(raw: self.lastID)
        var arrival = Arrival(
            request: id, model: ModelID(raw: 0), tenant: TenantID(raw: 0), classIndex: 0,
            promptBytes: tokens * 4, promptTokensExact: tokens)
        arrival.prefixHashes = hashes
        self.tell(.arrive(arrival))
        for case .dispatch(id, let dispatch) in self.actions.actions {
            return (id, dispatch.endpoint.raw)
        }
        return (id, -1)
    }

    mutating func answer(_ id: RequestID) {
        self.now = self.now.advanced(byNanos: 100_000_000)
        self.tell(.firstToken(id))
        self.tell(
            .finish(id, usage: Usage(promptTokens: 1536, outputTokens: 20, cachedTokens: 1536)))
    }

    /// Fills the endpoint with the prefix to what its plan allows, until a request goes to the
    /// other one, which alone is left waiting.
    mutating func sendElsewhere() -> (id: RequestID, endpoint: Int)? {
        var sent: [RequestID] = []
        let home = self.arrive([1, 2, 3, 50], tokens: 2048)
        sent.append(home.id)
        for block in UInt64(100)..<200 {
            let (id, endpoint) = self.arrive([1, 2, 3, block], tokens: 2048)
            if endpoint != home.endpoint {
                for other in sent {
                    self.tell(.firstToken(other))
                    self.tell(
                        .finish(
                            other,
                            usage: Usage(promptTokens: 2048, outputTokens: 20, cachedTokens: 2048)))
                }
                self.block = block
                return endpoint < 0 ? nil : (id, endpoint)
            }
            sent.append(id)
        }
        return nil
    }

    /// Where the request is sent as well, once it is late.
    mutating func waitForHedge(of id: RequestID) -> Int? {
        for _ in 0..<20 {
            guard let due = self.admission.nextDeadline() else { return nil }
            self.now = max(self.now, due)
            self.tell(.tick)
            for case .hedge(id, let dispatch) in self.actions.actions {
                return dispatch.endpoint.raw
            }
        }
        return nil
    }

    func prefillWaiting(at index: Int) -> Int {
        self.admission.gauges(of: EndpointID(raw: index))?.prefillWaiting ?? -1
    }
}
