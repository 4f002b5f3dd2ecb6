package import Statistics

/// The time of a step. A step in which nobody decodes has a base of its own, because the measured
/// tables give prefill and decode different ones.
package struct EngineCost: Hashable, Sendable {
    /// The cost of a step in which at least one sequence decodes.
    package var step: StepCost
    /// Nanoseconds of base for a step that only computes prompts.
    package var prefillOnlyBase: Double

    /// Creates a cost; without a base of its own a prefill-only step has the common one.
    package init(step: StepCost, prefillOnlyBase: Double? = nil) {
        self.step = step
        self.prefillOnlyBase = prefillOnlyBase ?? step.base
    }

    /// Nanoseconds of a step with this much work, without noise or faults.
    package func nanos(of work: StepWork) -> Double {
        let base = work.sequences == 0 ? prefillOnlyBase - step.base : 0
        return step.nanos(of: work) + base
    }
}

/// The limits and costs of one engine. Names follow vLLM's options.
package struct EngineConfiguration: Hashable, Sendable {
    /// The time of a step.
    package var cost: EngineCost
    /// KV blocks in memory (`num_gpu_blocks`).
    package var kvBlocks: Int
    /// Tokens in a KV block (`--block-size`).
    package var blockTokens = 16
    /// Tokens behind one prefix hash; a multiple of `blockTokens`.
    package var hashTokens = 512
    /// Whether prefixes are kept and reused (`--enable-prefix-caching`).
    package var prefixCaching = true
    /// Sequences in one step at most (`--max-num-seqs`).
    package var sequencesMax = 256
    /// Tokens computed in one step at most, prompts and decodes together
    /// (`--max-num-batched-tokens`); longer prompts are computed in chunks.
    package var batchedTokensMax = 2_048
    /// Prompt and answer together, in tokens (`--max-model-len`); longer answers are cut there.
    package var modelLengthMax = 32_768
    /// Waiting sequences at which another is refused; nil for no bound, as engines come.
    package var waitingMax: Int?
    /// Of the tokens after the first, every how many an event tells; 1 is each. The end of an
    /// answer is told whatever this is.
    package var tellsEvery = 1
    /// Standard deviation of a step's time as a share of it; 0 for none.
    package var stepNoise = 0.0

    /// A configuration with vLLM's defaults for all but cost and memory.
    package init(cost: EngineCost, kvBlocks: Int) {
        self.cost = cost
        self.kvBlocks = kvBlocks
    }

    /// The tokens one sequence may hold: the model's context or all KV blocks, whichever is less. A
    /// sequence that alone exceeded the blocks would preempt itself for ever.
    package var sequenceTokensMax: Int {
        min(modelLengthMax, kvBlocks * blockTokens)
    }
}
