extension UInt64 {
    /// The nearest whole number, within 0 and 2^62: a prediction may be any number, and must never
    /// end the process.
    init(saturating value: Double) {
        self = value > 0 ? UInt64(Swift.min(value, 0x1p62)) : 0
    }
}

extension UInt32 {
    /// The nearest whole number, within 0 and 2^31.
    init(saturating value: Double) {
        self = value > 0 ? UInt32(Swift.min(value, 0x1p31)) : 0
    }
}

extension RequestRecord {
    /// Tokens that a chat template may add to a prompt.
    private static let templateTokensMax: UInt64 = 4096
    private static let tokensPerImageMax: UInt64 = 65_536
    /// An answer's, where its request set no limit.
    private static let outputTokensMax: UInt32 = 1 << 20

    /// What an engine said of a request, cut to what can be true: a token stands for a byte of the
    /// body at least. One lying engine must not teach a model's ratios anything.
    func plausible(_ usage: Usage) -> Usage {
        let told = UInt64(max(self.bodyBytes, self.promptBytes, self.promptTokens))
        let most = told + Self.templateTokensMax + UInt64(self.images) * Self.tokensPerImageMax
        let prompt = min(usage.promptTokens, UInt32(clamping: most))
        let output = min(usage.outputTokens, self.outputTokensMax ?? Self.outputTokensMax)
        return Usage(
            promptTokens: prompt, outputTokens: max(output, min(usage.outputTokens, outputSeen)),
            cachedTokens: min(usage.cachedTokens, prompt))
    }
}
