import Time

/// What one endpoint may be sent and how soon it would be done: all that a choice looks at.
struct Room: Sendable {
    /// Nothing is in flight: it takes any one request.
    var isIdle = false
    var sequences = 0
    /// Prefill tokens that may still wait there; no limit while none wait.
    var prefillTokens = 0
    /// The same for a prompt whose beginning is cached there: as many as the plan allows.
    var prefillTokensOfPlan = 0
    var contextTokens = 0.0
    // Predicted nanoseconds of a request: fixed, and for each of its tokens.
    var firstTokenNanos = 0.0
    /// What waits there would take, counted from when the first of it was begun.
    var waitingNanos = 0.0
    var computingSince = Instant.zero
    var perPrefillTokenNanos = 0.0
    var perOutputTokenNanos = 0.0
    /// What recent failures count for in a choice: an engine that fails fast looks idle, and would
    /// draw all work.
    var penaltyNanos = 0.0
    /// It came back and waits for one request to prove itself on.
    var wantsTrial = false

    /// What is left, as the index of its pool is told: no less than `fits` goes by.
    var left: RoomIndex.Tokens {
        if self.isIdle { return .any }
        guard self.sequences > 0 else { return .none }
        return RoomIndex.Tokens(
            prefill: UInt32(clamping: self.prefillTokens),
            context: UInt32(saturating: self.contextTokens))
    }

    func fits(_ record: RequestRecord, _ prefill: Prefill) -> Bool {
        self.isIdle
            || (self.sequences > 0 && self.contextTokens >= record.contextTokens
                && (prefill.isHeld ? self.prefillTokensOfPlan : self.prefillTokens)
                    >= Int(prefill.owed))
    }

    func firstTokenNanos(prefillTokens: UInt32, now: Instant) -> Double {
        self.firstTokenNanos + self.leftNanos(now)
            + self.perPrefillTokenNanos * Double(prefillTokens)
    }

    /// What is left of the work that waits there. Once it should have been done it is taken to last
    /// as long again as it is late, up to all of it: an engine that stalls does not look free.
    private func leftNanos(_ now: Instant) -> Double {
        guard self.waitingNanos > 0 else { return 0 }
        let elapsed = Double(now.nanosSince(self.computingSince))
        return min(self.waitingNanos, abs(self.waitingNanos - elapsed))
    }

    /// What is compared in a choice: nanoseconds until the request would be complete, and what
    /// computing its prompt would cost those who come after it.
    func completionNanos(_ record: RequestRecord, _ prefill: Prefill, now: Instant) -> Double {
        if self.wantsTrial, record.retryable, record.failures == 0 { return 0 }
        let ownNanos =
            self.penaltyNanos + self.firstTokenNanos(prefillTokens: prefill.believed, now: now)
            + self.perOutputTokenNanos * Double(record.outputTokens) * Self.decodeShare
        guard prefill.isKnown else { return ownNanos }
        return ownNanos + Self.laterShare * self.perPrefillTokenNanos * Double(prefill.believed)
    }

    /// What the time of later tokens counts for in a choice. Bounds on first tokens are tight and
    /// those between tokens wide, and where an answer would take a second more because of a few
    /// more sequences a first token would wait for nothing: with whole answers compared and no
    /// gate, a quarter of the answers missed their bounds at capacity, with this one in a hundred.
    private static let decodeShare = 0.05

    /// How often a token's time counts again for those who come after it: who computes a prompt
    /// that another has cached keeps an engine from all of them until it runs dry. On a server
    /// that is busy for the share r of its time that is 1 / (1 - r) times the work itself.
    private static let laterShare = 10.0
}

/// Prefill tokens of a request at one endpoint.
struct Prefill: Sendable {
    /// What the ledger is debited with: what the endpoint is believed to have cached counts as far
    /// as engines confirm such beliefs.
    var owed: UInt32
    /// With that belief taken whole, for a choice: at least 1.
    var believed: UInt32
    /// The prompt's blocks are known: endpoints differ in what they would have to compute.
    var isKnown = false
    /// So much of the prompt is cached there that it may wait for as long as the plan allows:
    /// elsewhere it would be computed again, and cached twice.
    var isHeld = false
}

/// The numbers of a model's plan that every event needs.
struct EngineBounds: Sendable {
    /// Of the plan what a first token may take at the engine; the rest is for waiting before it and
    /// for what no prediction sees.
    private static let engineShare = 0.6

    var sequencesMax: Int
    var contextTokensMax: Double
    var interTokenNanos: UInt64?
    /// Time to first token that the strictest class is planned to.
    var planNanos: Double
    var retryShare: Double
    var hedgeShare: Double

    /// Prefill tokens that an engine may be handed at once so that the last of them is answered in
    /// its share of the plan: below the larger of that and `least` no request is late by the engine
    /// alone.
    func prefillTokensMax(_ line: (fixed: Double, perToken: Double), least: Double) -> Double {
        max(least, (self.planNanos * Self.engineShare - line.fixed) / max(1, line.perToken))
    }

    init(_ plan: ModelPlan) {
        self.sequencesMax = plan.concurrentRequestsMax.map { Int($0) } ?? .max
        self.contextTokensMax = plan.tokensInFlightMax.map { Double($0) } ?? .infinity
        self.interTokenNanos = plan.interTokenBoundNanos
        self.planNanos = plan.classes.map { Double($0.planNanos) }.min() ?? .infinity
        self.retryShare = plan.retryShare
        self.hedgeShare = plan.hedgeShare
    }
}
