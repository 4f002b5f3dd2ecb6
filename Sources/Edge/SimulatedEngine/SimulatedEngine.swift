import EngineModel
package import EventLoop
package import HTTP
import Statistics
import Time
package import Wire

/// An OpenAI-compatible server whose answers take as long as a real engine's would: the engine
/// model of the twin, in real time.
///
/// Its text is meaningless; its timing, batching, queueing, metrics and errors are those of vLLM.
package final class SimulatedEngine {
    /// One request inside the engine.
    final class Sequence {
        let id: SequenceID
        let connection: ServerConnection
        let isChat: Bool
        let isStreaming: Bool
        let includesUsage: Bool
        let promptTokens: Int
        let outputTokens: Int
        /// `chatcmpl-...`, and the parts of a chunk around the text.
        let name: String
        let chunkStart: [UInt8]
        let isTruncated: Bool
        var produced = 0
        /// Bytes of this step, sent together.
        var pending: [UInt8] = []

        init(
            id: SequenceID, connection: ServerConnection, isChat: Bool, body: RequestBody,
            promptTokens: Int, outputTokens: Int, name: String, model: String, isTruncated: Bool
        ) {
            self.id = id
            self.connection = connection
            self.isChat = isChat
            self.isStreaming = body.isStreaming
            self.includesUsage = body.wantsUsage
            self.promptTokens = promptTokens
            self.outputTokens = outputTokens
            self.name = name
            self.isTruncated = isTruncated
            self.chunkStart = EngineText.chunkStart(name: name, model: model, isChat: isChat)
        }
    }

    let settings: EngineSettings
    private let loop: Loop
    private var model: BatchingEngine
    private var server: HTTPServer?
    private var timer: LoopTimer?
    private let scanner = BodyScanner()
    private var sequences: [UInt64: Sequence] = [:]
    private var nextID: UInt64 = 1
    private var random: SeededRandom
    private let startedAt: Instant
    private let readyAt: Instant
    /// Model time at which the step under way ends; `nil` when no step is under way.
    private var stepEnd: Instant?
    /// Model time up to which steps have been made.
    private var modelNow = Instant.zero
    private var events: [EngineEvent] = []
    private var touched: [Sequence] = []
    private var isDraining = false
    private var onIdle: (() -> Void)?

    /// Sets up on the loop's own thread.
    package init(_ loop: Loop, settings: EngineSettings) {
        self.loop = loop
        self.settings = settings
        self.model = BatchingEngine(configuration: settings.engine, seed: settings.seed)
        self.random = SeededRandom(seed: settings.seed)
        self.startedAt = loop.readClock()
        self.readyAt = self.startedAt.advanced(byNanos: settings.startupNanos)
        self.server = HTTPServer(loop, handler: self)
        self.timer = LoopTimer(loop) { [unowned self] in self.turn() }
    }

    /// Listens; returns the bound address.
    package func listen(_ address: SocketAddress) throws(StreamError) -> SocketAddress {
        guard let server = self.server else { return address }
        return try server.listen(address)
    }

    /// Takes no new requests; `done` is called when the last one has been answered.
    package func drain(_ done: @escaping () -> Void) {
        self.isDraining = true
        if self.sequences.isEmpty { done() } else { self.onIdle = done }
    }

    // MARK: Time

    /// Model time at a wall instant.
    private func modelTime(_ wall: Instant) -> Instant {
        Instant(nanos: UInt64(Double(wall.nanosSince(self.readyAt)) * self.settings.speed))
    }

    private func wallTime(_ model: Instant) -> Instant {
        self.readyAt.advanced(byNanos: UInt64(Double(model.nanos) / self.settings.speed))
    }

    /// Ends steps whose time has come and begins the next; arms the timer for the one under way.
    private func turn() {
        let now = self.modelTime(self.loop.readClock())
        self.applyFaults(now)
        while true {
            if let end = self.stepEnd {
                guard end <= now else { break }
                self.stepEnd = nil
                self.modelNow = end
                self.events.removeAll(keepingCapacity: true)
                self.model.endStep(into: &self.events)
                self.tell()
            }
            // Behind a backlog the next step begins where the last one ended, not where the timer
            // happened to fire: late timers do not slow the engine down.
            let start = self.model.isIdle ? max(self.modelNow, now) : self.modelNow
            guard let plan = self.model.beginStep(now: start) else { break }
            self.stepEnd = start.advanced(byNanos: plan.durationNanos)
        }
        if let end = self.stepEnd { self.timer?.arm(at: self.wallTime(end)) }
        if self.sequences.isEmpty, let done = self.onIdle {
            self.onIdle = nil
            done()
        }
    }

    /// Begins a step when none is under way.
    private func wake() {
        guard self.stepEnd == nil else { return }
        self.modelNow = max(self.modelNow, self.modelTime(self.loop.readClock()))
        self.turn()
    }

    private func applyFaults(_ now: Instant) {
        var slow = 1.0
        for fault in self.settings.faults {
            let start = UInt64(Double(fault.startNanos) * self.settings.speed)
            guard now.nanos >= start else { continue }
            switch fault.kind {
            case .kill: EngineProcess.endAtOnce()
            case .slow(let factor): slow *= factor
            case .stall(let nanos):
                let end = start + UInt64(Double(nanos) * self.settings.speed)
                if now.nanos < end { self.model.stalledUntil = Instant(nanos: end) }
            case .http500, .truncate, .lie: break
            }
        }
        self.model.slowFactor = slow
    }

    private func isFaulty(_ pick: (EngineFault.Kind) -> Double?) -> Bool {
        let age = self.loop.now.nanosSince(self.readyAt)
        for fault in self.settings.faults where age >= fault.startNanos {
            if let share = pick(fault.kind), self.random.uniform() < share { return true }
        }
        return false
    }

    // MARK: Tokens

    /// Turns the step's events into bytes, one write for each connection.
    private func tell() {
        for event in self.events {
            guard let sequence = self.sequences[event.id.raw] else { continue }
            switch event.kind {
            case .firstToken, .token: self.token(sequence, isFirst: event.kind == .firstToken)
            case .finished: self.finish(sequence)
            case .preempted: break
            }
        }
        for sequence in self.touched {
            guard !sequence.pending.isEmpty else { continue }
            let bytes = sequence.pending
            sequence.pending.removeAll(keepingCapacity: true)
            bytes.withUnsafeBytes {
                sequence.connection.send(head: nil, body: [$0], ends: false)
            }
        }
        self.touched.removeAll(keepingCapacity: true)
    }

    private func token(_ sequence: Sequence, isFirst: Bool) {
        sequence.produced += 1
        guard sequence.isStreaming else { return }
        if isFirst {
            self.sendHead(sequence)
            if sequence.isChat { EngineText.appendRole(sequence, to: &sequence.pending) }
        }
        let isLast = sequence.produced == sequence.outputTokens
        EngineText.appendToken(sequence, isLast: isLast, to: &sequence.pending)
        self.touched.append(sequence)
        if sequence.isTruncated, sequence.produced * 2 >= sequence.outputTokens {
            self.leave(sequence)
            let bytes = sequence.pending
            sequence.pending = []
            bytes.withUnsafeBytes { sequence.connection.send(head: nil, body: [$0], ends: true) }
        }
    }

    private func sendHead(_ sequence: Sequence) {
        let head = HeadBuilder()
        head.statusLine(200)
        head.append(
            "server: plimsoll-engine\r\ncontent-type: text/event-stream; charset=utf-8\r\n")
        sequence.connection.appendFraming(head, length: nil)
        head.append("\r\n")
        sequence.connection.send(head: head, body: [], ends: false)
    }

    private func finish(_ sequence: Sequence) {
        self.sequences[sequence.id.raw] = nil
        if sequence.isStreaming {
            if sequence.includesUsage {
                EngineText.appendUsageChunk(sequence, to: &sequence.pending)
            }
            sequence.pending += Array("data: [DONE]\n\n".utf8)
            let bytes = sequence.pending
            sequence.pending = []
            bytes.withUnsafeBytes { sequence.connection.send(head: nil, body: [$0], ends: true) }
        } else {
            let body = EngineText.answer(sequence, model: self.settings.modelNames[0])
            sequence.connection.respond(status: 200, body: body)
        }
    }

    private func leave(_ sequence: Sequence) {
        self.sequences[sequence.id.raw] = nil
        _ = self.model.abort(sequence.id)
    }
}

