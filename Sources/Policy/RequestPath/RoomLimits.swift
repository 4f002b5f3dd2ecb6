import Time

/// How much one endpoint may hold: sequences, and prefill tokens waiting at the engine.
///
/// Both limits tune themselves. Four times a second they are moved in proportion to the room left
/// between the measured inter-token time and its bound: up only where a limit held work back, down
/// whenever the bound is near. An engine that makes first tokens wait many steps is full for a
/// reason the ledger cannot see (its own sequence limit, its KV cache): that also lowers the limit.
///
/// No limit moves without evidence: lateness lowers it only while first tokens come, or a limit
/// that has become small would be driven down by the clock alone, with no answers to say otherwise.
/// Of an engine that never tells how many tokens it made no inter-token time is known: late is then
/// what took half of the request's bound, and the limits return to where they began, not beyond.
struct RoomLimits: Sendable {
    /// Sequences in flight.
    private(set) var sequences: Double = Self.startSequences
    /// Prefill tokens waiting at the engine as steered; one larger prompt may wait alone.
    private(set) var steeredPrefillTokens: Double = Self.startPrefillTokens
    /// Nanoseconds from dispatch to first token for each token of prefill ahead, smoothed: more
    /// than a token really takes, since the step itself is in it.
    private var perPrefillTokenNanos: Double?
    /// Prefill that takes no longer than this may wait at any time: half of the inter-token bound.
    private var prefillAllowanceNanos = Self.allowanceNanosUnbounded
    /// Work was held back by the limit since the last look.
    private var sequencesBound = false
    private var prefillBound = false
    // Inter-token time since the last look.
    private var tokenNanos: Double = 0
    private var tokens: Double = 0
    /// Share of recent first tokens that came many steps late, decayed.
    private var lateShare: Double = 0
    /// First tokens since the last look.
    private var firstTokens = 0
    /// An inter-token time has been measured.
    private var knowsTokens = false
    private var lookAt = Instant.zero
    /// How often it has looked.
    private(set) var looks = 0
    /// The sequence limit has met the bound it is steered by.
    private(set) var isSettled = false

    static let startSequences = 64.0
    static let sequencesMax = 1024.0
    static let startPrefillTokens = 1024.0
    static let prefillTokensMin = 512.0
    private static let prefillTokensMax = 4096.0
    private static let shownPrefillTokensMax = 1e8
    private static let allowanceNanosUnbounded = 250e6
    static let lookEveryNanos: UInt64 = 250_000_000
    /// Above this much room the sequence limit doubles.
    private static let ampleRoom = 3.0
    /// The inter-token time steered to, as a share of the bound: requests scatter around the mean.
    private static let aim = 0.965

    /// Prefill tokens that may wait at the engine now.
    ///
    /// Never less than what the engine has shown to do in half of an inter-token bound: one that
    /// takes long prompts in no time is not held to a batch's worth of them.
    var prefillTokens: Double {
        guard let nanos = self.perPrefillTokenNanos else { return self.steeredPrefillTokens }
        let shown = self.prefillAllowanceNanos / max(0.001, nanos)
        return max(self.steeredPrefillTokens, min(shown, Self.shownPrefillTokensMax))
    }

    mutating func noteBound(sequences: Bool) {
        if sequences { self.sequencesBound = true } else { self.prefillBound = true }
    }

    mutating func learnTokens(_ count: UInt32, nanos: UInt64) {
        self.tokens += Double(count)
        self.tokenNanos += Double(nanos)
    }

    /// A first token came `nanos` after dispatch, with `tokens` of prefill ahead of it.
    ///
    /// Late is what took many steps and a tenth of the request's bound: where answers of a few
    /// tokens make steps look short, nothing that the budget would notice counts. `stepNanos` is
    /// nil while no inter-token time has been measured.
    mutating func learnFirstToken(
        nanos: UInt64, tokens: UInt32, stepNanos: Double?, boundNanos: UInt64
    ) {
        let each = Double(nanos) / Double(max(1, tokens))
        self.perPrefillTokenNanos =
            self.perPrefillTokenNanos.map { $0 + (each - $0) * 0.2 } ?? each
        let late =
            stepNanos.map {
                Double(nanos) > 3 * (2 + Double(tokens) / 512) * $0 && nanos > boundNanos / 10
            } ?? (nanos > boundNanos / 2)
        self.firstTokens += 1
        self.lateShare += ((late ? 1 : 0) - self.lateShare) * 0.05
    }

    /// The engine said it is full with `inFlight` sequences.
    mutating func learnBusy(inFlight: Int) {
        self.sequences = max(1, min(self.sequences, Double(inFlight)) * 0.9)
    }

    /// Begins again from the start, after the endpoint has been away.
    mutating func reset() {
        self = RoomLimits()
    }

    /// Looks at what has been learned, when it is time to; the mean nanoseconds between tokens
    /// since the last look when enough came.
    mutating func look(now: Instant, boundNanos: UInt64?) -> Double? {
        guard now >= self.lookAt else { return nil }
        self.looks &+= 1
        self.prefillAllowanceNanos =
            boundNanos.map { Double($0) / 2 } ?? Self.allowanceNanosUnbounded
        self.lookAt = now.advanced(byNanos: Self.lookEveryNanos)
        let mean = self.tokens >= 8 ? self.tokenNanos / self.tokens : nil
        if mean != nil {
            self.knowsTokens = true
            self.tokens = 0
            self.tokenNanos = 0
        }
        self.steer(room: self.room(mean: mean, boundNanos: boundNanos))
        self.sequencesBound = false
        self.prefillBound = false
        self.firstTokens = 0
        return mean
    }

    /// What both limits may be multiplied by: above 1 there is room, below 1 too little.
    private func room(mean: Double?, boundNanos: UInt64?) -> Double {
        if self.lateShare > 0.3 { return self.firstTokens > 0 ? 0.93 : 1 }
        guard let boundNanos else { return 1.25 }
        guard let mean else {
            return !self.knowsTokens && self.sequences < Self.startSequences ? 1.25 : 1
        }
        return Self.aim * Double(boundNanos) / max(1, mean)
    }

    private mutating func steer(room: Double) {
        if room < 1.1, self.sequencesBound { self.isSettled = true }
        if room < 0.99 {
            let factor = max(0.8, 1 - (1 - room) * 0.5)
            self.sequences = max(1, self.sequences * factor)
            self.steeredPrefillTokens = max(
                Self.prefillTokensMin, self.steeredPrefillTokens * factor)
        } else if room > 1.01 {
            let factor = 1 + min(0.25, (room - 1) * 0.5)
            if self.sequencesBound, room > Self.ampleRoom {
                // Far below its bound an engine is only held back by the limit's cautious start.
                self.sequences = min(Self.sequencesMax, self.sequences * 2)
            } else if self.sequencesBound {
                self.sequences = min(
                    Self.sequencesMax, max(self.sequences + 1, self.sequences * factor))
            }
            if self.prefillBound {
                self.steeredPrefillTokens = min(
                    Self.prefillTokensMax, self.steeredPrefillTokens * factor)
            }
        }
    }
}
