import Budget
import EventLoop
import Engines
import HTTP
import RequestPath
import Time
import Wire

/// From the engine's answer to the client, a read at a time and without copying.
extension Exchange: ClientHandler {
    /// Most bytes of an engine's 5xx that are read to decide about another try.
    private static let collectedMax = 16 << 10
    /// An event longer than this is relayed as it comes, unread.
    private static let eventMax = 1 << 20

    func clientHead(_ connection: ClientConnection, _ head: ResponseHead, _ bytes: Span<UInt8>) {
        self.record.times.connected = connection.requestWrittenAt ?? self.record.times.dispatched
        if head.status >= 500 {
            self.relay = .collecting(status: head.status)
            self.answerStatus = head.status
            self.answerHead.removeAll()
            if let type = head.table.first(.contentType) {
                bytes.withUnsafeBytes { self.answerHead.field($0, type) }
            }
            self.mayRelayCollected = head.table.first(.contentEncoding) == nil
            return
        }
        self.answerStatus = head.status
        self.isEventStream = false
        self.mayTellUsage = true
        var length: UInt64?
        if case .length(let count) = head.framing { length = count }
        self.buildAnswerHead(head, bytes, length: length)
        self.relay = .held
    }

    private func buildAnswerHead(
        _ head: ResponseHead, _ bytes: Span<UInt8>, length: UInt64?
    ) {
        let namesHops = bytes.namesHops(head.table)
        self.answerHead.removeAll()
        self.answerHead.statusLine(head.status)
        bytes.withUnsafeBytes { raw in
            for field in head.table.fields {
                switch field.known {
                case .connection, .keepAlive, .contentLength, .transferEncoding, .te, .trailer,
                    .upgrade, .proxyConnection, .proxyAuthenticate, .requestID, .plimsollClass,
                    .plimsollDeadline, .plimsollOther:
                    continue
                case .contentType:
                    self.isEventStream = Self.hasPrefix(bytes, field.value, "text/event-stream")
                    self.mayTellUsage =
                        self.isEventStream
                        || Self.hasPrefix(bytes, field.value, "application/json")
                case .other where namesHops && bytes.namesHop(field.name, head.table): continue
                default: break
                }
                self.answerHead.field(raw, field)
            }
        }
        // Only a 204 or a 304 has no body: a request with HEAD is never relayed.
        let hasBody = head.framing != .none
        if !hasBody { self.isEventStream = false }
        self.answerHead.append("x-request-id: ")
        self.answerHead.append(self.record.requestID)
        self.answerHead.append("\r\n")
        let queued = self.record.times.dispatched.nanosSince(self.record.times.admitted)
        self.answerHead.field("x-plimsoll-queue-ms", decimal: queued / 1_000_000)
        if self.dispatch.ladderStep > 0 { self.appendDegraded() }
        if self.gateway.core.options.namesEndpoint,
            let endpoint = self.gateway.endpoint(self.dispatch.endpoint)
        {
            self.answerHead.field("x-plimsoll-endpoint", text: endpoint.name)
        }
        // An event stream may lose events of ours on the way: its length is not the engine's.
        self.connection.appendFraming(
            self.answerHead, length: self.isEventStream ? nil : length, hasBody: hasBody)
        self.answerHead.append("\r\n")
        self.hasAnswerHead = true
    }

    private func appendDegraded() {
        if let cap = self.dispatch.outputTokensCap {
            self.answerHead.field("x-plimsoll-degraded", text: "cap=\(cap)")
        } else if self.dispatch.model != self.model {
            let name = self.gateway.config.models[self.dispatch.model.raw].spec.name
            self.answerHead.field("x-plimsoll-degraded", text: "model=\(name)")
        }
    }

    func clientBody(_ connection: ClientConnection, _ bytes: UnsafeRawBufferPointer) {
        if case .collecting(let status) = self.relay {
            // Not heard by this: an error that drips must not hold its client for ever.
            self.collected.append(contentsOf: bytes)
            if self.collected.count > Self.collectedMax {
                // Half of it would pass for the whole.
                self.mayRelayCollected = false
                self.endedBadly(status)
            }
            return
        }
        self.heardAt = self.gateway.loop.now
        if case .held = self.relay { self.firstByte() }
        if self.isEventStream, !self.passesRaw, self.surface != .other {
            self.takeEvents(bytes)
        } else {
            if self.mayTellUsage {
                self.usageScanner.feed(bytes.assumingMemoryBound(to: UInt8.self).span)
            }
            self.runs.append(bytes)
        }
    }