// MARK: Requests

extension SimulatedEngine: ServerHandler {
    package func serverHead(_ connection: ServerConnection) -> Bool { true }

    package func serverRequest(_ connection: ServerConnection) {
        let path = connection.buffer.withSpan { span in
            let range = connection.head.path(span)
            return String(
                decoding: (range.start..<min(range.end, range.start + 200)).map { span[$0] },
                as: UTF8.self)
        }
        switch (connection.head.method, path) {
        case (.post, "/v1/chat/completions"): self.complete(connection, isChat: true)
        case (.post, "/v1/completions"): self.complete(connection, isChat: false)
        case (.get, "/health"), (.get, "/ping"):
            let ready = self.loop.now >= self.readyAt
            connection.respond(status: ready ? 200 : 503, body: [])
        case (.get, "/metrics"): self.answerMetrics(connection)
        case (.get, "/v1/models"):
            connection.respond(
                status: 200,
                body: EngineText.models(
                    self.settings.modelNames, maxLength: self.settings.engine.modelLengthMax))
        case (.get, "/version"):
            connection.respond(status: 200, body: Array("{\"version\":\"0.32.0\"}".utf8))
        default:
            connection.respond(status: 404, body: Array("{\"detail\":\"Not Found\"}".utf8))
        }
    }

