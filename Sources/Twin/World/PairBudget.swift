package import EngineModel
package import Report
package import RequestPath
import Statistics

/// The budget of a pair of engines and workload, made from what the two can do, so that pairs can
/// be compared that have nothing else in common:
///
///     TTFT p99      = 2 * the p99 of TTFT when every request has an idle engine to itself
///     TTFT deadline = 2 * TTFT p99
///     ITL p99       = 2 * the decode step of half a batch, at the workload's mean context
///
/// A batch is `--max-num-seqs`, or as many requests of mean length as KV memory holds where those
/// are fewer. Times are rounded up to a millisecond.
package struct PairBudget: Sendable, Hashable, Encodable {
    /// The bound of TTFT, in nanoseconds.
    package let ttftNanos: UInt64
    /// After this a request without a first token is given up, in nanoseconds.
    package let deadlineNanos: UInt64
    /// The bound of the mean time between tokens of a request, in nanoseconds.
    package let itlNanos: UInt64
    /// Sequences of the half batch.
    package let halfBatch: Int

    /// Makes the budget; nil when not one request fits the engine.
    ///
    /// - Parameters:
    ///   - survey: of the workload, its first engine being `engine`.
    ///   - engine: that of the pair.
    package init?(_ survey: WorkloadSurvey, engine: EngineConfiguration) {
        guard let p99 = survey.unloaded.first?.figures.ttft.p99 else { return nil }
        let length = max(1, survey.inputMean + survey.outputMean)
        let fitting = Double(engine.kvBlocks * engine.blockTokens) / length
        halfBatch = max(1, Int(min(Double(engine.sequencesMax), fitting) / 2))
        let context = survey.inputMean + survey.outputMean / 2
        let step = engine.cost.step
        let decode =
            step.base + Double(halfBatch) * (step.perSequence + step.perKVToken * context)
        ttftNanos = Self.wholeMillis(2 * p99 * 1e6)
        deadlineNanos = 2 * ttftNanos
        itlNanos = Self.wholeMillis(2 * decode)
    }

    private static func wholeMillis(_ nanos: Double) -> UInt64 {
        UInt64((nanos / 1e6).rounded(.up)) * 1_000_000
    }

    /// A model of one class under this budget, without a ladder.
    package func model(named name: String) -> ModelPlan {
        ModelPlan(
            name: name,
            classes: [
                ClassPlan(
                    name: "standard", planNanos: ttftNanos, deadlineNanos: deadlineNanos)
            ], interTokenBoundNanos: itlNanos)
    }

    /// The same as the report judges it.
    package var objectives: ReportBudget {
        ReportBudget(objectives: [
            ReportBudget.Objective(
                stage: .ttft, quantilePerMillion: 990_000, boundNanos: ttftNanos),
            ReportBudget.Objective(
                stage: .itl, quantilePerMillion: 990_000, boundNanos: itlNanos),
        ])
    }

    private enum CodingKeys: String, CodingKey {
        case ttft = "ttft_p99_ms"
        case deadline = "ttft_deadline_ms"
        case itl = "itl_p99_ms"
        case halfBatch = "half_batch"
    }

    /// Writes milliseconds.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(ttftNanos / 1_000_000, forKey: .ttft)
        try container.encode(deadlineNanos / 1_000_000, forKey: .deadline)
        try container.encode(itlNanos / 1_000_000, forKey: .itl)
        try container.encode(halfBatch, forKey: .halfBatch)
    }
}
