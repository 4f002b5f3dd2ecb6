/// Prompt tokens from bytes, learned per model from what engines say they used: so many for each
/// byte of text, and some that the chat template adds to every prompt.
///
/// A line through the last prompts, by least squares. One number for both would learn from
/// greetings of two bytes and forty tokens that a long text has twenty tokens to a byte.
struct TokenRatio: Sendable {
    // Decayed sums over prompts of text: their number, bytes, tokens, and products of the two.
    private var texts: Double = 1
    private var bytes: Double = 1024
    private var tokens: Double = 256
    private var bytesSquared: Double = 1024 * 1024
    private var bytesTokens: Double = 1024 * 256
    private var prompt: Double = 4096
    private var uncached: Double = 4096
    private var prompts: Double = 8
    /// Tokens an image stands for, learned from prompts that had any.
    private var tokensPerImage: Double = 800

    /// What is kept of older sums at each sample: about the last 200 prompts count.
    private static let keep = 0.995
    /// English text; prompts whose lengths differ by little say nothing better.
    private static let tokensPerByteAtFirst = 0.25
    /// Variance of lengths that outweighs it: a spread of 256 bytes.
    private static let varianceAtFirst = 65_536.0

    /// Prompt tokens of a text of this many bytes with this many images; at least 1.
    func tokens(bytes: UInt32, images: UInt16) -> UInt32 {
        let total = self.textTokens(bytes) + Double(images) * self.tokensPerImage
        return max(1, UInt32(saturating: total))
    }

    /// Fewest tokens a text of this many bytes plausibly has: for refusals that must be right.
    func tokensAtLeast(bytes: UInt32) -> UInt32 {
        UInt32(saturating: Double(bytes) * self.tokensPerByte * 0.6)
    }

    private func textTokens(_ bytes: UInt32) -> Double {
        let each = self.tokensPerByte
        let template = (self.tokens - each * self.bytes) / self.texts
        return max(0, template) + Double(bytes) * each
    }

    /// The slope of the line: a token has a byte at least, and a template no fewer than no tokens.
    private var tokensPerByte: Double {
        let mean = self.bytes / self.texts
        let variance = max(0, self.bytesSquared / self.texts - mean * mean)
        let covariance = self.bytesTokens / self.texts - mean * self.tokens / self.texts
        let slope =
            (covariance + Self.varianceAtFirst * Self.tokensPerByteAtFirst)
            / (variance + Self.varianceAtFirst)
        return min(max(slope, 0.02), 1, self.tokens / self.bytes)
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
            let each = max(1, (prompt - self.textTokens(bytes)) / Double(images))
            self.tokensPerImage += (each - self.tokensPerImage) * 0.1
        } else if bytes > 0 {
            let count = Double(bytes)
            self.texts = self.texts * Self.keep + 1
            self.bytes = self.bytes * Self.keep + count
            self.tokens = self.tokens * Self.keep + prompt
            self.bytesSquared = self.bytesSquared * Self.keep + count * count
            self.bytesTokens = self.bytesTokens * Self.keep + count * prompt
        }
    }
}
