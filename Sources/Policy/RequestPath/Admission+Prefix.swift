/// A prompt's leading blocks, as its arrival told them.
struct PrefixChain: Sendable {
    var hashes: [UInt64] = []
    var blockTokens: UInt32 = 512

    init() {}

    init(_ arrival: Arrival) {
        self.hashes = arrival.prefixHashes
        self.blockTokens = max(1, arrival.prefixBlockTokens)
    }

    /// Tokens of the prompt in so many leading blocks; at least one token is always computed.
    func tokens(blocks: Int, promptTokens: UInt32) -> UInt32 {
        let tokens = UInt64(blocks) * UInt64(self.blockTokens)
        return UInt32(min(tokens, UInt64(max(1, promptTokens) - 1)))
    }
}

/// How far engines confirm what a router believes they have cached: tokens found, of those
/// believed.
///
/// An engine that caches nothing, evicts early or does not tell brings it down to zero within a few
/// dozen requests: its ledger is then debited with whole prompts.
struct PrefixTrust: Sendable {
    private var believed = 4096.0
    private var found = 4096.0
    /// What is kept of older sums at each sample: about the last 50 requests count.
    private static let keep = 0.98
    private static let steps = 32.0

    /// 0...1, in steps of a thirty-second: each move changes where what waits would fit.
    private(set) var share = 1.0

    /// Whether the share has moved.
    mutating func learn(believed: UInt32, found: UInt32) -> Bool {
        guard believed > 0 else { return false }
        self.believed = self.believed * Self.keep + Double(believed)
        self.found = self.found * Self.keep + Double(min(found, believed))
        let exact = min(1, self.found / self.believed)
        guard abs(exact - self.share) * Self.steps >= 1 else { return false }
        self.share = (exact * Self.steps).rounded() / Self.steps
        return true
    }
}

/// What prefix caches are worth.
///
/// The value of a cached prefix is the time its tokens need not take: in a choice an endpoint's
/// predicted completion is that of the prompt less the leading blocks it was last sent. What is
/// owed in the ledger is less only as far as engines confirm that belief. Without hashes nothing
/// here is asked, and the share that a model's engines find cached is believed of every prompt.
extension Admission {
    /// Leading tokens of a prompt that an endpoint is believed to have.
    ///
    /// - Complexity: O(log blocks); O(1) without hashes.
    @inline(__always)
    private func believedTokens(
        _ chain: PrefixChain, promptTokens: UInt32, at index: Int
    ) -> UInt32 {
        guard !chain.hashes.isEmpty else { return 0 }
        return chain.tokens(
            blocks: self.prefixes.matched(chain.hashes, at: index), promptTokens: promptTokens)
    }

    /// Fewest prefill tokens at any open endpoint; `nil` without hashes, or in a pool too large to
    /// ask each.
    ///
    /// - Complexity: O(endpoints * log blocks), of at most `comparedWhole` endpoints.
    func leastPrefillTokens(_ chain: PrefixChain, promptTokens: UInt32, model: Int) -> UInt32? {
        guard !chain.hashes.isEmpty, self.pools[model].endpoints.count <= Self.comparedWhole else {
            return nil
        }
        var most: UInt32 = 0
        for index in self.pools[model].endpoints where self.endpoints[Int(index)].isOpen {
            most = max(
                most, self.believedTokens(chain, promptTokens: promptTokens, at: Int(index)))
        }
        return self.owed(promptTokens, believed: most, model: model)
    }

    /// Keeps the blocks of a request that was admitted.
    mutating func keepChain(_ chain: PrefixChain, slot: Int) {
        while self.chains.count <= slot { self.chains.append(PrefixChain()) }
        self.chains[slot] = chain
    }

    /// Prefill tokens that a prompt is expected to cost where so many are believed cached.
    private func owed(_ promptTokens: UInt32, believed: UInt32, model: Int) -> UInt32 {
        let trusted = Double(believed) * self.pools[model].prefixTrust.share
        return max(1, promptTokens - UInt32(min(trusted, Double(promptTokens))))
    }

    /// Prefill tokens of a live request at an endpoint.
    ///
    /// - Complexity: O(log blocks); O(1) without hashes.
    @inline(__always)
    func prefill(_ slot: Int, at index: Int) -> Prefill {
        guard !self.chains[slot].hashes.isEmpty else {
            let tokens = self.slab[slot].prefillTokens
            return Prefill(owed: tokens, believed: tokens)
        }
        let model = Int(self.slab[slot].served)
        let promptTokens = self.slab[slot].promptTokens
        let cached = self.believedTokens(
            self.chains[slot], promptTokens: promptTokens, at: index)
        let owed = self.owed(promptTokens, believed: cached, model: model)
        return Prefill(
            owed: owed, believed: max(1, promptTokens) - cached, isKnown: true,
            isHeld: self.pools[model].endpoints.count <= Self.comparedWhole
                && promptTokens - min(owed, promptTokens) > promptTokens / Self.heldPart)
    }

    /// A prompt of which more than this part is cached at an endpoint is held there.
    private static let heldPart: UInt32 = 10

    /// Fewest prefill tokens of room with which an endpoint may take a live request: as if all of
    /// its blocks were cached there; none where it may wait beyond that room.
    func leastPrefillTokens(_ slot: Int) -> UInt32 {
        guard !self.chains[slot].hashes.isEmpty else { return self.slab[slot].prefillTokens }
        let model = Int(self.slab[slot].served)
        guard self.pools[model].endpoints.count > Self.comparedWhole else { return 0 }
        let promptTokens = self.slab[slot].promptTokens
        return self.owed(
            promptTokens,
            believed: self.chains[slot].tokens(
                blocks: self.chains[slot].hashes.count, promptTokens: promptTokens),
            model: model)
    }

    /// The request goes there: its prefill is what is not cached there, and will be.
    mutating func settlePrefix(_ slot: Int, at index: Int) {
        guard !self.chains[slot].hashes.isEmpty else { return }
        self.slab[slot].cachedBelieved = self.believedTokens(
            self.chains[slot], promptTokens: self.slab[slot].promptTokens, at: index)
        self.slab[slot].prefillTokens = self.prefill(slot, at: index).owed
        self.prefixes.insert(self.chains[slot].hashes, at: index)
    }
}
