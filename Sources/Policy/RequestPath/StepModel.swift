/// How long an engine takes: to the first token as a line in the prefill tokens ahead of it, and
/// between tokens. Decayed least squares, from the answers themselves.
struct StepModel: Sendable {
    // Sums of the regression: weight, x (kilotokens), y (milliseconds).
    private var weight = 0.0
    private var x = 0.0
    private var y = 0.0
    private var xx = 0.0
    private var xy = 0.0
    /// Mean nanoseconds between tokens of one stream.
    private(set) var interTokenNanos: Double = Self.priorInterTokenNanos
    private(set) var interTokenKnown = false
    private(set) var samples = 0

    /// Mean nanoseconds between tokens of one stream; nil while the engine has told none.
    var measuredInterTokenNanos: Double? { self.interTokenKnown ? self.interTokenNanos : nil }

    private static let keep = 0.98
    private static let priorInterTokenNanos = 30_000_000.0
    private static let priorFixedNanos = 20_000_000.0
    private static let priorPerTokenNanos = 100_000.0
    /// The prior counts as four samples: at no tokens and at a thousand, twice each.
    private static let priorSamples = 4.0

    /// Enough has been seen to refuse a prompt for its size alone.
    var isLearned: Bool { self.samples >= 8 }

    /// A first token came `nanos` after dispatch with `tokens` of prefill waiting, its own
    /// included.
    mutating func learnFirstToken(tokens: UInt32, nanos: UInt64) {
        let x = Double(tokens) / 1000
        let y = Double(nanos) / 1_000_000
        self.weight = self.weight * Self.keep + 1
        self.x = self.x * Self.keep + x
        self.y = self.y * Self.keep + y
        self.xx = self.xx * Self.keep + x * x
        self.xy = self.xy * Self.keep + x * y
        self.samples &+= 1
    }

    mutating func learnInterToken(nanos: Double) {
        self.interTokenNanos =
            self.interTokenKnown ? self.interTokenNanos * 0.6 + nanos * 0.4 : nanos
        self.interTokenKnown = true
    }

    /// Expected nanoseconds from dispatch to the first token with `tokens` of prefill waiting at
    /// the engine, its own included.
    func firstTokenNanos(tokens: Double) -> Double {
        let line = self.line
        return max(1_000_000, line.fixed + line.perToken * tokens)
    }

    /// Least nanoseconds a prompt of `tokens` plausibly takes on an idle engine: a good part of
    /// what its tokens cost, and nothing fixed, since that was learned under load.
    func idleFirstTokenNanos(tokens: Double) -> Double {
        0.7 * self.line.perToken * tokens
    }

    /// Nanoseconds fixed and per token, never negative.
    var line: (fixed: Double, perToken: Double) {
        let prior = Self.priorSamples
        let priorLow = Self.priorFixedNanos / 1e6
        let priorHigh = (Self.priorFixedNanos + 1000 * Self.priorPerTokenNanos) / 1e6
        let weight = self.weight + prior
        let x = self.x + prior / 2
        let y = self.y + prior / 2 * (priorLow + priorHigh)
        let xx = self.xx + prior / 2
        let xy = self.xy + prior / 2 * priorHigh
        let spread = weight * xx - x * x
        guard spread > 1e-9 else { return (y / weight * 1e6, 0) }
        var slope = (weight * xy - x * y) / spread
        var fixed = (y - slope * x) / weight
        if slope < 0 { (slope, fixed) = (0, y / weight) }
        if fixed < 0 { (slope, fixed) = (xy / xx, 0) }
        return (fixed * 1e6, slope * 1e3)
    }
}
