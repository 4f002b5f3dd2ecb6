import EventLoop
import HTTP
import RequestPath
import Time
import Wire

/// One request on its way through the gateway: from its last body byte to its record.
///
/// Belongs to a client connection and is used again for the connection's next request, so that the
/// steady state allocates nothing.
final class Exchange {
    /// Where the answer stands.
    enum Relay {
        /// No engine answer yet.
        case none
        /// The head is built and held until the first body byte: until then another try is open.
        case held
        /// An engine's 5xx is being read whole, to decide about another try.
        case collecting(status: Int)
        /// Bytes have left for the client.
        case started
    }

    let gateway: GatewayLoop
    /// The connection holds the exchange too, until it is closed.
    let connection: ServerConnection
    /// Place in the gateway's slab, and how often it was used: together the request's id.
    let slot: Int
    var generation: UInt32 = 0

    var record = RequestRecord()
    var surface = Surface.other
    let body = RequestBody()
    /// The parts of a body that is a form, its model relative to the body.
    var form: MultipartForm.Parts?
    var model = ModelID(raw: 0)
    var tenant = GatewayConfig.anonymous
    /// In the hands of admission: it must hear how the request ended.
    var isAdmitted = false
    /// Asked for usage on the client's behalf.
    var addsUsage = false
    /// What this request's dispatch said.
    var dispatch = Dispatch(endpoint: EndpointID(raw: 0), model: ModelID(raw: 0))
    /// The head for the engine up to the fields that depend on the endpoint.
    let engineHead = HeadBuilder()

    var upstream: ClientConnection?
    /// The try at another engine while the first one's first byte is late.
    var second: SecondTry?
    /// When the engine was sent the request or last said something.
    var heardAt = Instant.zero
    /// Since when bytes wait for a client that does not read; `nil` while it keeps up.
    var blockedSince: Instant?
    /// What waited for it when it was last looked at.
    var blockedBytes = Int.max
    /// A reused connection broke before any answer: tried once more on a fresh one, as the same
    /// try.
    var hasRetriedFresh = false
    var relay = Relay.none
    /// Head and body runs that leave with the next flush.
    let answerHead = HeadBuilder()
    var hasAnswerHead = false
    var runs: [UnsafeRawBufferPointer] = []
    var staged: [UInt8] = []
    var pendingEvent: [UInt8] = []
    var pendingScanned = 0
    /// The body of an engine's 5xx; its `Content-Type` line alone stands in `answerHead` then.
    var collected: [UInt8] = []
    /// It is whole and plain: the client may see it.
    var mayRelayCollected = true
    var isEventStream = false
    /// The answer is JSON, or does not say what it is: sound and pictures are not read.
    var mayTellUsage = true
    var passesRaw = false
    var answerStatus = 200
    var sawDone = false
    /// The engine told of a failure inside its stream.
    var sawError = false
    var endsNow = false
    var usage: TokenUsage?
    var usageScanner = UsageScanner()
    var outputTokens: UInt32 = 0
    var reportedTokens: UInt32 = 0
    /// A verified credential of this connection, and the configuration it was verified against.
    var knownCredential: [UInt8] = []
    var knownTenant = GatewayConfig.anonymous
    var knownVersion = -1

    init(_ connection: ServerConnection, gateway: GatewayLoop, slot: Int) {
        self.connection = connection
        self.gateway = gateway
        self.slot = slot
    }

    var requestID: RequestID {
        RequestID(
            raw: UInt64(self.gateway.index) << 56 | UInt64(self.generation) << 24
                | UInt64(self.slot))
    }

    /// Makes the exchange ready for the connection's next request.
    func begin() {
        self.generation &+= 1
        self.record.reset(
            start: self.connection.requestReady, accepted: self.connection.requestStart,
            read: self.connection.requestEnd)
        self.isAdmitted = false
        self.addsUsage = false
        self.hasRetriedFresh = false
        self.blockedSince = nil
        self.resetAnswer()
        self.usage = nil
        self.outputTokens = 0
        self.reportedTokens = 0
    }

