import Time

/// Exponential forgetting without a mathematics library.
enum Decay {
    /// About `2^(-nanos / halfLife)`: exact at whole half-lives, a straight line between them, so
    /// at most 6 % above the true curve; monotonic, in 0...1.
    static func factor(nanos: UInt64, halfLifeNanos: UInt64) -> Double {
        let halvings = Double(nanos) / Double(max(1, halfLifeNanos))
        guard halvings < 60 else { return 0 }
        let whole = Int(halvings)
        let rest = halvings - Double(whole)
        return Double(sign: .plus, exponent: -whole, significand: 1 - rest / 2)
    }
}

/// What a request asks of a pool's two scarce things: prefill tokens and sequence slots.
struct Demand: Sendable, Equatable {
    var prefillTokens: Double
    var requests: Double

    static let zero = Demand(prefillTokens: 0, requests: 0)

    static func += (left: inout Demand, right: Demand) {
        left.prefillTokens += right.prefillTokens
        left.requests += right.requests
    }
}

/// A rate of demand over the last few seconds, forgotten exponentially.
struct DemandRate: Sendable {
    private var weighted = Demand.zero
    private var at = Instant.zero

    /// Half of what was seen this long ago is forgotten.
    static let halfLifeNanos: UInt64 = 2_000_000_000

    mutating func add(_ demand: Demand, now: Instant) {
        self.settle(now)
        self.weighted += demand
    }

    /// Demand per nanosecond, as of `now`.
    func perNano(now: Instant) -> Demand {
        let factor = Decay.factor(
            nanos: now.nanosSince(self.at), halfLifeNanos: Self.halfLifeNanos)
        // The integral of the decay curve is halfLife / ln 2.
        let scale = factor * 0.693 / Double(Self.halfLifeNanos)
        return Demand(
            prefillTokens: self.weighted.prefillTokens * scale,
            requests: self.weighted.requests * scale)
    }

    private mutating func settle(_ now: Instant) {
        let factor = Decay.factor(
            nanos: now.nanosSince(self.at), halfLifeNanos: Self.halfLifeNanos)
        self.weighted.prefillTokens *= factor
        self.weighted.requests *= factor
        self.at = now
    }
}
