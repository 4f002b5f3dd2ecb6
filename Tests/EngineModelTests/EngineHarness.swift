import EngineModel
import Statistics
import Time

/// Drives one engine through virtual time and remembers when each sequence got its tokens.
struct EngineHarness {
    var engine: BatchingEngine
    var now = Instant.zero
    var tokenTimes: [UInt64: [UInt64]] = [:]
    var finished: [UInt64] = []
    var preempted: [UInt64] = []
    var plans: [StepPlan] = []

    init(_ configuration: EngineConfiguration, seed: UInt64 = 0) {
        engine = BatchingEngine(configuration: configuration, seed: seed)
    }

    @discardableResult
    mutating func submit(
        _ id: UInt64, prompt: Int, output: Int, hashes: [UInt64] = []
    ) -> Submission {
        engine.submit(
            SequenceRequest(
                id: SequenceID(id), promptTokens: prompt, outputTokens: output,
                prefixHashes: hashes))
    }

    /// One step; false when the engine is idle.
    @discardableResult
    mutating func step() -> Bool {
        guard let plan = engine.beginStep(now: now) else { return false }
        plans.append(plan)
        now = now.advanced(byNanos: plan.durationNanos)
        var events: [EngineEvent] = []
        engine.endStep(into: &events)
        for event in events {
            switch event.kind {
            case .firstToken, .token: tokenTimes[event.id.raw, default: []].append(now.nanos)
            case .finished: finished.append(event.id.raw)
            case .preempted: preempted.append(event.id.raw)
            }
        }
        return true
    }

    mutating func runUntilIdle(stepsMax: Int = 100_000) {
        for _ in 0..<stepsMax where !step() { return }
    }
}

extension EngineConfiguration {
    /// Round figures that make times easy to compute by hand: 1,000 + 10 a prompt token + 100 a
    /// decoding sequence + 1 a KV token, in nanoseconds.
    static func plain(kvBlocks: Int = 1_000) -> EngineConfiguration {
        EngineConfiguration(
            cost: EngineCost(
                step: StepCost(
                    base: 1_000, perPrefillToken: 10, perSequence: 100, perKVToken: 1)),
            kvBlocks: kvBlocks)
    }
}
