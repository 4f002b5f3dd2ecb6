import EngineModel
import Statistics
import Testing
import Time

@Suite("Batching engine, random operations")
struct EnginePropertyTests {
    /// Everything a run of random operations did, for comparing runs.
    struct Transcript: Equatable {
        var events: [EngineEvent] = []
        var end = Instant.zero
        var counters = EngineCounters()
    }

    @Test("blocks are conserved, nothing is lost and the engine ends idle", arguments: 0..<60)
    func conserved(seed: Int) throws {
        _ = try run(seed: UInt64(seed))
    }

    @Test("the same seed gives the same events")
    func deterministic() throws {
        #expect(try run(seed: 99) == run(seed: 99))
    }

    private func run(seed: UInt64) throws -> Transcript {
        var random = SeededRandom(seed: seed)
        var configuration = EngineConfiguration.plain(
            kvBlocks: 8 + Int(random.uniform(below: 64)))
        configuration.hashTokens = 32
        configuration.batchedTokensMax = 16 + Int(random.uniform(below: 200))
        configuration.sequencesMax = 1 + Int(random.uniform(below: 12))
        configuration.stepNoise = 0.1
        configuration.prefixCaching = random.uniform() < 0.8
        var engine = BatchingEngine(configuration: configuration, seed: seed)
        var transcript = Transcript()
        var wanted: [UInt64: Int] = [:]
        var heard: [UInt64: Int] = [:]
        var nextID: UInt64 = 0

        for _ in 0..<600 {
            let isArriving = random.uniform() < 0.5 && nextID < 200
            if isArriving {
                let request = Self.request(nextID, &random)
                if engine.submit(request) == .accepted {
                    let room = configuration.sequenceTokensMax - request.promptTokens
                    wanted[nextID] = min(request.outputTokens, room)
                }
                nextID += 1
            }
            if random.uniform() < 0.1 { Self.abortOne(&engine, &wanted, &random, below: nextID) }
            guard let plan = engine.beginStep(now: transcript.end) else { continue }
            try check(engine, configuration)
            if random.uniform() < 0.1 { Self.abortOne(&engine, &wanted, &random, below: nextID) }
            transcript.end = transcript.end.advanced(byNanos: plan.durationNanos)
            let before = transcript.events.count
            engine.endStep(into: &transcript.events)
            try check(engine, configuration)
            Self.settle(transcript.events[before...], &wanted, &heard)
        }
        for _ in 0..<100_000 {
            guard engine.beginStep(now: transcript.end) != nil else { break }
            let before = transcript.events.count
            engine.endStep(into: &transcript.events)
            Self.settle(transcript.events[before...], &wanted, &heard)
        }
        #expect(wanted.isEmpty, "never finished: \(wanted.keys.sorted())")
        #expect(engine.isIdle)
        #expect(engine.blocks.owned == 0 && engine.blocks.shared == 0)
        #expect(engine.gauges.kvUsage == 0)
        transcript.counters = engine.counters
        return transcript
    }

    private static func request(_ id: UInt64, _ random: inout SeededRandom) -> SequenceRequest {
        let prompt = 1 + Int(random.uniform(below: 160))
        // Few distinct prefixes, so that they meet; a chain's hash stands for all before it.
        let family = random.uniform(below: 3)
        let hashes = (0..<UInt64(prompt / 32 + 1)).map { family * 1_000 + $0 }
        return SequenceRequest(
            id: SequenceID(id), promptTokens: prompt,
            outputTokens: Int(random.uniform(below: 40)), prefixHashes: hashes)
    }

    private static func abortOne(
        _ engine: inout BatchingEngine, _ wanted: inout [UInt64: Int],
        _ random: inout SeededRandom, below bound: UInt64
    ) {
        let id = random.uniform(below: bound)
        let isHeld = wanted[id] != nil
        let wasHeld = engine.abort(SequenceID(id))
        #expect(wasHeld == isHeld)
        wanted[id] = nil
    }

    /// Tokens come one by one, in order, and the last is followed by `finished`.
    private static func settle(
        _ events: ArraySlice<EngineEvent>, _ wanted: inout [UInt64: Int],
        _ heard: inout [UInt64: Int]
    ) {
        for event in events {
            let id = event.id.raw
            #expect(wanted[id] != nil, "an event for \(id), which is gone")
            switch event.kind {
            case .firstToken, .token:
                heard[id, default: 0] += 1
                #expect(event.produced == heard[id])
                #expect((event.kind == .firstToken) == (event.produced == 1))
            case .finished:
                #expect(heard[id, default: 0] == wanted[id])
                wanted[id] = nil
            case .preempted:
                #expect(event.produced == heard[id, default: 0])
            }
        }
    }

    private func check(_ engine: BatchingEngine, _ configuration: EngineConfiguration) throws {
        let blocks = engine.blocks
        try #require(
            blocks.free + blocks.evictable + blocks.shared + blocks.owned
                == configuration.kvBlocks)
        try #require(min(blocks.free, blocks.evictable, blocks.shared, blocks.owned) >= 0)
        try #require(engine.gauges.running <= configuration.sequencesMax)
    }
}
