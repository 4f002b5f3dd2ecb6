import Baselines
import RequestPath
import Testing

/// Published behaviour of the choices.
@Suite struct ChoiceTests {
    @Test func `round robin takes turns over the ready endpoints of the model`() {
        var desk = Desk(.noGate, .roundRobin, models: 2)
        desk.start(2)
        desk.start(2, model: 1, first: 2)
        #expect((1...4).flatMap { desk.arrive($0).endpoints } == [0, 1, 0, 1])
        #expect((5...7).flatMap { desk.arrive($0, model: 1).endpoints } == [2, 3, 2])
    }

    // MARK: Mitzenmacher; SMG, `policies/power_of_two.rs`

    @Test func `of two random endpoints the one with fewer requests is taken`() {
        var desk = Desk(.noGate, .p2c)
        desk.start(2)
        for id in UInt64(1)...10 { desk.arrive(id) }
        // With two endpoints both are always drawn.
        #expect(desk.log.map(\.action).endpoints.count { $0 == 0 } == 5)
        for id in UInt64(1)...10 where desk.endpoint(of: id) == 1 { desk.finish(id) }
        #expect((11...15).flatMap { desk.arrive($0).endpoints } == [1, 1, 1, 1, 1])
    }

    @Test func `two random choices of many never leave the longest queue the only one drawn`() {
        var desk = Desk(.noGate, .p2c, seed: 9)
        desk.start(8)
        for id in UInt64(1)...800 { desk.arrive(id) }
        var counts = Array(repeating: 0, count: 8)
        for index in desk.log.map(\.action).endpoints { counts[index] += 1 }
        #expect((counts.max() ?? 0) - (counts.min() ?? 0) <= 6)
    }

    // MARK: SMG, `policies/least_load.rs`

    @Test func `least load credits what was sent since the scrape`() {
        var desk = Desk(.noGate, .leastLoad)
        desk.start(2)
        #expect(desk.arrive(1, tokens: 900).endpoints == [0])
        #expect(desk.arrive(2, tokens: 500).endpoints == [1])
        #expect(desk.arrive(3, tokens: 500).endpoints == [1])
        #expect(desk.arrive(4, tokens: 10).endpoints == [0])
        // A scrape forgets the credit, whatever the gauge has seen of it.
        desk.scrape(1)
        #expect(desk.arrive(5).endpoints == [1])
    }

    @Test func `least load weighs a waiting request as a mean prompt against a full cache`() {
        var desk = Desk(.noGate, .leastLoad)
        desk.start(2)
        // 1024 / 2000 s is 0.512; 0.15 * k / (1 - k) is 0.45 at 0.75 and 0.6 at 0.8.
        desk.scrape(0, waiting: 1)
        desk.scrape(1, kv: 0.75)
        #expect(desk.arrive(1, tokens: 1).endpoints == [1])
        desk.scrape(1, kv: 0.8)
        #expect(desk.arrive(2, tokens: 1).endpoints == [0])
    }

    @Test func `least load falls back to requests in flight where nothing was ever scraped`() {
        var desk = Desk(.noGate, .leastLoad)
        for index in 0..<3 {
            desk.tell(
                .endpointAdded(EndpointID(raw: index), model: ModelID(raw: 0), ready: true))
        }
        #expect((1...3).flatMap { desk.arrive($0).endpoints } == [0, 1, 2])
        desk.finish(2)
        #expect(desk.arrive(4).endpoints == [1])
    }

    // MARK: llm-d-router, `scheduling/scorer`, `scheduling/picker/maxscore`

    @Test func `equal scores take turns`() {
        var desk = Desk(.noGate, .scores)
        desk.start(3)
        #expect((1...6).flatMap { desk.arrive($0).endpoints } == [0, 1, 2, 0, 1, 2])
    }

    @Test func `every request between two scrapes goes to the same endpoint`() {
        var desk = Desk(.noGate, .scores)
        desk.start(3)
        desk.scrape(0, waiting: 2)
        desk.scrape(1, waiting: 1)
        desk.scrape(2, waiting: 0, kv: 0.1)
        #expect(Set((1...40).flatMap { desk.arrive($0).endpoints }) == [2])
    }

    @Test func `queue and cache count two each`() {
        var desk = Desk(.noGate, .scores)
        desk.start(2)
        // A queue shorter by any number is worth the whole of the cache.
        desk.scrape(0, waiting: 1, kv: 0)
        desk.scrape(1, waiting: 0, kv: 0.99)
        #expect(desk.arrive(1).endpoints == [1])
        desk.scrape(0, waiting: 0, kv: 0.5)
        desk.scrape(1, waiting: 0, kv: 0.4)
        #expect(desk.arrive(2).endpoints == [1])
    }

    @Test func `a prompt sent before outweighs a queue but not a queue and a full cache`() {
        var desk = Desk(.noGate, .scores)
        desk.start(2)
        #expect(desk.arrive(1, hash: 77).endpoints == [0])
        desk.scrape(0, waiting: 10, kv: 0.4)
        #expect(desk.arrive(2, hash: 77).endpoints == [0])
        #expect(desk.arrive(3, hash: 78).endpoints == [1])
        desk.scrape(0, waiting: 10, kv: 0.6)
        #expect(desk.arrive(4, hash: 77).endpoints == [1])
    }

    @Test func `an endpoint is believed to have the prompts sent to it last`() {
        var desk = Desk(.noGate, .scores) { $0.scores.prefixBlocksMax = 2 }
        desk.start(2)
        desk.scrape(0, kv: 0)
        desk.scrape(1, kv: 0.5)
        for hash in UInt64(1)...3 { #expect(desk.arrive(hash, hash: hash).endpoints == [0]) }
        desk.scrape(0, kv: 1)
        desk.scrape(1, kv: 0)
        // The oldest of three is forgotten; the others still draw.
        #expect(desk.arrive(11, hash: 2).endpoints == [0])
        #expect(desk.arrive(12, hash: 3).endpoints == [0])
        #expect(desk.arrive(13, hash: 1).endpoints == [1])
    }

    @Test func `an endpoint that went away comes back with nothing`() {
        var desk = Desk(.noGate, .scores)
        desk.start(2)
        #expect(desk.arrive(1, hash: 5).endpoints == [0])
        desk.finish(1)
        desk.tell(.endpointRemoved(EndpointID(raw: 0)))
        desk.start(1)
        desk.scrape(0, kv: 0.5)
        #expect(desk.arrive(2, hash: 5).endpoints == [1])
    }
}

extension Desk {
    /// Where a request was sent last.
    fileprivate func endpoint(of id: UInt64) -> Int? {
        self.log.compactMap {
            if case .dispatch(RequestID(raw: id), let dispatch) = $0.action {
                dispatch.endpoint.raw
            } else {
                nil
            }
        }.last
    }
}
