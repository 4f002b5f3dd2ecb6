package import EventLoop
package import Time
package import Wire

/// One client connection of an HTTP/1.1 server: one request at a time, pipelining in order.
package final class ServerConnection {
    private enum State {
        /// Waiting for the first byte of a request.
        case idle
        case readingHead
        case readingBody(headEnd: Int)
        case readingChunks(headEnd: Int, bodyEnd: Int, next: Int)
        /// The handler has the request; `used` bytes of the buffer belong to it.
        case exchanging(used: Int)
        /// The answer is out, the client may still be sending: its bytes are thrown away.
        case lingering
        case closed
    }

    package let server: HTTPServer
    package let stream: Stream
    /// The parsed head of the present request; valid inside `serverHead` and `serverRequest`.
    package let head: RequestHead
    /// What the handler keeps for this connection.
    package var context: AnyObject?
    /// When the present state has lasted too long.
    private(set) var deadline: Instant
    /// When it was accepted, or gave its last answer.
    private var idleSince: Instant
    /// When the loop had woken with the first byte of the present request there to be read.
    package private(set) var requestReady = Instant.zero
    /// When that byte was read.
    package private(set) var requestStart = Instant.zero
    /// When its last byte was read.
    package private(set) var requestEnd = Instant.zero
    /// Its body, inside `buffer`.
    package private(set) var bodyRange = ByteRange.empty
    /// Its head's length.
    package private(set) var headEnd = 0
    package let buffer: InboundBuffer
    /// Place in the server's table.
    var index = 0

    private var state = State.idle
    private var scanner = HeadScanner()
    private var chunks = ChunkedDecoder()
    private var isHTTP10 = false
    private var isHead = false
    private var keepAlive = true
    private var bodyBytesTaken = 0
    /// The response under way is sent chunked.
    private var isChunked = false
    private var responseStarted = false
    private var isParsing = false
    /// Bytes of answers that waited when the connection's time was last looked at.
    private var unsentBefore = Int.max

    init(_ stream: Stream, server: HTTPServer) {
        self.server = server
        self.stream = stream
        self.head = server.head
        self.buffer = InboundBuffer(pool: server.pool)
        self.idleSince = stream.loop.now
        self.deadline = stream.loop.now.advanced(byNanos: server.limits.headerNanosMax)
        stream.delegate = self
    }

    package var loop: Loop { self.stream.loop }

    /// Whether the handler holds a request of this connection.
    package var isExchanging: Bool {
        if case .exchanging = self.state { return true }
        return false
    }

    package var isClosed: Bool {
        if case .closed = self.state { return true }
        return false
    }

    // MARK: Answering

    /// Whether the response under way has begun to leave.
    package var hasStartedResponse: Bool { self.responseStarted }

    /// Sends a whole small answer. `fields` are complete lines, each with its CRLF; without a
    /// `contentType` they name it, or nobody does.
    ///
    /// Before the body has been read, the connection is closed behind the answer.
    package func respond(
        status: Int, contentType: StaticString? = "application/json",
        fields: (HeadBuilder) -> Void = { _ in }, body: [UInt8]
    ) {
        let bodyWasRead = self.isExchanging
        if !bodyWasRead { self.keepAlive = false }
        self.server.scratch.removeAll()
        self.server.scratch.statusLine(status)
        if let contentType { self.server.scratch.field("content-type", contentType) }
        self.server.scratch.field("content-length", decimal: UInt64(body.count))
        self.server.appendDate()
        if !self.keepAlive || self.server.isDraining {
            self.server.scratch.append("connection: close\r\n")
        } else if self.isHTTP10 {
            self.server.scratch.append("connection: keep-alive\r\n")
        }
        fields(self.server.scratch)
        self.server.scratch.append("\r\n")
        if !self.isHead { self.server.scratch.append(body) }
        self.responseStarted = true
        self.server.scratch.withBytes { self.stream.write($0) }
        self.finishExchange()
    }

    /// Adds the framing and connection fields of a streamed answer to a head under construction.
    ///
    /// `length`: of the body when known; otherwise it is sent chunked, or until the connection
    /// closes to an HTTP/1.0 client.
    package func appendFraming(_ head: HeadBuilder, length: UInt64?, hasBody: Bool = true) {
        self.isChunked = false
        if !hasBody {
            // A 204 or a 304 ends with its head (RFC 9110 8.6).
        } else if let length {
            head.field("content-length", decimal: length)
        } else if self.isHTTP10 {
            self.keepAlive = false
        } else {
            self.isChunked = true
            head.append("transfer-encoding: chunked\r\n")
        }
        if !self.keepAlive || self.server.isDraining {
            self.keepAlive = false
            head.append("connection: close\r\n")
        } else if self.isHTTP10 {
            head.append("connection: keep-alive\r\n")
        }
    }

    /// Sends what one turn produced in one call: a head (or nothing), body runs, and the end.
    package func send(head: HeadBuilder?, body: [UnsafeRawBufferPointer], ends: Bool) {
        self.responseStarted = true
        let piece = AnswerPiece(
            head: head, body: body, hasBody: !self.isHead, isChunked: self.isChunked, ends: ends)
        piece.write(to: self.stream, joiningIn: self.server.scratch)
        if ends { self.finishExchange() }
    }

    /// Ends a broken answer so that the client cannot take it for a whole one.
    package func abortResponse() {
        self.close(reset: true)
    }

    /// The connection is closed behind the answer under way.
    package func closeAfterResponse() {
        self.keepAlive = false
    }

    private func finishExchange() {
        self.giveBodyBytes()
        let used: Int
        if case .exchanging(let count) = self.state { used = count } else { used = -1 }
        self.responseStarted = false
        guard used >= 0, self.keepAlive, !self.server.isDraining else { return self.linger() }
        self.buffer.consume(used)
        self.scanner = HeadScanner()
        self.idleSince = self.loop.now
        self.deadline = self.idleSince.advanced(byNanos: self.server.limits.idleNanosMax)
        self.state = .idle
        self.resume()
    }

    /// Goes on to the connection's next request, unless its client leaves too many answers unread.
    private func resume() {
        guard self.stream.pendingBytes <= self.server.limits.unreadBytesMax else {
            return self.stream.readStop()
        }
        self.stream.readStart()
        // Inside a parse the loop there goes on with what was pipelined.
        if self.buffer.count > 0, !self.isParsing { self.parse() }
    }

    // MARK: Closing

    /// Stops sending, then reads and drops what the client still sends, for a moment.
    private func linger() {
        guard !self.isClosed else { return }
        self.buffer.giveBack()
        self.state = .lingering
        self.deadline = self.loop.now.advanced(byNanos: self.server.limits.lingerNanos)
        self.stream.shutdownWrite()
        self.stream.readStart()
    }

    /// Closes at once.
    package func close(reset: Bool = false) {
        guard !self.isClosed else { return }
        self.giveBodyBytes()
        self.state = .closed
        if reset { self.stream.reset() } else { self.stream.close() }
        self.buffer.giveBack()
        self.server.forget(self)
    }

    /// Called by the server's sweep when `deadline` has passed.
    func timedOut() {
        switch self.state {
        case .exchanging, .closed: break
        case .idle where self.isTaking, .lingering where self.isTaking:
            // A slow client is not an idle one: its answer is not cut while it reads.
            self.unsentBefore = self.stream.unsentBytes
            self.deadline = self.loop.now.advanced(byNanos: self.server.limits.writeNanosMax)
        // A 408 would be retried by SDKs at once: closing says the same without the invitation.
        default: self.close()
        }
    }

    /// Whether the client has taken some of what waits for it since the last look.
    private var isTaking: Bool {
        let unsent = self.stream.unsentBytes
        return unsent > 0 && unsent < self.unsentBefore
    }

    /// Whether the sweep may time this connection out now.
    var isTimed: Bool { !self.isExchanging }

    /// Since when a head has been awaited; `nil` while there is a request, or an answer to leave.
    var waitsSince: Instant? {
        switch self.state {
        case .idle: self.stream.unsentBytes == 0 ? self.idleSince : nil
        case .readingHead: self.requestStart
        default: nil
        }
    }

    /// Closes a connection that waits for its next request; for draining. A request that has come
    /// and was not read yet is served: it was accepted by then.
    func closeIfIdle() {
        guard case .idle = self.state, !self.stream.hasUnreadBytes else { return }
        // An answer that still waits to leave is not cut.
        if self.stream.unsentBytes > 0 { self.linger() } else { self.close() }
    }

    private func giveBodyBytes() {
        if self.bodyBytesTaken > 0 { self.server.buffered.give(self.bodyBytesTaken) }
        self.bodyBytesTaken = 0
    }

    // MARK: Reading

    /// Parses as far as the bytes go; a handler that answers at once is followed by the next
    /// request.
    private func parse() {
        self.isParsing = true
        defer { self.isParsing = false }
        while self.buffer.count > 0 {
            let before = self.buffer.count
            switch self.state {
            case .idle:
                if self.stream.pendingBytes > self.server.limits.unreadBytesMax { return }
                self.requestReady = self.loop.wokeAt
                self.requestStart = self.loop.now
                self.deadline = self.loop.now.advanced(byNanos: self.server.limits.headerNanosMax)
                self.state = .readingHead
                continue
            case .readingHead:
                do {
                    guard try self.parseHead() else { return }
                } catch {
                    return self.refuse(error)
                }
            case .readingBody(let headEnd):
                guard self.buffer.count >= self.bodyRange.end else { return }
                self.bodyComplete(headEnd: headEnd, reparse: true)
            case .readingChunks:
                do {
                    guard try self.parseChunks() else { return }
                } catch {
                    return self.refuse(error)
                }
            case .exchanging, .closed: return
            case .lingering:
                self.buffer.giveBack()
                return
            }
            if case .idle = self.state, self.buffer.count == before { return }
        }
    }

    /// Returns whether there is more to parse.
    private func parseHead() throws(WireFault) -> Bool {
        let limits = self.server.limits.head
        let end = try self.buffer.withSpan { span throws(WireFault) in
            try self.scanner.headEnd(in: span, limits: limits)
        }
        guard let end else { return false }
        try self.buffer.withSpan { span throws(WireFault) in
            try self.head.parse(span, end: end, limits: limits)
        }
        self.isHTTP10 = self.head.minorVersion == 0
        self.isHead = self.head.method == .head
        self.keepAlive = self.head.keepAlive
        self.headEnd = end
        guard self.server.handler.serverHead(self) else {
            // Answered already: what the client may still send is not read as a request.
            return false
        }
        let framing = self.head.framing
        switch framing {
        case .none, .untilClose:
            self.bodyRange = ByteRange(start: end, end: end)
            self.bodyComplete(headEnd: end, reparse: false)
        case .length(let length):
            guard length <= UInt64(self.server.limits.bodyBytesMax) else { throw .bodyTooLarge }
            self.bodyRange = ByteRange(start: end, end: end + Int(length))
            if self.buffer.count >= self.bodyRange.end {
                self.bodyComplete(headEnd: end, reparse: false)
                return true
            }
            // Booked as it comes: a length alone must not keep others out.
            guard self.takeBodyBytes(self.buffer.count - end) else { return false }
            self.state = .readingBody(headEnd: end)
            self.awaitBody()
        case .chunked:
            self.chunks = ChunkedDecoder()
            self.state = .readingChunks(headEnd: end, bodyEnd: end, next: end)
            self.awaitBody()
        }
        return true
    }

    private func awaitBody() {
        self.extendBodyDeadline()
        if self.head.expectsContinue {
            self.stream.write(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8))
        }
    }

    /// Decodes chunks in place: the decoded bytes follow the head without gaps.
    private func parseChunks() throws(WireFault) -> Bool {
        guard case .readingChunks(let headEnd, var bodyEnd, var next) = self.state else {
            return false
        }
        while true {
            let event = try self.buffer.withSpan { span throws(WireFault) in
                try self.chunks.next(span, at: &next)
            }
            switch event {
            case .data(let range):
                guard bodyEnd + range.count - headEnd <= self.server.limits.bodyBytesMax else {
                    throw .bodyTooLarge
                }
                guard self.takeBodyBytes(range.count) else { return false }
                let bytes = self.buffer.mutableBytes
                if let base = bytes.baseAddress, bodyEnd != range.start {
                    (base + bodyEnd).copyMemory(from: base + range.start, byteCount: range.count)
                }
                bodyEnd += range.count
            case .needMore:
                // Framing bytes are squeezed out, so that a buffer holds no more than the body.
                self.buffer.close(gapFrom: bodyEnd, upTo: next)
                self.state = .readingChunks(headEnd: headEnd, bodyEnd: bodyEnd, next: bodyEnd)
                return false
            case .end(let end):
                self.buffer.close(gapFrom: bodyEnd, upTo: end)
                self.bodyRange = ByteRange(start: headEnd, end: bodyEnd)
                self.bodyComplete(headEnd: headEnd, reparse: true)
                return true
            }
        }
    }

    /// A body may pause for so long, and on the whole must come at the least rate.
    private func extendBodyDeadline() {
        let limits = self.server.limits
        let whole = UInt64(self.buffer.count) * (1_000_000_000 / limits.bodyBytesPerSecondMin)
        self.deadline = min(
            self.loop.now.advanced(byNanos: limits.bodyNanosMax),
            self.requestStart.advanced(byNanos: limits.bodyNanosMax + whole))
    }

    private func takeBodyBytes(_ count: Int) -> Bool {
        if self.server.buffered.take(count) {
            self.bodyBytesTaken += count
            return true
        }
        self.server.handler.serverOverflow(self)
        return false
    }

    /// `reparse`: other requests may have used the loop's head since this one's was parsed.
    private func bodyComplete(headEnd: Int, reparse: Bool) {
        self.requestEnd = self.loop.now
        self.state = .exchanging(used: self.bodyRange.end)
        if reparse {
            do {
                try self.buffer.withSpan { span throws(WireFault) in
                    try self.head.parse(span, end: headEnd, limits: self.server.limits.head)
                }
            } catch {
                return self.refuse(error)
            }
        }
        self.server.handler.serverRequest(self)
    }

    private func refuse(_ fault: WireFault) {
        self.keepAlive = false
        self.isHead = false
        self.server.handler.serverFault(self, fault)
    }
}