    /// The answer is certain from here on: no other try.
    private func firstByte() {
        self.relay = .started
        if self.second != nil {
            self.dropSecond()
            self.gateway.step(.hedgeFailed(self.requestID, nil))
        }
        if !self.isEventStream { self.firstToken() }
    }

    private func firstToken() {
        // How soon an engine declines says nothing about its first tokens.
        guard !self.record.hasFirstToken, self.isServed else { return }
        self.record.hasFirstToken = true
        self.record.times.firstToken = self.gateway.loop.now
        self.gateway.step(.firstToken(self.requestID))
    }

    func clientFlush(_ connection: ClientConnection) {
        self.flush()
    }

    /// Sends what has gathered for the client; the end too, when the answer has come to it.
    private func flush() {
        guard !self.runs.isEmpty || !self.staged.isEmpty || self.endsNow else { return }
        guard case .started = self.relay else { return }
        let head = self.hasAnswerHead ? self.answerHead : nil
        self.hasAnswerHead = false
        let ends = self.endsNow
        if ends { self.finish() }
        if self.staged.isEmpty {
            self.connection.send(head: head, body: self.runs, ends: ends)
        } else {
            // A copy: the connection's next request may begin inside the call.
            let staged = self.staged
            if ends { self.staged = [] }
            staged.withUnsafeBytes { first in
                self.connection.send(head: head, body: [first] + self.runs, ends: ends)
            }
        }
        // It has been copied or sent; no other answer can have come inside the call.
        if head != nil { self.answerHead.giveBack() }
        guard !ends else { return }
        self.runs.removeAll(keepingCapacity: true)
        self.staged.removeAll(keepingCapacity: true)
        if self.outputTokens >= self.reportedTokens + 16 {
            self.reportedTokens = self.outputTokens
            self.gateway.step(.progress(self.requestID, outputTokens: self.outputTokens))
        }
        let waiting = self.connection.stream.pendingBytes
        if waiting > 0, self.blockedSince == nil { self.blockedSince = self.gateway.loop.now }
        if waiting > self.gateway.core.options.relayBytesMax { self.upstream?.pause() }
    }

    func clientEnd(_ connection: ClientConnection) {
        self.upstream = nil
        self.record.times.lastByte = self.gateway.loop.now
        switch self.relay {
        case .collecting(let status): return self.endedBadly(status)
        case .held:
            // An answer without a body, a 204 or an empty 200.
            self.firstByte()
        case .none, .started: break
        }
        if self.isEventStream, !self.sawDone, !self.passesRaw, self.surface.endsWithDone,
            self.answerStatus == 200
        {
            // Half an event would spoil the error event behind it.
            self.pendingEvent.removeAll(keepingCapacity: true)
            return self.truncated()
        }
        if !self.pendingEvent.isEmpty { self.stagePending(upTo: self.pendingEvent.count) }
        self.endsNow = true
    }

    /// The engine ended the stream in good form but left out its end: the client must not take it
    /// for a whole answer.
    private func truncated() {
        self.flush()
        self.attemptFailed(.malformed)
    }

    func clientFailed(_ connection: ClientConnection, _ failure: ClientFailure) {
        self.upstream = nil
        guard self.isAdmitted else { return }
        self.record.times.lastByte = self.gateway.loop.now
        self.flush()
        switch failure {
        case .disconnected(responseStarted: false, fresh: false) where !self.hasRetriedFresh:
            self.retryFresh()
        default: self.attemptFailed(failure.asFailure)
        }
    }

    // MARK: Events

