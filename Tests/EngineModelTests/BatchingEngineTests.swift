import EngineModel
import Statistics
import Testing
import Time

@Suite("Batching engine")
struct BatchingEngineTests {
    @Test("one sequence has exactly the times of the formula")
    func single() {
        var harness = EngineHarness(.plain())
        harness.submit(1, prompt: 100, output: 3)
        harness.runUntilIdle()
        // Prefill 1,000 + 10 * 100; decodes hold 101, then 102 tokens.
        #expect(harness.tokenTimes[1] == [2_000, 2_000 + 1_201, 3_201 + 1_202])
        #expect(harness.finished == [1])
        #expect(harness.engine.counters.promptTokens == 100)
        #expect(harness.engine.counters.generationTokens == 3)
        #expect(harness.engine.isIdle)
    }

    @Test("a step that only computes prompts has its own base")
    func prefillBase() {
        var configuration = EngineConfiguration.plain()
        configuration.cost.prefillOnlyBase = 50
        var harness = EngineHarness(configuration)
        harness.submit(1, prompt: 10, output: 2)
        harness.runUntilIdle()
        #expect(harness.plans.map(\.durationNanos) == [150, 1_111])
    }

    @Test("a batch decodes together, each step one token for all")
    func batch() {
        var harness = EngineHarness(.plain())
        for id in UInt64(0)..<4 { harness.submit(id, prompt: 16, output: 3) }
        harness.runUntilIdle()
        // 1,000 + 64 * 10; then 1,000 + 4 * 100 + 4 * 17 held tokens; then 4 * 18.
        #expect(harness.plans.map(\.durationNanos) == [1_640, 1_468, 1_472])
        #expect(harness.finished == [0, 1, 2, 3])
    }

    @Test("a long prompt is computed in chunks, decodes of others first")
    func chunks() {
        var configuration = EngineConfiguration.plain()
        configuration.batchedTokensMax = 100
        var harness = EngineHarness(configuration)
        harness.submit(1, prompt: 10, output: 10)
        harness.step()
        harness.submit(2, prompt: 250, output: 1)
        harness.runUntilIdle()
        let prefill = harness.plans.map(\.work.prefillTokens)
        #expect(Array(prefill.prefix(5)) == [10, 99, 99, 52, 0])
        #expect(harness.plans[1].work.sequences == 1)
        // Its first token comes with its last chunk, at the end of the fourth step.
        let ends = harness.plans.prefix(4).reduce(0) { $0 + $1.durationNanos }
        #expect(harness.tokenTimes[2] == [ends])
    }

    @Test("waiting sequences enter first come, first served within the token budget")
    func order() {
        var configuration = EngineConfiguration.plain()
        configuration.batchedTokensMax = 100
        var harness = EngineHarness(configuration)
        for id in UInt64(0)..<3 { harness.submit(id, prompt: 80, output: 1) }
        harness.runUntilIdle()
        // 80 + 20, then 60 + 40, then 40.
        #expect(harness.plans.map(\.work.prefillTokens) == [100, 100, 40])
        #expect(harness.finished == [0, 1, 2])
    }

    @Test("no more sequences run than the limit")
    func sequencesMax() {
        var configuration = EngineConfiguration.plain()
        configuration.sequencesMax = 2
        var harness = EngineHarness(configuration)
        for id in UInt64(0)..<5 { harness.submit(id, prompt: 4, output: 4) }
        harness.step()
        #expect(harness.engine.gauges.running == 2)
        #expect(harness.engine.gauges.waiting == 3)
        harness.runUntilIdle()
        #expect(harness.finished == [0, 1, 2, 3, 4])
    }

    @Test("out of blocks, the newest is preempted, computed again and loses no token")
    func preemption() {
        var configuration = EngineConfiguration.plain(kvBlocks: 4)
        configuration.modelLengthMax = 64
        var harness = EngineHarness(configuration)
        harness.submit(1, prompt: 31, output: 20)
        harness.submit(2, prompt: 31, output: 20)
        harness.runUntilIdle()
        #expect(harness.preempted.first == 2)
        #expect(harness.engine.counters.preemptions == UInt64(harness.preempted.count))
        #expect(harness.tokenTimes[1]?.count == 20)
        #expect(harness.tokenTimes[2]?.count == 20)
        #expect(harness.finished == [1, 2])
        #expect(harness.engine.blocks == BlockAccount.allFree(4))
        // Preempted at 33 tokens: the recomputation is the prompt and what had been said.
        #expect(harness.plans.contains { $0.work.prefillTokens == 33 })
    }

    @Test("aborting frees the blocks at once, waiting or running, and no event follows")
    func abort() {
        var configuration = EngineConfiguration.plain()
        configuration.sequencesMax = 1
        var harness = EngineHarness(configuration)
        harness.submit(1, prompt: 40, output: 10)
        harness.submit(2, prompt: 40, output: 10)
        harness.step()
        let answers = [UInt64(2), 1, 1].map { harness.engine.abort(SequenceID($0)) }
        #expect(answers == [true, true, false])
        #expect(harness.engine.isIdle)
        #expect(harness.engine.blocks == BlockAccount.allFree(1_000))
        let stepped = harness.step()
        #expect(!stepped)
    }

