import RequestPath
import Time

/// One live request of a baseline: what was asked and where it stands.
struct LiveRequest: Sendable {
    enum Phase: UInt8, Sendable {
        /// The record is in the free list.
        case free
        /// It waits in the gate's queue, or is being decided about.
        case waiting
        /// It is at an engine.
        case inFlight
        /// Its last attempt failed and the next one is due later.
        case backingOff
    }

    var id = RequestID(raw: 0)
    var phase = Phase.free
    var model: Int32 = 0
    var classIndex: Int32 = 0
    var bodyBytes: UInt32 = 0
    /// As the field counts them: exact where the client sent ids, else four bytes a token.
    var promptTokens: UInt32 = 0
    /// Chained hashes of the prompt's blocks; where none are told, the prompt is one block.
    var prefixHashes: [UInt64] = []
    var retryable = true
    var arrival = Instant.zero
    /// Requests are numbered as they come.
    var order: UInt64 = 0
    /// No endpoint was ready when it came.
    var isCold = false

    // Its place with the gate, whose lanes and counts mean what the gate says.
    var lane: Int32 = -1
    var previous: Int32 = -1
    var next: Int32 = -1
    /// It counts against a limit of the gate.
    var isCounted = false
    /// Requests counted by the gate when it was let in, itself among them.
    var countedAtStart: Int32 = 0

    // Its current attempt.
    var endpoint: Int32 = -1
    var attempt = 0
    var hasAnswered = false
    var retryAt = Instant.zero
    var lastFailure = Failure.refused

    init() {}

    init(_ arrival: Arrival, now: Instant) {
        self.id = arrival.request
        self.phase = .waiting
        self.model = Int32(arrival.model.raw)
        self.classIndex = Int32(arrival.classIndex)
        self.bodyBytes = arrival.bodyBytes
        self.promptTokens = max(1, arrival.promptTokensExact ?? arrival.promptBytes / 4)
        self.prefixHashes =
            arrival.prefixHashes.isEmpty && arrival.promptHash != 0
            ? [arrival.promptHash] : arrival.prefixHashes
        self.retryable = arrival.retryable
        self.arrival = now
    }
}
