/// A caller's name for a sequence; unique among the sequences an engine holds.
package struct SequenceID: Hashable, Sendable {
    /// The caller's number.
    package let raw: UInt64

    /// Names a sequence.
    package init(_ raw: UInt64) {
        self.raw = raw
    }
}

/// A request as the engine model sees it: lengths, never text.
package struct SequenceRequest: Sendable {
    /// The caller's name for it.
    package var id: SequenceID
    /// Prompt length in tokens; at least one.
    package var promptTokens: Int
    /// The length of the answer in tokens. The model knows it beforehand; the scheduler acts as if
    /// it did not. Zero is a request without decoding, such as an embedding.
    package var outputTokens: Int
    /// Chained hashes of the prompt's leading blocks of `EngineConfiguration.hashTokens` tokens,
    /// each standing for all tokens up to its end. A last, partial block may be listed; it is
    /// ignored.
    package var prefixHashes: [UInt64]

    /// Describes a request.
    package init(
        id: SequenceID, promptTokens: Int, outputTokens: Int, prefixHashes: [UInt64] = []
    ) {
        self.id = id
        self.promptTokens = promptTokens
        self.outputTokens = outputTokens
        self.prefixHashes = prefixHashes
    }
}

/// What the engine says to a submitted request.
package enum Submission: Hashable, Sendable {
    /// It waits or will run in the next step.
    case accepted
    /// The engine's own queue is at its bound.
    case queueFull
    /// The prompt leaves no room for one token of answer in the model's context, or in all KV
    /// blocks.
    case promptTooLong
    /// Prompt below one token, output below zero, or an id that is already held.
    case invalid
}
