/// Something that happened to a sequence, told at the end of the step it happened in.
package struct EngineEvent: Hashable, Sendable {
    /// What happened.
    package enum Kind: Hashable, Sendable {
        /// The prompt is computed and the first token of the answer is out.
        case firstToken
        /// A later token of the answer is out; told as often as `tellsEvery` of the configuration
        /// says.
        case token
        /// The answer is complete. Follows the event of its last token in the same step.
        case finished
        /// It lost its KV blocks to older sequences and will be computed again from the queue.
        /// Tokens already told stay told.
        case preempted
    }

    /// What happened.
    package let kind: Kind
    /// The sequence it happened to.
    package let id: SequenceID
    /// Tokens of the answer so far.
    package let produced: Int
    /// Tokens of the prompt that came from the prefix cache when it was last scheduled.
    package let cached: Int
    /// Tokens computed for it so far, those that a preemption made necessary twice included.
    package let computed: Int

    /// Creates an event.
    package init(
        kind: Kind, id: SequenceID, produced: Int, cached: Int = 0, computed: Int = 0
    ) {
        self.kind = kind
        self.id = id
        self.produced = produced
        self.cached = cached
        self.computed = computed
    }
}
