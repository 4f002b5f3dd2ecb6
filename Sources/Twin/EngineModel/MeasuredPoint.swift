/// What a live engine was seen to take for one prompt with nothing else to do: the median of its
/// repetitions.
package struct PrefillPoint: Hashable, Sendable {
    /// The prompt in tokens, as the engine counted them.
    package let promptTokens: Int
    /// Nanoseconds to the first token.
    package let nanos: Double

    /// Creates a point.
    package init(promptTokens: Int, nanos: Double) {
        self.promptTokens = promptTokens
        self.nanos = nanos
    }
}

/// What a live engine was seen to take for a step in which it did nothing but decode: the median of
/// its repetitions.
package struct DecodePoint: Hashable, Sendable {
    /// Sequences that decoded together.
    package let sequences: Int
    /// Tokens of KV cache they held, all together, on average.
    package let kvTokens: Double
    /// Nanoseconds from one token of a sequence to its next.
    package let nanos: Double

    /// Creates a point.
    package init(sequences: Int, kvTokens: Double, nanos: Double) {
        self.sequences = sequences
        self.kvTokens = kvTokens
        self.nanos = nanos
    }
}
