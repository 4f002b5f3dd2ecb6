import EngineModel
import Statistics
import Testing
import Time

/// The times of a request that has an engine to itself.
struct AloneTests {
    @Test(
        "The sum over a lone request's steps is what the engine takes for it",
        arguments: [(1, 1), (700, 40), (3_000, 7)])
    func alone(input: Int, output: Int) throws {
        var configuration = EngineProfile.llama32With3B.configuration
        configuration.batchedTokensMax = 1_024
        var engine = BatchingEngine(configuration: configuration)
        _ = engine.submit(
            SequenceRequest(id: SequenceID(1), promptTokens: input, outputTokens: output))
        var now = Instant.zero
        var events: [EngineEvent] = []
        var first: UInt64?
        while let plan = engine.beginStep(now: now) {
            now = now.advanced(byNanos: plan.durationNanos)
            engine.endStep(into: &events)
            if first == nil, !events.isEmpty { first = now.nanos }
        }
        let times = try #require(
            configuration.timesAlone(inputTokens: input, outputTokens: output))
        // A step is a whole number of nanoseconds.
        #expect(abs(times.ttftNanos - Double(first ?? 0)) < 100)
        #expect(abs(times.e2eNanos - Double(now.nanos)) < 100)
        #expect((times.itlNanos == nil) == (output == 1))
    }

    @Test("A prompt that fills the context is not taken")
    func tooLong() {
        let configuration = EngineProfile.llama32With3B.configuration
        #expect(configuration.timesAlone(inputTokens: 200_000, outputTokens: 1) == nil)
    }
}