    private func complete(_ connection: ServerConnection, isChat: Bool) {
        if let refusal = self.refusal() {
            return connection.respond(status: refusal.0, body: refusal.1)
        }
        let range = connection.bodyRange
        let raw = UnsafeRawBufferPointer(
            rebasing: connection.buffer.bytes[range.start..<range.end])
        let body = RequestBody()
        do throws(RequestBody.Fault) {
            try self.scanner.scan(raw, into: body)
        } catch {
            return connection.respond(
                status: 400, body: EngineText.error(400, "Bad Request", error.message))
        }
        let name =
            body.model.map { String(decoding: raw[$0.start..<$0.end], as: UTF8.self) } ?? ""
        guard self.settings.modelNames.contains(name) else {
            return connection.respond(
                status: 404,
                body: EngineText.error(
                    404, "NotFoundError", "The model `\(name)` does not exist."))
        }
        self.submit(connection, body, isChat: isChat, model: name)
    }

    /// Why no request can be taken now.
    private func refusal() -> (Int, [UInt8])? {
        if self.isDraining {
            // vLLM's own words: gateways know them.
            return (
                500,
                EngineText.error(
                    500, "InternalServerError", "cannot schedule new futures after shutdown")
            )
        }
        if self.loop.now < self.readyAt {
            return (
                503, EngineText.error(503, "Service Unavailable", "the model is being loaded")
            )
        }
        let fails = self.isFaulty { kind in
            if case .http500(let share) = kind { share } else { nil }
        }
        guard fails else { return nil }
        return (500, EngineText.error(500, "InternalServerError", "a fault that was asked for"))
    }

    private func submit(
        _ connection: ServerConnection, _ body: RequestBody, isChat: Bool, model: String
    ) {
        let promptTokens =
            body.promptIDs > 0
            ? Int(body.promptIDs)
            : max(1, Int(body.promptBytes) / EngineSettings.bytesPerToken)
        let room = self.settings.engine.sequenceTokensMax - promptTokens
        let wanted = body.outputTokensMax.map { Int(clamping: $0) }
        let outputTokens = max(1, min(wanted ?? self.settings.defaultOutputTokens, room))
        let id = SequenceID(self.nextID)
        self.nextID += 1
        let submission = self.model.submit(
            SequenceRequest(id: id, promptTokens: promptTokens, outputTokens: outputTokens))
        switch submission {
        case .accepted: break
        case .queueFull:
            return connection.respond(
                status: 503,
                body: EngineText.error(
                    503, "Service Unavailable",
                    "The engine is currently busy and cannot accept new requests. "
                        + "Please try again later or on a different instance."))
        case .promptTooLong, .invalid:
            return connection.respond(
                status: 400,
                body: EngineText.error(
                    400, "BadRequestError",
                    "This model's maximum context length is "
                        + "\(self.settings.engine.modelLengthMax) tokens. However, your prompt "
                        + "contains \(promptTokens) input tokens."))
        }
        let truncates = self.isFaulty { kind in
            if case .truncate(let share) = kind { share } else { nil }
        }
        let sequence = Sequence(
            id: id, connection: connection, isChat: isChat, body: body,
            promptTokens: promptTokens, outputTokens: outputTokens,
            name: (isChat ? "chatcmpl-" : "cmpl-") + String(id.raw), model: model,
            isTruncated: truncates)
        self.sequences[id.raw] = sequence
        connection.context = sequence
        self.wake()
    }

    private func answerMetrics(_ connection: ServerConnection) {
        var lie = 1.0
        for fault in self.settings.faults {
            if case .lie(let factor) = fault.kind { lie = factor }
        }
        let text = EngineText.metrics(
            self.model.gauges, self.model.counters, self.settings, dividedBy: lie)
        connection.respond(
            status: 200, contentType: "text/plain; version=0.0.4; charset=utf-8", body: text)
    }

    package func serverFault(_ connection: ServerConnection, _ fault: WireFault) {
        connection.respond(
            status: fault.status, body: EngineText.error(fault.status, "Bad Request", fault.message)
        )
    }

    package func serverOverflow(_ connection: ServerConnection) {
        connection.respond(
            status: 503, body: EngineText.error(503, "Service Unavailable", "buffers are full"))
    }

    package func serverClosed(_ connection: ServerConnection) {}

    package func serverGone(_ connection: ServerConnection) {
        guard let sequence = connection.context as? Sequence else { return }
        self.leave(sequence)
        self.turn()
    }

    package func serverDrained(_ connection: ServerConnection) {}
}