extension ServerConnection: StreamDelegate {
    package func streamConnected(_ stream: Stream) {}

    package func streamBuffer(_ stream: Stream) -> UnsafeMutableRawBufferPointer {
        if case .readingBody = self.state {
            // Doubling up to the whole body: a length alone must not make memory.
            let missing = self.bodyRange.end - self.buffer.count
            let step = min(missing, max(self.buffer.count, InboundBuffer.blockBytes))
            return self.buffer.freeSpace(minimum: max(1, step))
        }
        return self.buffer.freeSpace()
    }

    package func streamRead(_ stream: Stream, count: Int) {
        if case .lingering = self.state { return }
        self.buffer.didRead(count)
        switch self.state {
        case .exchanging(let used):
            // Enough to see the client go; more than this waits in the kernel.
            if self.buffer.count - used > self.server.limits.pipelinedBytesMax {
                self.stream.readStop()
            }
        case .readingBody:
            guard self.takeBodyBytes(count) else { return }
            self.extendBodyDeadline()
            self.parse()
        case .readingChunks:
            self.extendBodyDeadline()
            self.parse()
        default:
            self.parse()
        }
    }

    package func streamEnded(_ stream: Stream, _ error: StreamError?) {
        let wasExchanging = self.isExchanging
        self.giveBodyBytes()
        self.state = .closed
        if wasExchanging { self.server.handler.serverGone(self) }
        self.server.forget(self)
        self.buffer.giveBack()
    }

    package func streamDrained(_ stream: Stream) {
        switch self.state {
        case .exchanging: self.server.handler.serverDrained(self)
        case .idle: self.resume()
        case .lingering:
            self.deadline = self.loop.now.advanced(byNanos: self.server.limits.lingerNanos)
        default: break
        }
        self.unsentBefore = Int.max
    }
}
