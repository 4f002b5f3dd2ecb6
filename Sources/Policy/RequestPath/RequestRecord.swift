import Time

/// One live request: what was asked, what is expected of it, and where it stands.
struct RequestRecord: Sendable {
    enum Phase: UInt8, Sendable {
        /// The record is in the free list.
        case free
        /// It waits at the gateway.
        case queued
        /// It is at an engine.
        case inFlight
    }

    var id = RequestID(raw: 0)
    var phase = Phase.free

    // What was asked.
    /// The model asked for; `served` is the one whose queue and engines are used.
    var asked: Int32 = 0
    var served: Int32 = 0
    var tenant: Int32 = 0
    var classIndex: Int32 = 0
    var promptBytes: UInt32 = 0
    var images: UInt16 = 0
    var bodyBytes: UInt32 = 0
    var outputTokensMax: UInt32?
    /// Answers asked for at once; their tokens are counted together.
    var choices: UInt32 = 1
    var promptHash: UInt64 = 0
    var promptTokensExact = false
    var cappable = true
    var retryable = true
    var streams = true
    var arrival = Instant.zero
    /// First token planned by then.
    var due = Instant.zero
    /// Hard limit for the first token.
    var deadline = Instant.zero

    // What is expected of it.
    var promptTokens: UInt32 = 0
    /// Prompt tokens not expected in the prefix cache.
    var prefillTokens: UInt32 = 0
    /// Prompt tokens believed to be in the prefix cache where it was sent.
    var cachedBelieved: UInt32 = 0
    var outputTokens: UInt32 = 0
    /// Token work charged to its flow and its tenant's minute, settled at the end.
    var charged: Double = 0
    var chargedTokens: Double = 0
    /// Time to first token predicted at arrival, without the correction for confidence.
    var predictedNanos: UInt64 = 0

    /// Time to first token it was admitted at, with the correction; 0 while it is not.
    var plannedNanos: UInt64 = 0

    // Where it waits.
    var flow: Int32 = -1
    var previous: Int32 = -1
    var next: Int32 = -1
    var waited = WaitCause.none

    // Its current attempt.
    var endpoint: Int32 = -1
    var attempt: UInt8 = 0
    /// Endpoints that failed it; the last of them is avoided next.
    var failures: UInt8 = 0
    var failedOn: Int32 = -1
    /// Answers of an engine that was full or shutting down: no fault of anyone.
    var turnedAway: UInt8 = 0
    var dispatchedAt = Instant.zero
    /// Prefill tokens not yet answered at the endpoint when it was sent, its own among them.
    var prefillAtDispatch: UInt32 = 0
    /// Its prefill still stands in the ledger.
    var prefillOwed = false
    /// The endpoint of a second try under way before the first token; -1 without.
    var hedge: Int32 = -1
    var hedgedAt = Instant.zero
    /// As `prefillAtDispatch`, `prefillTokens` and `cachedBelieved`, of the second try.
    var prefillAtHedge: UInt32 = 0
    var prefillTokensAtHedge: UInt32 = 0
    var cachedBelievedAtHedge: UInt32 = 0
    var firstTokenAt: Instant?
    var outputSeen: UInt32 = 0
    var progressAt = Instant.zero
    var cap: UInt32?

    /// Tokens its answer and prompt are expected to occupy in the KV cache.
    var contextTokens: Double { Double(self.promptTokens) + Double(self.outputTokens) }

    /// The record as its second try stands in the ledger of `hedge`.
    var secondTry: RequestRecord {
        var second = self
        second.prefillTokens = self.prefillTokensAtHedge
        return second
    }

    /// What it asks of a pool.
    var demand: Demand { Demand(prefillTokens: Double(self.prefillTokens), requests: 1) }
}

/// Token work: the unit in which tenants are charged and compared.
enum TokenWork {
    /// An output token counts as this many prompt tokens. Fitted engines put the ratio of marginal
    /// costs between 1 and 7 (decode shares one step's base among the batch); prices in the field
    /// between 3 and 5.
    static let outputWeight = 4.0

    static func of(prefillTokens: Double, outputTokens: Double) -> Double {
        prefillTokens + self.outputWeight * outputTokens
    }
}
