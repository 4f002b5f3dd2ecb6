package import Statistics

/// A step the engine has begun.
package struct StepPlan: Hashable, Sendable {
    /// How long it takes, in nanoseconds, faults and noise included; at least one.
    package let durationNanos: UInt64
    /// What it computes.
    package let work: StepWork
}

/// What an engine's metrics page would show now.
package struct EngineGauges: Hashable, Sendable {
    /// Sequences that hold KV blocks and run (`vllm:num_requests_running`).
    package let running: Int
    /// Sequences that wait (`vllm:num_requests_waiting`).
    package let waiting: Int
    /// The share of KV blocks that sequences hold, 0 ... 1 (`vllm:kv_cache_usage_perc`); blocks
    /// kept only for their prefix are not in use.
    package let kvUsage: Double
}

/// Counts since the engine started.
package struct EngineCounters: Hashable, Sendable {
    /// Steps completed.
    package var steps: UInt64 = 0
    /// Prompt tokens of sequences whose prompt was finished (`vllm:prompt_tokens_total`).
    package var promptTokens: UInt64 = 0
    /// Tokens produced (`vllm:generation_tokens_total`).
    package var generationTokens: UInt64 = 0
    /// Preemptions (`vllm:num_preemptions_total`).
    package var preemptions: UInt64 = 0
    /// Prompt tokens looked up in the prefix cache (`vllm:prefix_cache_queries_total`).
    package var prefixQueries: UInt64 = 0
    /// Prompt tokens found there (`vllm:prefix_cache_hits_total`).
    package var prefixHits: UInt64 = 0
    /// Sequences that finished.
    package var finished: UInt64 = 0
    /// Sequences that were aborted.
    package var aborted: UInt64 = 0
    /// Submissions that were not accepted.
    package var rejected: UInt64 = 0

    /// All zero.
    package init() {}
}

/// Where every KV block is. The four add up to the configured blocks at any time.
package struct BlockAccount: Hashable, Sendable {
    /// Holding nothing.
    package let free: Int
    /// Kept for their prefix only; reused or evicted at need.
    package let evictable: Int
    /// Cached prefixes that sequences hold.
    package let shared: Int
    /// Held by one sequence each.
    package let owned: Int

    /// Creates an account.
    package init(free: Int, evictable: Int, shared: Int, owned: Int) {
        self.free = free
        self.evictable = evictable
        self.shared = shared
        self.owned = owned
    }
}
