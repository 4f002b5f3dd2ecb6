import RequestPath
import Testing
import Time

/// What endpoints have in their prefix caches, and what that is worth in a choice.
@Suite struct PrefixTests {
    @Test
    func `a prompt goes where its prefix was sent, unless more waits there than the plan allows`() {
        var bench = PrefixBench()
        let first = bench.arrive([1, 2, 3], tokens: 1536)
        #expect(bench.arrive([9, 8, 7], tokens: 1536) != first)
        bench.answerAll()
        // Both are idle: the prefix decides, and only what is missing is owed.
        #expect(bench.arrive([1, 2, 4], tokens: 1536) == first)
        #expect(bench.prefillWaiting(at: first) == 512)
        bench.answerAll()
        // It waits there for longer than the prefix saves, but not for longer than it may.
        while bench.prefillWaiting(at: first) < 20_000 {
            let sent = bench.arrive([1, 2, 3, UInt64(100 + bench.live)], tokens: 2048)
            if sent != first {
                #expect(bench.prefillWaiting(at: first) > 3000)
                return
            }
        }
        Issue.record("everything went to the endpoint with the prefix")
    }

    @Test func `an endpoint that is gone comes back with nothing cached`() {
        var bench = PrefixBench()
        let first = bench.arrive([1, 2, 3], tokens: 1536)
        bench.tell(
            .attemptFailed(RequestID(raw: bench.lastID), .refused, beforeFirstByte: false))
        bench.tell(.probed(EndpointID(raw: first), healthy: true))
        let again = bench.arrive([1, 2, 3], tokens: 1536)
        #expect(bench.prefillWaiting(at: again) == 1536)
    }

    @Test func `the least recently used blocks are forgotten, leading ones last`() {
        var index = PrefixIndex(blocksMax: 4)
        index.insert([1, 2, 3], at: 0)
        #expect(index.matched([1, 2, 3, 4], at: 0) == 3)
        #expect(index.matched([1, 2, 9], at: 0) == 2)
        #expect(index.matched([1], at: 1) == 0)
        index.insert([5, 6], at: 0)
        #expect(index.matched([1, 2, 3], at: 0) == 2)
        #expect(index.matched([5, 6], at: 0) == 2)
        index.insert([10, 11, 12, 13, 14, 15], at: 0)
        #expect(index.matched([10, 11, 12, 13, 14, 15], at: 0) == 4)
        index.removeAll(at: 0)
        #expect(index.matched([10], at: 0) == 0)
    }
}

/// Two endpoints and requests with blocks of 512 tokens.
private struct PrefixBench {
    private var admission = Admission(plan: OverloadTests.plan, seed: 1)
    private var actions = ActionBuffer()
    private var now = Instant(nanos: 1_000_000_000)
    private var inFlight: [RequestID] = []
    private(set) var lastID: UInt64 = 0

    init() {
        for index in 0..<2 {
            self.tell(.endpointAdded(EndpointID(raw: index), model: ModelID(raw: 0), ready: true))
        }
    }

    var live: Int { self.inFlight.count }

    mutating func tell(_ event: Event) {
        self.actions.removeAll()
        self.admission.step(event, now: self.now, into: &self.actions)
        #expect(self.admission.audit(now: self.now) == [])
    }

    /// Where it was sent; -1 when it waits.
    mutating func arrive(_ hashes: [UInt64], tokens: UInt32) -> Int {
        self.lastID += 1
        var arrival = Arrival(
            request: RequestID(raw: self.lastID), model: ModelID(raw: 0),
            tenant: TenantID(raw: 0), classIndex: 0, promptBytes: tokens * 4,
            promptTokensExact: tokens)
        arrival.prefixHashes = hashes
        self.tell(.arrive(arrival))
        for case .dispatch(let id, let dispatch) in self.actions.actions {
            self.inFlight.append(id)
            return dispatch.endpoint.raw
        }
        return -1
    }

    mutating func answerAll() {
        for id in self.inFlight {
            self.now = self.now.advanced(byNanos: 100_000_000)
            self.tell(.firstToken(id))
            self.tell(.finish(id, usage: Usage(promptTokens: 1536, outputTokens: 20)))
        }
        self.inFlight = []
    }

    func prefillWaiting(at index: Int) -> Int {
        self.admission.gauges(of: EndpointID(raw: index))?.prefillWaiting ?? -1
    }
}