    /// Forgets everything of an answer, for the next try.
    func resetAnswer() {
        self.relay = .none
        self.hasAnswerHead = false
        if !self.runs.isEmpty { self.runs.removeAll(keepingCapacity: true) }
        if !self.staged.isEmpty { self.staged.removeAll(keepingCapacity: true) }
        if !self.pendingEvent.isEmpty { self.pendingEvent.removeAll(keepingCapacity: true) }
        self.pendingScanned = 0
        if !self.collected.isEmpty { self.collected.removeAll(keepingCapacity: true) }
        self.isEventStream = false
        self.passesRaw = false
        self.sawDone = false
        self.sawError = false
        self.endsNow = false
        self.usageScanner.reset()
    }

    // MARK: Endings

    /// Answers without an engine and settles.
    func answer(_ error: ErrorAnswer, outcome: Outcome) {
        self.dropUpstream()
        self.record.outcome = outcome
        guard !self.connection.hasStartedResponse else {
            // Too late for a status: the answer is cut so that it cannot be taken for a whole one.
            return self.breakOff(error)
        }
        let requestID = self.record.requestID
        let queueNanos = self.record.times.dispatched.nanosSince(self.record.times.admitted)
        self.settle()
        self.connection.respond(
            status: error.status,
            fields: { head in
                head.append("x-request-id: ")
                head.append(requestID)
                head.append("\r\n")
                if queueNanos > 0 {
                    head.field("x-plimsoll-queue-ms", decimal: queueNanos / 1_000_000)
                }
                error.appendFields(head)
            }, body: error.body)
    }

    /// Ends an answer whose engine broke: an error event and no `[DONE]`, or a reset.
    func breakOff(_ error: ErrorAnswer) {
        self.dropUpstream()
        guard self.isEventStream else {
            self.settle()
            return self.connection.abortResponse()
        }
        // What passed unread may have ended inside an event.
        var event: [UInt8] = self.passesRaw || self.surface == .other ? Array("\n\n".utf8) : []
        event += Array(self.surface == .responses ? "event: error\ndata: ".utf8 : "data: ".utf8)
        event += error.body
        event += Array("\n\n".utf8)
        self.connection.closeAfterResponse()
        let head = self.hasAnswerHead ? self.answerHead : nil
        self.settle()
        event.withUnsafeBytes {
            self.connection.send(head: head, body: [$0], ends: true)
        }
        self.answerHead.giveBack()
    }

    /// Closes the connection to the engine, which cancels the request there.
    func dropUpstream() {
        self.dropSecond()
        self.upstream?.close()
        self.upstream = nil
    }

    /// Buffers larger than this go back between requests.
    private static let keptBytesMax = 4 << 10

    /// Records what became of the request; the exchange is free for the next one.
    func settle() {
        let now = self.gateway.loop.readClock()
        self.record.times.close(at: now, hasFirstToken: self.record.hasFirstToken)
        self.record.tenant = self.tenant
        self.record.surface = self.surface
        if let usage = self.usage {
            self.record.promptTokens = usage.promptTokens
            self.record.outputTokens = usage.outputTokens
            self.record.cachedTokens = usage.cachedTokens
        } else {
            self.record.outputTokens = self.outputTokens
        }
        self.gateway.settled(self.record)
        // An idle connection holds little, however long its last request and answer were.
        self.engineHead.giveBack()
        if self.pendingEvent.capacity > Self.keptBytesMax { self.pendingEvent = [] }
        if self.collected.capacity > Self.keptBytesMax { self.collected = [] }
        // The end of an answer may wait there to be sent behind this.
        if self.staged.isEmpty, self.staged.capacity > Self.keptBytesMax { self.staged = [] }
        // Ids of this request mean nothing from here on.
        self.generation &+= 1
        self.isAdmitted = false
    }
}
