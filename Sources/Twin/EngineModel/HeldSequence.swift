/// One sequence in the engine's slab.
struct HeldSequence: Sendable {
    var id: SequenceID
    var promptTokens: Int
    var outputTokens: Int
    var hashes: [UInt64]
    /// How many of the hashes stand for whole blocks of the prompt.
    var hashLimit: Int
    /// Leading hashes whose cached blocks this sequence holds.
    var held = 0
    /// Blocks of its own.
    var owned = 0
    /// Tokens whose KV is computed.
    var computed = 0
    /// Tokens of the answer that are out.
    var produced = 0
    /// Leading tokens that came from the prefix cache when it was last scheduled.
    var cached = 0
    /// Tokens computed for it, recomputed ones twice.
    var work = 0
    var place = Place.waiting
    var wasPreempted = false
    /// Neighbours in the waiting list; `next` also links free slots.
    var previous: Int32 = -1
    var next: Int32 = -1

    enum Place: Sendable {
        case waiting
        case running
        /// Finished or aborted inside a step; its blocks come back at the end of that step.
        case leaving
    }

    /// What is told of it now.
    func event(_ kind: EngineEvent.Kind) -> EngineEvent {
        EngineEvent(kind: kind, id: id, produced: produced, cached: cached, computed: work)
    }

    /// Tokens it consists of now: prompt and answer so far.
    var tokens: Int { promptTokens + produced }
}