    /// Cuts a run of body bytes into events; each leaves as it came, but for what we added.
    private func takeEvents(_ bytes: UnsafeRawBufferPointer) {
        var rest = bytes
        if !self.pendingEvent.isEmpty {
            self.makeStaged()
            self.pendingEvent.append(contentsOf: rest)
            rest = UnsafeRawBufferPointer(start: nil, count: 0)
            self.takePendingEvents()
        } else {
            let span = rest.assumingMemoryBound(to: UInt8.self).span
            var start = 0
            var scanned = 0
            while let end = EventStream.eventEnd(span, from: start, scanned: &scanned) {
                let event = ByteRange(start: start, end: end)
                self.relayEvent(span, event) { range in
                    self.runs.append(
                        UnsafeRawBufferPointer(rebasing: rest[range.start..<range.end]))
                }
                start = end
            }
            if start < rest.count {
                self.pendingEvent.append(contentsOf: rest[start...])
                self.pendingScanned = 0
            }
        }
        if self.pendingEvent.count > Self.eventMax {
            self.makeStaged()
            self.stagePending(upTo: self.pendingEvent.count)
            self.passesRaw = true
        }
    }

    private func takePendingEvents() {
        var start = 0
        var kept: [ByteRange] = []
        let pending = self.pendingEvent
        while let end = EventStream.eventEnd(
            pending.span, from: start, scanned: &self.pendingScanned)
        {
            self.relayEvent(pending.span, ByteRange(start: start, end: end)) { kept.append($0) }
            start = end
        }
        for range in kept { self.staged.append(contentsOf: pending[range.start..<range.end]) }
        self.pendingEvent.removeFirst(start)
        self.pendingScanned -= start
    }

    /// Runs found so far in this read must leave before what is staged from here on.
    private func makeStaged() {
        for run in self.runs { self.staged.append(contentsOf: run) }
        self.runs.removeAll(keepingCapacity: true)
    }

    private func stagePending(upTo count: Int) {
        self.makeStaged()
        self.staged.append(contentsOf: self.pendingEvent[..<count])
        self.pendingEvent.removeAll(keepingCapacity: true)
        self.pendingScanned = 0
    }

    /// Reads one event and hands on the ranges of it that the client shall see.
    private func relayEvent(
        _ span: Span<UInt8>, _ event: ByteRange, _ keep: (ByteRange) -> Void
    ) {
        let kind =
            self.surface == .responses
            ? EventStream.classifyResponse(span, event)
            : EventStream.classify(span, event, tokenSeen: self.record.hasFirstToken)
        switch kind {
        case .token:
            self.outputTokens &+= 1
            if !self.record.hasFirstToken { self.firstToken() }
        case .usage(let usage):
            self.usage = usage
            if self.surface == .responses { self.sawDone = true }
            if self.addsUsage { return }
        case .done: self.sawDone = true
        case .error: self.sawError = true
        case .other: break
        }
        if self.addsUsage, let cut = EventStream.nullUsage(span, event) {
            keep(ByteRange(start: event.start, end: cut.start))
            keep(ByteRange(start: cut.end, end: event.end))
        } else {
            keep(event)
        }
    }

    // MARK: Ends

    var modelName: String { self.gateway.config.models[self.model.raw].spec.name }

    /// The whole answer has arrived: the ledger is settled and the record made.
    private func finish() {
        if self.usage == nil { self.usage = self.usageScanner.usage }
        self.record.outcome =
            self.sawError ? .failed(.engineError) : .completed(status: self.answerStatus)
        if self.isAdmitted, self.sawError {
            // Settled first: the client has its answer, whatever admission says of this.
            let failed = Event.attemptFailed(self.requestID, .serverError, beforeFirstByte: false)
            self.settle()
            return self.gateway.step(failed)
        }
        if self.isAdmitted { self.gateway.step(self.ending) }
        self.settle()
    }

    /// What admission is told of a whole answer.
    private var ending: Event {
        guard self.isServed else { return .declined(self.requestID) }
        let usage = self.usage.map {
            Usage(
                promptTokens: $0.promptTokens, outputTokens: $0.outputTokens,
                cachedTokens: $0.cachedTokens)
        }
        return .finish(self.requestID, usage: usage)
    }

    /// Whether the engine answers with what was asked for.
    private var isServed: Bool { self.answerStatus < 300 }

    /// An engine's 5xx has been read: another try, or the engine's own words for the client.
    private func endedBadly(_ status: Int) {
        let failure = EngineAdapter.failure(status: status, body: self.collected)
        self.attemptFailed(failure)
    }
}

extension Surface {
    /// Whether a whole stream ends in `[DONE]`.
    var endsWithDone: Bool {
        switch self {
        case .chatCompletions, .completions: true
        case .embeddings, .responses, .other: false
        }
    }
}
