/// Prompt tokens from bytes, learned per model from what engines say they used.
struct TokenRatio: Sendable {
    private var bytes: Double = 4096
    private var tokens: Double = 1024
    private var prompt: Double = 4096
    private var uncached: Double = 4096
    private var prompts: Double = 8
    /// Tokens an image stands for, learned from prompts that had any.
    private var tokensPerImage: Double = 800

    /// What is kept of older sums at each sample: about the last 200 prompts count.
    private static let keep = 0.995

    /// Prompt tokens of a text of this many bytes with this many images; at least 1.
    func tokens(bytes: UInt32, images: UInt16) -> UInt32 {
        let text = Double(bytes) * self.tokens / self.bytes
        let total = text + Double(images) * self.tokensPerImage
        return max(1, UInt32(saturating: total))
    }

    /// Fewest tokens a text of this many bytes plausibly has: for refusals that must be right.
    func tokensAtLeast(bytes: UInt32) -> UInt32 {
        UInt32(saturating: Double(bytes) * self.tokens / self.bytes * 0.6)
    }

    /// Mean prompt tokens that engines had to compute.
    var meanPrefillTokens: Double { self.uncached / self.prompts }

    /// Share of a prompt's tokens that engines had to compute, 0.05...1.
    var uncachedShare: Double { min(1, max(0.05, self.uncached / self.prompt)) }

    mutating func learn(bytes: UInt32, images: UInt16, exact: Bool, usage: Usage) {
        let prompt = Double(usage.promptTokens)
        guard prompt > 0 else { return }
        self.prompts = self.prompts * Self.keep + 1
        self.prompt = self.prompt * Self.keep + prompt
        self.uncached =
            self.uncached * Self.keep + max(0, prompt - Double(usage.cachedTokens))
        guard !exact else { return }
        if images > 0 {
            let text = Double(bytes) * self.tokens / self.bytes
            let each = max(1, (prompt - text) / Double(images))
            self.tokensPerImage += (each - self.tokensPerImage) * 0.1
        } else if bytes > 0 {
            self.bytes = self.bytes * Self.keep + Double(bytes)
            self.tokens = self.tokens * Self.keep + prompt
        }
    }
}
