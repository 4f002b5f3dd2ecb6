/// A prompt's leading blocks, as its arrival told them.
struct PrefixChain: Sendable {
    var hashes: [UInt64] = []
    var blockTokens: UInt32 = 512

    init() {}

    init(_ arrival: Arrival) {
        self.hashes = arrival.prefixHashes
        self.blockTokens = max(1, arrival.prefixBlockTokens)
    }
}

/// What prefix caches are worth.
///
/// The value of a cached prefix is the time its tokens need not take: in a choice an endpoint's
/// predicted completion is that of the prompt less the leading blocks it was last sent. Without
/// hashes nothing here is asked, and the share that a model's engines find cached is believed of
/// every prompt.
extension Admission {
    /// Prefill tokens of a prompt at an endpoint: at least one is always computed.
    ///
    /// - Complexity: O(log blocks).
    func prefillTokens(of chain: PrefixChain, promptTokens: UInt32, at index: Int) -> UInt32 {
        let blocks = self.prefixes.matched(chain.hashes, at: index)
        let cached = UInt64(blocks) * UInt64(chain.blockTokens)
        return UInt32(max(1, Int64(promptTokens) - Int64(clamping: cached)))
    }

    /// Fewest prefill tokens at any open endpoint; `nil` without hashes, or in a pool too large to
    /// ask each.
    ///
    /// - Complexity: O(endpoints * log blocks), of at most `comparedWhole` endpoints.
    func leastPrefillTokens(_ chain: PrefixChain, promptTokens: UInt32, model: Int) -> UInt32? {
        guard !chain.hashes.isEmpty, self.pools[model].endpoints.count <= Self.comparedWhole else {
            return nil
        }
        var least = promptTokens
        for index in self.pools[model].endpoints where self.endpoints[Int(index)].isOpen {
            least = min(
                least, self.prefillTokens(of: chain, promptTokens: promptTokens, at: Int(index)))
        }
        return max(1, least)
    }

    /// Keeps the blocks of a request that was admitted.
    mutating func keepChain(_ chain: PrefixChain, slot: Int) {
        while self.chains.count <= slot { self.chains.append(PrefixChain()) }
        self.chains[slot] = chain
    }

    /// Prefill tokens of a live request at an endpoint.
    ///
    /// - Complexity: O(log blocks); O(1) without hashes.
    @inline(__always)
    func prefillTokens(_ slot: Int, at index: Int) -> UInt32 {
        guard !self.chains[slot].hashes.isEmpty else { return self.slab[slot].prefillTokens }
        return self.prefillTokens(
            of: self.chains[slot], promptTokens: self.slab[slot].promptTokens, at: index)
    }

    /// The request goes there: its prefill is what is not cached there, and will be.
    mutating func settlePrefix(_ slot: Int, at index: Int) {
        guard !self.chains[slot].hashes.isEmpty else { return }
        self.slab[slot].prefillTokens = self.prefillTokens(slot, at: index)
        self.prefixes.insert(self.chains[slot].hashes, at: index)
    }
}
