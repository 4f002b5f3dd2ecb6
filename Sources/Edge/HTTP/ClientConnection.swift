package import EventLoop
package import Time
package import Wire

/// What a client does with the answer to its request. Called on the loop's thread.
package protocol ClientHandler: AnyObject {
    /// The final response head has been read; `head` is valid inside the call.
    func clientHead(_ connection: ClientConnection, _ head: ResponseHead, _ bytes: Span<UInt8>)
    /// Body bytes, decoded; valid until `clientFlush` returns.
    func clientBody(_ connection: ClientConnection, _ bytes: UnsafeRawBufferPointer)
    /// Everything of one read has been told; what it produced can leave now.
    func clientFlush(_ connection: ClientConnection)
    /// The response is complete. The connection is free again, or closed.
    func clientEnd(_ connection: ClientConnection)
    /// The request failed; the connection is closed.
    func clientFailed(_ connection: ClientConnection, _ failure: ClientFailure)
}

/// Why a request did not get its whole response.
package enum ClientFailure: Equatable {
    /// No connection could be made.
    case connect(StreamError)
    /// The connection ended before the response did. `fresh`: it was not a reused one.
    case disconnected(responseStarted: Bool, fresh: Bool)
    /// The response broke the protocol.
    case malformed(WireFault)
}

/// One connection to an HTTP/1.1 server, used for one request at a time and kept between them.
package final class ClientConnection {
    private enum State {
        case connecting, idle, awaitingHead, readingBody, closed
    }

    package let endpoint: ClientEndpoint
    package private(set) var stream: Stream?
    /// The request under way; `nil` while the connection is idle.
    package var handler: (any ClientHandler)?
    /// When the last bytes of the request were given to the kernel; `nil` while some of it waits.
    package private(set) var requestWrittenAt: Instant?
    /// Requests sent over this connection.
    package private(set) var requestsSent = 0
    private let loop: Loop
    private var state = State.connecting
    private var pendingRequest: [UInt8] = []
    private var toHead = false
    private var scanner = HeadScanner()
    private var chunks = ChunkedDecoder()
    private var framing = BodyFraming.none
    private var remaining: UInt64 = 0
    private var keepAlive = true
    private var responseStarted = false
    /// The response that has just ended was followed by bytes that nobody asked for.
    private var hasSurplus = false
    /// A response head that came in pieces.
    private var partial: [UInt8] = []
    var idleSince = Instant.zero
    /// When it began to connect.
    let startedAt: Instant

    /// Starts to connect; requests sent before that is done wait.
    package init(_ loop: Loop, endpoint: ClientEndpoint) {
        self.loop = loop
        self.endpoint = endpoint
        self.startedAt = loop.now
        let stream = Stream(loop, delegate: self)
        self.stream = stream
        if let context = endpoint.tls {
            do {
                stream.tls = try TLSSession(context, host: endpoint.host)
            } catch {
                // Without a session nothing may leave: what was meant for TLS is not sent plainly.
                stream.fail(error)
                return
            }
        }
        endpoint.connecting(self)
        stream.connect(to: endpoint.address)
    }

    deinit {
        // The stream does not retain its delegate.
        self.stream?.close()
    }

    package var isClosed: Bool {
        if case .closed = self.state { return true }
        return false
    }

    /// Sends one request. `toHead`: its method is HEAD.
    package func send(
        _ request: UnsafeMutableBufferPointer<WriteBuffer>, toHead: Bool = false,
        handler: any ClientHandler
    ) {
        self.handler = handler
        self.toHead = toHead
        self.responseStarted = false
        self.requestWrittenAt = nil
        self.requestsSent += 1
        if case .connecting = self.state {
            for buffer in request { self.pendingRequest.append(contentsOf: buffer.bytes) }
            return
        }
        self.state = .awaitingHead
        self.scanner = HeadScanner()
        // The answer before this one may have been held back to its end.
        self.resume()
        let before = self.loop.readClock()
        self.stream?.write(request)
        self.noteWritten(before)
    }

    /// What the kernel did not take at once is noted when the stream has drained. A peer may answer
    /// before the call that wrote returns: the instant before it counts.
    private func noteWritten(_ instant: Instant) {
        if self.stream?.pendingBytes == 0 { self.requestWrittenAt = instant }
    }

    /// Holds the response back while its reader is slow.
    package func pause() { self.stream?.readStop() }

    /// Lets the response flow again.
    package func resume() { self.stream?.readStart() }

    /// Closes at once; the handler is not told.
    package func close() {
        guard !self.isClosed else { return }
        self.state = .closed
        self.handler = nil
        self.stream?.close()
        self.stream = nil
        self.endpoint.forget(self)
    }

    // MARK: Parsing

    private func take(_ bytes: Span<UInt8>) {
        var offset = 0
        while offset < bytes.count, !self.isClosed {
            switch self.state {
            case .awaitingHead:
                guard let used = self.takeHead(bytes, from: offset) else { return }
                offset = used
            case .readingBody:
                guard let used = self.takeBody(bytes, from: offset) else { return }
                offset = used
            default:
                // Bytes that nobody asked for: the connection cannot be trusted any more.
                return self.close()
            }
        }
    }

    /// Returns where the body starts, or `nil` when the bytes are used up or the connection broke.
    private func takeHead(_ bytes: Span<UInt8>, from offset: Int) -> Int? {
        self.responseStarted = true
        let limits = self.endpoint.headLimits
        do throws(WireFault) {
            let head = bytes.extracting(offset...)
            if self.partial.isEmpty {
                guard let end = try self.scanner.headEnd(in: head, limits: limits) else {
                    for index in 0..<head.count { self.partial.append(head[index]) }
                    return nil
                }
                self.hasSurplus = end < head.count
                try self.headComplete(head, end: end)
                return offset + end
            }
            let before = self.partial.count
            for index in 0..<head.count { self.partial.append(head[index]) }
            let whole = self.partial
            guard let end = try self.scanner.headEnd(in: whole.span, limits: limits) else {
                return nil
            }
            self.partial = []
            self.hasSurplus = end < whole.count
            try self.headComplete(whole.span, end: end)
            return offset + end - before
        } catch {
            self.fail(.malformed(error))
            return nil
        }
    }

    private func headComplete(_ bytes: Span<UInt8>, end: Int) throws(WireFault) {
        try self.endpoint.head.parse(
            bytes, end: end, toHead: self.toHead, limits: self.endpoint.headLimits)
        let head = self.endpoint.head
        self.scanner = HeadScanner()
        // Interim responses announce the final one; 101 was never asked for.
        if head.status < 200 {
            guard head.status != 101 else { throw .badStatusLine }
            return
        }
        self.framing = head.framing
        self.keepAlive = head.keepAlive
        self.state = .readingBody
        self.handler?.clientHead(self, head, bytes)
        guard !self.isClosed else { return }
        switch self.framing {
        case .none: self.complete()
        case .length(let length):
            self.remaining = length
            if length == 0 { self.complete() }
        case .chunked: self.chunks = ChunkedDecoder()
        case .untilClose: break
        }
    }

    private func takeBody(_ bytes: Span<UInt8>, from start: Int) -> Int? {
        var offset = start
        switch self.framing {
        case .none: return offset
        case .untilClose:
            self.deliver(bytes, ByteRange(start: offset, end: bytes.count))
            return bytes.count
        case .length:
            let count = Int(min(self.remaining, UInt64(bytes.count - offset)))
            self.remaining -= UInt64(count)
            self.deliver(bytes, ByteRange(start: offset, end: offset + count))
            self.hasSurplus = offset + count < bytes.count
            if self.remaining == 0, !self.isClosed { self.complete() }
            return offset + count
        case .chunked:
            do throws(WireFault) {
                while !self.isClosed {
                    switch try self.chunks.next(bytes, at: &offset) {
                    case .data(let range): self.deliver(bytes, range)
                    case .needMore: return bytes.count
                    case .end(let end):
                        self.hasSurplus = end < bytes.count
                        self.complete()
                        return end
                    }
                }
            } catch {
                self.fail(.malformed(error))
            }
            return nil
        }
    }

    private func deliver(_ bytes: Span<UInt8>, _ range: ByteRange) {
        guard range.count > 0 else { return }
        bytes.withUnsafeBytes { raw in
            self.handler?.clientBody(
                self, UnsafeRawBufferPointer(rebasing: raw[range.start..<range.end]))
        }
    }

    private func complete() {
        guard let handler = self.handler else { return }
        self.handler = nil
        self.state = .idle
        // Bytes behind a response would be taken for the next one, and what is unsent of a request
        // that was answered early for the next one's: such a connection is not kept.
        if self.keepAlive, !self.hasSurplus, self.stream?.pendingBytes == 0 {
            self.endpoint.giveBack(self)
        } else {
            self.close()
        }
        handler.clientEnd(self)
    }

    /// It could not be made in time.
    func connectTimedOut() {
        self.fail(.connect(StreamError(code: .timedOut, message: "no connection in time")))
    }

    private func fail(_ failure: ClientFailure) {
        guard !self.isClosed else { return }
        let handler = self.handler
        self.close()
        handler?.clientFailed(self, failure)
    }
}

