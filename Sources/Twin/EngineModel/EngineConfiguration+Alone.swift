import Statistics

/// How long one request takes, in nanoseconds.
package struct RequestTimes: Hashable, Sendable {
    /// To the first token.
    package let ttftNanos: Double
    /// Between tokens, on average; nil for an answer of one token.
    package let itlNanos: Double?
    /// To the end.
    package let e2eNanos: Double
}

extension EngineConfiguration {
    /// What a request takes on an engine that does nothing else and has none of its prompt cached,
    /// without noise; nil when the engine does not take it. The same steps as `BatchingEngine`
    /// makes of it, summed.
    ///
    /// - Parameters:
    ///   - inputTokens: the prompt, one at least.
    ///   - outputTokens: the answer, one at least; it is cut where the context ends.
    package func timesAlone(inputTokens: Int, outputTokens: Int) -> RequestTimes? {
        guard inputTokens > 0, inputTokens < sequenceTokensMax else { return nil }
        let chunks = (inputTokens + batchedTokensMax - 1) / batchedTokensMax
        let prefill =
            Double(chunks) * cost.prefillOnlyBase + cost.step.perPrefillToken * Double(inputTokens)
        let produced = max(1, min(outputTokens, sequenceTokensMax - inputTokens))
        let steps = Double(produced - 1)
        // The n-th decode step reads the prompt and n tokens of the answer.
        let context = steps * Double(inputTokens) + steps * (steps + 1) / 2
        let decode =
            steps * (cost.step.base + cost.step.perSequence) + cost.step.perKVToken * context
        return RequestTimes(
            ttftNanos: prefill, itlNanos: produced > 1 ? decode / steps : nil,
            e2eNanos: prefill + decode)
    }
}
