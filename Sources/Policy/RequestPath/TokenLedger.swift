import Time

/// Token work at one endpoint: debited at dispatch, credited as tokens come back.
///
/// It is exact about what this gateway sent; `foreign` adds what a scrape saw of others.
struct TokenLedger: Sendable, Equatable {
    /// Requests sent and not settled.
    private(set) var inFlight = 0
    /// Prefill tokens sent whose first token has not come.
    private(set) var prefillWaiting = 0
    /// Since when the prompt is computed that comes first of those: the last one was done then.
    private(set) var computingSince = Instant.zero
    /// Prompt and expected output tokens of everything in flight.
    private(set) var contextTokens: Double = 0
    /// Sequences of other clients, from the engine's own gauges.
    private(set) var foreign = 0
    private var foreignBefore = 0

    var isIdle: Bool { self.inFlight == 0 }

    /// A scrape saw this many sequences beyond ours; the lesser of two in a row counts.
    mutating func observeForeign(_ count: Int) {
        self.foreign = min(count, self.foreignBefore)
        self.foreignBefore = count
    }

    mutating func debit(_ record: RequestRecord, now: Instant) {
        if self.prefillWaiting == 0 { self.computingSince = now }
        self.inFlight += 1
        self.prefillWaiting += Int(record.prefillTokens)
        self.contextTokens += record.contextTokens
    }

    /// The prompt has been computed.
    mutating func creditPrefill(_ record: RequestRecord, now: Instant) {
        self.computingSince = now
        self.prefillWaiting -= Int(record.prefillTokens)
        assert(self.prefillWaiting >= 0)
    }

    /// The attempt is over; its prefill has been credited.
    mutating func credit(_ record: RequestRecord) {
        self.inFlight -= 1
        assert(self.inFlight >= 0)
        self.contextTokens = self.inFlight == 0 ? 0 : self.contextTokens - record.contextTokens
    }
}