    @Test("aborting inside a step silences it and frees it when the step ends")
    func abortInStep() {
        var engine = BatchingEngine(configuration: .plain())
        _ = engine.submit(SequenceRequest(id: SequenceID(1), promptTokens: 40, outputTokens: 5))
        _ = engine.submit(SequenceRequest(id: SequenceID(2), promptTokens: 40, outputTokens: 1))
        let plan = engine.beginStep(now: .zero)
        #expect(plan?.work.prefillTokens == 80)
        let wasHeld = engine.abort(SequenceID(1))
        #expect(wasHeld)
        #expect(engine.gauges.running == 1)
        var events: [EngineEvent] = []
        engine.endStep(into: &events)
        #expect(events.map(\.id) == [SequenceID(2), SequenceID(2)])
        #expect(events.map(\.kind) == [.firstToken, .finished])
        #expect(engine.isIdle)
        #expect(engine.blocks == BlockAccount.allFree(1_000))
    }

    @Test("a cached prefix is not computed again and is counted in tokens")
    func prefixHit() {
        var harness = EngineHarness(.plain())
        harness.submit(1, prompt: 1_100, output: 1, hashes: [7, 8, 9])
        harness.runUntilIdle()
        harness.submit(2, prompt: 1_100, output: 1, hashes: [7, 8, 10])
        harness.runUntilIdle()
        #expect(harness.plans.map(\.work.prefillTokens) == [1_100, 76])
        #expect(harness.engine.counters.prefixQueries == 2_200)
        #expect(harness.engine.counters.prefixHits == 1_024)
        #expect(harness.engine.blocks.evictable == 64)
    }

    @Test("a wholly cached prompt still computes its last block")
    func wholePrompt() {
        var harness = EngineHarness(.plain())
        for id in UInt64(1)...2 {
            harness.submit(id, prompt: 1_024, output: 1, hashes: [1, 2])
            harness.runUntilIdle()
        }
        #expect(harness.plans.map(\.work.prefillTokens) == [1_024, 512])
        #expect(harness.engine.blocks.evictable == 64)
    }

    @Test("the least recently used prefix is evicted first, its end before its start")
    func eviction() {
        // Three hashes fit; each covers 32 blocks.
        var harness = EngineHarness(.plain(kvBlocks: 100))
        harness.submit(1, prompt: 1_030, output: 1, hashes: [1, 2])
        harness.runUntilIdle()
        harness.submit(2, prompt: 1_000, output: 1, hashes: [5])
        harness.runUntilIdle()
        #expect(harness.engine.blocks.evictable == 64)
        harness.submit(3, prompt: 1_030, output: 1, hashes: [1, 2])
        harness.runUntilIdle()
        #expect(harness.engine.counters.prefixHits == 512)
    }

    @Test("without prefix caching nothing is kept")
    func noCaching() {
        var configuration = EngineConfiguration.plain()
        configuration.prefixCaching = false
        var harness = EngineHarness(configuration)
        for id in UInt64(1)...2 {
            harness.submit(id, prompt: 600, output: 1, hashes: [1])
            harness.runUntilIdle()
        }
        #expect(harness.plans.map(\.work.prefillTokens) == [600, 600])
        #expect(harness.engine.counters.prefixQueries == 0)
    }

    @Test("what cannot be served is refused with its reason")
    func refusals() {
        func expect(_ answer: Submission, _ expected: Submission) {
            #expect(answer == expected)
        }
        var configuration = EngineConfiguration.plain()
        configuration.modelLengthMax = 100
        configuration.waitingMax = 1
        var harness = EngineHarness(configuration)
        expect(harness.submit(1, prompt: 0, output: 1), .invalid)
        expect(harness.submit(1, prompt: 100, output: 1), .promptTooLong)
        expect(harness.submit(1, prompt: 99, output: 500), .accepted)
        expect(harness.submit(1, prompt: 9, output: 1), .invalid)
        expect(harness.submit(2, prompt: 9, output: 1), .queueFull)
        #expect(harness.engine.counters.rejected == 4)
        harness.runUntilIdle()
        #expect(harness.tokenTimes[1]?.count == 1)
    }

    @Test("a request without output ends with its prompt")
    func embedding() {
        var harness = EngineHarness(.plain())
        harness.submit(1, prompt: 50, output: 0)
        harness.runUntilIdle()
        #expect(harness.finished == [1])
        #expect(harness.tokenTimes[1] == nil)
        #expect(harness.now.nanos == 1_500)
    }

    @Test("slow and stalled engines take the time they were told to")
    func faults() {
        var harness = EngineHarness(.plain())
        harness.engine.slowFactor = 10
        harness.submit(1, prompt: 100, output: 1)
        harness.runUntilIdle()
        #expect(harness.now.nanos == 20_000)
        harness.engine.slowFactor = 1
        harness.engine.stalledUntil = Instant(nanos: 1_000_000)
        harness.submit(2, prompt: 100, output: 1)
        harness.runUntilIdle()
        #expect(harness.now.nanos == 1_002_000)
    }
}

extension BlockAccount {
    static func allFree(_ blocks: Int) -> BlockAccount {
        BlockAccount(free: blocks, evictable: 0, shared: 0, owned: 0)
    }
}
