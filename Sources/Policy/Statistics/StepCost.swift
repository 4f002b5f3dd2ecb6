/// The linear cost of one step of a continuously batching engine, in nanoseconds:
/// a + b * prefill tokens + c * decoding sequences + d * KV tokens.
package struct StepCost: Hashable, Sendable {
    /// Nanoseconds of every step (reading the weights).
    package var base: Double
    /// Nanoseconds for each prompt token computed in the step.
    package var perPrefillToken: Double
    /// Nanoseconds for each sequence that decodes in the step.
    package var perSequence: Double
    /// Nanoseconds for each token of KV cache the decoding sequences hold.
    package var perKVToken: Double

    /// Creates a cost from its four coefficients, in nanoseconds.
    package init(base: Double, perPrefillToken: Double, perSequence: Double, perKVToken: Double) {
        self.base = base
        self.perPrefillToken = perPrefillToken
        self.perSequence = perSequence
        self.perKVToken = perKVToken
    }

    /// Nanoseconds of a step with this much work.
    package func nanos(of work: StepWork) -> Double {
        base + perPrefillToken * Double(work.prefillTokens)
            + perSequence * Double(work.sequences) + perKVToken * Double(work.kvTokens)
    }
}

/// What one engine step computes.
package struct StepWork: Hashable, Sendable {
    /// Prompt tokens computed (cached ones are not).
    package var prefillTokens: Int
    /// Sequences that decode one token each.
    package var sequences: Int
    /// Tokens of KV cache held by the decoding sequences.
    package var kvTokens: Int

    /// Creates a description of a step.
    package init(prefillTokens: Int, sequences: Int, kvTokens: Int) {
        self.prefillTokens = prefillTokens
        self.sequences = sequences
        self.kvTokens = kvTokens
    }
}
