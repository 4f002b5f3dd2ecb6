/// What all requests of a run have in common.
struct RequestForm {
    var target: Target
    /// The name sent as `model`.
    var model: String
    /// Sent as `Authorization: Bearer`.
    var tenantKey: String?
    /// Sent as `x-plimsoll-class` for arrivals that name none.
    var serviceClass: String?
    /// Ask for a stream of events, its usage at its end.
    var streams = true
    /// Ask engines to go on to the limit.
    var ignoresEOS = true
    var promptScale = PromptScale()
    /// Draws prompts.
    var seed: UInt64 = 1

    init(target: Target, model: String) {
        self.target = target
        self.model = model
    }

    init(_ settings: ReplaySettings) {
        self.init(target: settings.target, model: settings.model)
        self.tenantKey = settings.tenantKey
        self.serviceClass = settings.serviceClass
        self.streams = settings.streams
        self.ignoresEOS = settings.ignoresEOS
        self.promptScale = settings.promptScale
        self.seed = settings.promptSeed ?? settings.seed
    }
}

/// How much text stands for a number of tokens: what an engine counts for a prompt of so many bytes
/// is `fixedTokens` + bytes / `bytesPerToken`.
package struct PromptScale: Sendable, Equatable {
    /// Bytes of prompt text for a token; above zero.
    package var bytesPerToken: Double
    /// Tokens that the engine adds to every prompt, such as its chat template's.
    package var fixedTokens: Int

    /// About what English has with the tokenizers of today's models; nothing added.
    package init(bytesPerToken: Double = 4, fixedTokens: Int = 0) {
        self.bytesPerToken = bytesPerToken
        self.fixedTokens = fixedTokens
    }

    /// Bytes of text that stand for a prompt of so many tokens, one at least.
    package func bytes(ofTokens tokens: Int) -> Int {
        max(1, Int((Double(max(0, tokens - self.fixedTokens)) * self.bytesPerToken).rounded()))
    }

    /// `4 bytes`, to a hundredth.
    var words: String {
        let hundredths = Int((self.bytesPerToken * 100).rounded())
        let whole = hundredths % 100 == 0
        return (whole ? "\(hundredths / 100)" : "\(Double(hundredths) / 100)") + " bytes"
    }
}