extension ClientConnection: StreamDelegate {
    package func streamConnected(_ stream: Stream) {
        self.endpoint.connected(self)
        stream.readStart()
        if self.handler == nil {
            self.state = .idle
            return
        }
        self.state = .awaitingHead
        let request = self.pendingRequest
        self.pendingRequest = []
        let before = self.loop.readClock()
        stream.write(request)
        self.noteWritten(before)
    }

    package func streamBuffer(_ stream: Stream) -> UnsafeMutableRawBufferPointer {
        stream.loop.discard
    }

    package func streamRead(_ stream: Stream, count: Int) {
        let raw = UnsafeRawBufferPointer(rebasing: stream.loop.discard[..<count])
        // Whoever has the request when the read starts flushes what the read brought.
        let handler = self.handler
        self.take(raw.assumingMemoryBound(to: UInt8.self).span)
        handler?.clientFlush(self)
    }

    package func streamEnded(_ stream: Stream, _ error: StreamError?) {
        guard !self.isClosed else { return }
        let wasConnecting: Bool
        if case .connecting = self.state { wasConnecting = true } else { wasConnecting = false }
        if case .readingBody = self.state, self.framing == .untilClose, error == nil {
            self.keepAlive = false
            let handler = self.handler
            self.complete()
            handler?.clientFlush(self)
            return
        }
        if wasConnecting {
            let cause = error ?? StreamError(code: .reset, message: "closed while connecting")
            return self.fail(.connect(cause))
        }
        self.fail(
            .disconnected(responseStarted: self.responseStarted, fresh: self.requestsSent <= 1))
    }

    package func streamDrained(_ stream: Stream) { self.noteWritten(self.loop.now) }
}
