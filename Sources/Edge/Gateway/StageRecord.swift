package import RequestPath
package import Time

/// The stage ledger of one request: instants on the gateway's monotonic clock, in order.
///
/// Stages are the spans between neighbours, so that their sum is the whole by construction. A
/// request that ends early ends in the stage it was in: see `close`.
package struct StageTimes: Sendable {
    /// The loop had woken with the request's first byte there to be read.
    package var start = Instant.zero
    /// That byte was read: what else had come to the loop was served before.
    package var accepted = Instant.zero
    /// Its last byte was read.
    package var read = Instant.zero
    /// Its head and body were scanned.
    package var parsed = Instant.zero
    /// Its tenant, model and class were known.
    package var identified = Instant.zero
    /// Admission had decided on it or queued it.
    package var admitted = Instant.zero
    /// It was sent for the last time: queueing and failed tries lie before this.
    package var dispatched = Instant.zero
    /// Its first bytes left for the engine on a standing connection.
    package var connected = Instant.zero
    /// The engine's first token arrived.
    package var firstToken = Instant.zero
    /// The engine's last byte arrived.
    package var lastByte = Instant.zero
    /// The last byte left for the client, or the request ended otherwise.
    package var end = Instant.zero

    package init() {}

    /// Nanoseconds of each stage, in the order of `Stage.allCases`.
    package func nanos(of stage: Stage) -> UInt64 {
        switch stage {
        case .accept: self.accepted.nanosSince(self.start)
        case .read: self.read.nanosSince(self.accepted)
        case .parse: self.parsed.nanosSince(self.read)
        case .identity: self.identified.nanosSince(self.parsed)
        case .admission: self.admitted.nanosSince(self.identified)
        case .queue: self.dispatched.nanosSince(self.admitted)
        case .connect: self.connected.nanosSince(self.dispatched)
        case .engine: self.firstToken.nanosSince(self.connected)
        case .decode: self.lastByte.nanosSince(self.firstToken)
        case .egress: self.end.nanosSince(self.lastByte)
        }
    }

    /// Ends the ledger: what was not reached leaves its time to the stage before it, waiting to the
    /// queue and an engine that sent no token to the engine.
    package mutating func close(at end: Instant, hasFirstToken: Bool) {
        if self.admitted > .zero, self.dispatched == .zero { self.dispatched = end }
        if self.dispatched > .zero {
            if self.lastByte < self.dispatched { self.lastByte = end }
            if !hasFirstToken { self.firstToken = self.lastByte }
        }
        self.accepted = max(self.accepted, self.start)
        self.read = max(self.read, self.accepted)
        self.parsed = max(self.parsed, self.read)
        self.identified = max(self.identified, self.parsed)
        self.admitted = max(self.admitted, self.identified)
        self.dispatched = max(self.dispatched, self.admitted)
        self.connected = max(self.connected, self.dispatched)
        self.firstToken = max(self.firstToken, self.connected)
        self.lastByte = max(self.lastByte, self.firstToken)
        self.end = max(end, self.lastByte)
    }
}

/// The parts of a request's time.
package enum Stage: Int, CaseIterable, Sendable {
    case accept, read, parse, identity, admission, queue, connect, engine, decode, egress

    /// All of them, made once: the request path walks over it.
    package static let inOrder = Array(Stage.allCases)

    package var label: String {
        switch self {
        case .accept: "accept"
        case .read: "read"
        case .parse: "parse"
        case .identity: "identity"
        case .admission: "admission"
        case .queue: "queue"
        case .connect: "connect"
        case .engine: "engine"
        case .decode: "decode"
        case .egress: "egress"
        }
    }
}

/// What became of a request.
package enum Outcome: Sendable, Equatable {
    /// The whole answer was relayed, an engine's 4xx included.
    case completed(status: Int)
    case refused(RefusalReason, late: Bool)
    /// The request was refused by the gateway before admission: a client's fault.
    case rejected(status: Int)
    case failed(FailureKind)
    /// The client went away.
    case abandoned
}

/// Whether a request had a second try before its first token, and what came of it.
package enum HedgeOutcome: Sendable, Equatable {
    case none
    /// The first try answered, or none did.
    case lost
    /// The second try answered.
    case won
}

/// Why an admitted request failed; bounded labels.
package enum FailureKind: String, Sendable, CaseIterable {
    case noEndpoint = "no_endpoint"
    case stalled
    case badAnswer = "bad_answer"
    /// The engine broke off inside the answer.
    case truncated
    case engineError = "engine_error"
}

/// One finished request, for metrics, reports and the flight recorder. Never a prompt or an answer.
package struct RequestRecord: Sendable {
    package var times = StageTimes()
    package var model: ModelID?
    package var classIndex = 0
    package var tenant = GatewayConfig.anonymous
    package var surface = Surface.other
    package var outcome = Outcome.abandoned
    package var endpoint: EndpointID?
    package var waited = WaitCause.none
    package var attempts = 0
    package var hedge = HedgeOutcome.none
    package var ladderStep = 0
    package var isStreaming = false
    package var promptTokens: UInt32 = 0
    package var outputTokens: UInt32 = 0
    package var cachedTokens: UInt32 = 0
    package var requestBytes = 0
    package var requestID: [UInt8] = []
    /// A client's retry of a refused request.
    package var isRetry = false

    package init() {}

    /// Begins another request's record in the same storage.
    mutating func reset(start: Instant, accepted: Instant, read: Instant) {
        self.times = StageTimes()
        self.times.start = start
        self.times.accepted = accepted
        self.times.read = read
        self.model = nil
        self.classIndex = 0
        self.tenant = GatewayConfig.anonymous
        self.surface = .other
        self.outcome = .abandoned
        self.endpoint = nil
        self.waited = .none
        self.attempts = 0
        self.hedge = .none
        self.ladderStep = 0
        self.isStreaming = false
        self.promptTokens = 0
        self.outputTokens = 0
        self.cachedTokens = 0
        self.requestBytes = 0
        self.requestID.removeAll(keepingCapacity: true)
        self.isRetry = false
        self.hasFirstToken = false
    }

    /// Time to first token as the gateway saw it; `nil` without one.
    package var ttftNanos: UInt64? {
        guard self.hasFirstToken else { return nil }
        return self.times.firstToken.nanosSince(self.times.start)
    }

    /// Set when a token was relayed.
    package var hasFirstToken = false

    /// Mean time between tokens, (last - first) / (tokens - 1); `nil` below two tokens.
    package var interTokenNanos: UInt64? {
        guard self.hasFirstToken, self.isStreaming, self.outputTokens >= 2 else { return nil }
        return self.times.lastByte.nanosSince(self.times.firstToken)
            / UInt64(self.outputTokens - 1)
    }

    package var endToEndNanos: UInt64 { self.times.end.nanosSince(self.times.start) }
}
