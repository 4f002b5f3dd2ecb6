import Statistics
package import Time

/// A model of a continuously batching engine in virtual time, scheduled as vLLM's V1 engine does
/// it.
///
/// Call `beginStep`; when it returns a plan, let its duration pass (requests may be submitted and
/// aborted meanwhile) and call `endStep`. Running sequences come first, in order of admission: a
/// decode is one token, an unfinished prompt a chunk of what is left of the token budget; then
/// waiting sequences enter, first come first served, while budget, sequences and KV blocks last.
/// When a running sequence finds no block, the newest running one is preempted and computed again
/// later.
///
/// The model does no I/O and reads no clock; the same calls with the same seed give the same
/// events. A step is O(running sequences) and allocates nothing once its tables have grown.
package struct BatchingEngine: Sendable {
    struct Scheduled {
        var slot: Int32
        var tokens: Int32
    }

    /// What the engine was made with.
    package let configuration: EngineConfiguration
    /// Counts since the start.
    package internal(set) var counters = EngineCounters()
    /// Every step takes this many times as long; 1 is healthy. A fault to inject.
    package var slowFactor = 1.0
    /// A step begun before this instant ends a whole step after it. A fault to inject.
    package var stalledUntil = Instant.zero

    var slab: [HeldSequence] = []
    var freeSlot: Int32 = -1
    var slotByID: [SequenceID: Int32] = [:]
    var waiting = WaitingList()
    var running: [Int32] = []
    var scheduled: [Scheduled] = []
    var preempted: [SequenceID] = []
    var pool: BlockPool
    var random: SeededRandom
    var isStepping = false
    /// Sequences in `running` that were aborted inside the current step.
    var abortedInStep = 0

    /// An idle engine. The configuration must hold at least one block, sequence and token a step,
    /// and `hashTokens` must be a multiple of `blockTokens`.
    package init(configuration: EngineConfiguration, seed: UInt64 = 0) {
        precondition(
            configuration.kvBlocks > 0 && configuration.blockTokens > 0
                && configuration.sequencesMax > 0 && configuration.batchedTokensMax > 0,
            "an engine needs blocks, sequences and a token budget")
        precondition(
            configuration.hashTokens > 0
                && configuration.hashTokens % configuration.blockTokens == 0,
            "a prefix hash covers whole blocks")
        precondition(configuration.tellsEvery > 0, "tokens are told every so many")
        self.configuration = configuration
        pool = BlockPool(
            blocks: configuration.kvBlocks,
            blocksPerHash: configuration.hashTokens / configuration.blockTokens)
        random = SeededRandom(seed: seed)
    }

    /// What a metrics page would show now.
    package var gauges: EngineGauges {
        EngineGauges(
            running: running.count - abortedInStep, waiting: waiting.count,
            kvUsage: 1 - Double(pool.available) / Double(configuration.kvBlocks))
    }

    /// Whether there is nothing to do.
    package var isIdle: Bool { running.isEmpty && waiting.count == 0 && !isStepping }

    /// Where every KV block is. O(slots): for checks, not for every step.
    package var blocks: BlockAccount {
        var owned = 0
        for sequence in slab { owned += sequence.owned }
        let perHash = pool.blocksPerHash
        return BlockAccount(
            free: pool.free, evictable: pool.evictableEntries * perHash,
            shared: (pool.entryCount - pool.evictableEntries) * perHash, owned: owned)
    }

    /// Hands a sequence to the engine; it enters with the next step that has room for it.
    package mutating func submit(_ request: SequenceRequest) -> Submission {
        let verdict = judge(request)
        guard verdict == .accepted else {
            counters.rejected += 1
            return verdict
        }
        let room = configuration.sequenceTokensMax - request.promptTokens
        let sequence = HeldSequence(
            id: request.id, promptTokens: request.promptTokens,
            outputTokens: min(request.outputTokens, room), hashes: request.prefixHashes,
            hashLimit: configuration.prefixCaching
                ? min(request.prefixHashes.count, request.promptTokens / configuration.hashTokens)
                : 0)
        let slot = store(sequence)
        slotByID[request.id] = slot
        waiting.append(slot, in: &slab)
        return .accepted
    }

    /// Tokens computed so far for a sequence it holds; zero for one it does not.
    package func computedTokens(of id: SequenceID) -> Int {
        slotByID[id].map { slab[Int($0)].work } ?? 0
    }

    /// Leading tokens of a prompt that the prefix cache holds now.
    package func cachedTokens(hashes: [UInt64], promptTokens: Int) -> Int {
        guard configuration.prefixCaching, !hashes.isEmpty else { return 0 }
        let limit = min(hashes.count, (promptTokens - 1) / configuration.hashTokens)
        return pool.match(hashes, limit: limit).hits * configuration.hashTokens
    }

    /// Ends a sequence at once: no further event names it. False when the engine does not hold it.
    package mutating func abort(_ id: SequenceID) -> Bool {
        guard let slot = slotByID.removeValue(forKey: id) else { return false }
        counters.aborted += 1
        if slab[Int(slot)].place == .waiting {
            waiting.remove(slot, in: &slab)
            preempted.removeAll { $0 == id }
            free(slot)
        } else if isStepping {
            slab[Int(slot)].place = .leaving
            abortedInStep += 1
        } else {
            running.removeAll { $0 == slot }
            free(slot)
        }
        return true
    }

    private func judge(_ request: SequenceRequest) -> Submission {
        guard request.promptTokens > 0, request.outputTokens >= 0, slotByID[request.id] == nil
        else { return .invalid }
        let least = request.outputTokens > 0 ? 1 : 0
        if request.promptTokens > configuration.sequenceTokensMax - least { return .promptTooLong }
        if let bound = configuration.waitingMax, waiting.count >= bound { return .queueFull }
        return .accepted
    }

    private mutating func store(_ sequence: HeldSequence) -> Int32 {
        if freeSlot != -1 {
            let slot = freeSlot
            freeSlot = slab[Int(slot)].next
            slab[Int(slot)] = sequence
            return slot
        }
        slab.append(sequence)
        return Int32(slab.count - 1)
    }

    /// Gives back a sequence's blocks, the end of its prefix first, so that it is evicted first.
    mutating func releaseBlocks(of slot: Int32) {
        let index = Int(slot)
        pool.give(slab[index].owned)
        slab[index].owned = 0
        var held = slab[index].held
        while held > 0 {
            held -= 1
            pool.release(slab[index].hashes[held])
        }
        slab[index].held = 0
    }

    /// Gives back a slot that is in no list any more.
    mutating func free(_ slot: Int32) {
        releaseBlocks(of: slot)
        slab[Int(slot)].hashes = []
        slab[Int(slot)].next = freeSlot
        freeSlot = slot
    }
}
