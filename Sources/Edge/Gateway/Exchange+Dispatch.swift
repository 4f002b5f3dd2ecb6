import EventLoop
import HTTP
import RequestPath
import Time
import Wire

/// From admission's decision to bytes on the way to an engine.
extension Exchange {
    /// Carries out a dispatch: builds the engine's request and sends it.
    func send(_ dispatch: Dispatch) {
        let now = self.gateway.loop.readClock()
        self.dispatch = dispatch
        self.hasRetriedFresh = false
        // The first try starts clean already.
        if dispatch.attempt > 1 {
            self.resetAnswer()
            self.outputTokens = 0
            self.reportedTokens = 0
        }
        self.record.times.dispatched = now
        self.record.endpoint = dispatch.endpoint
        self.record.attempts = dispatch.attempt
        self.record.ladderStep = dispatch.ladderStep
        if dispatch.waited != .none { self.record.waited = dispatch.waited }
        // What must not be repeated never risks a kept connection that may be dead.
        self.transmit(fresh: !self.surface.isRetryable(stored: self.body.isStored))
    }

    /// Bodies up to this size are sent in one run with their head.
    private static let joinedBytesMax = 2048

    /// Sends the request over a kept or a fresh connection.
    private func transmit(fresh: Bool) {
        guard let endpoint = self.gateway.endpoint(self.dispatch.endpoint) else {
            return self.attemptFailed(.refused)
        }
        let upstream = endpoint.client.connection(fresh: fresh)
        self.upstream = upstream
        self.heardAt = self.gateway.loop.now
        self.transmit(self.dispatch, at: endpoint, over: upstream, handler: self)
    }

    /// Writes the request as `dispatch` says.
    func transmit(
        _ dispatch: Dispatch, at endpoint: EngineLink, over upstream: ClientConnection,
        handler: any ClientHandler
    ) {
        let raw = self.connection.buffer.bytes
        let range = self.connection.bodyRange
        let body = UnsafeRawBufferPointer(rebasing: raw[range.start..<range.end])
        let edits = self.edits(body, dispatch)
        let head = self.gateway.scratch
        head.removeAll()
        head.append(self.engineHead)
        head.append(endpoint.hostAndAuthorization)
        head.field("content-length", decimal: UInt64(edits.count(of: body.count)))
        head.append("\r\n")
        if edits.isEmpty, body.count <= Self.joinedBytesMax {
            // Copying a small body costs less than a second run in the system call.
            head.append(body)
            let none = UnsafeRawBufferPointer(start: nil, count: 0)
            self.write(head, none, edits, over: upstream, handler: handler)
        } else {
            self.write(head, body, edits, over: upstream, handler: handler)
        }
    }

    private func edits(_ body: UnsafeRawBufferPointer, _ dispatch: Dispatch) -> BodyEdits {
        var edits = BodyEdits()
        let span = body.assumingMemoryBound(to: UInt8.self).span
        let target = self.gateway.config.models[dispatch.model.raw]
        if let name = self.body.model, !span.equals(name, target.engineName) {
            edits.rename(self.body, to: target.engineName)
        }
        if let name = self.form?.model, !span.equals(name, target.engineName) {
            edits.rename(form: name, to: target.engineName)
        }
        if self.surface.needsUsageOption, target.tellsUsage {
            self.addsUsage = edits.askForUsage(self.body, span)
        }
        if let cap = dispatch.outputTokensCap {
            edits.cap(self.body, self.surface, tokens: cap, span)
        }
        return edits
    }

    private func write(
        _ head: HeadBuilder, _ body: UnsafeRawBufferPointer, _ edits: BodyEdits,
        over upstream: ClientConnection, handler: any ClientHandler
    ) {
        let capacity = 2 + 2 * edits.edits.count
        withUnsafeTemporaryAllocation(of: WriteBuffer.self, capacity: capacity) { out in
            var used = 0
            func add(_ bytes: UnsafeRawBufferPointer) {
                guard bytes.count > 0 else { return }
                out.initializeElement(at: used, to: WriteBuffer(bytes))
                used += 1
            }
            head.withBytes { add($0) }
            var from = 0
            for edit in edits.edits {
                add(UnsafeRawBufferPointer(rebasing: body[from..<edit.range.start]))
                // The edits outlive the write: their storage does not move in between.
                edit.bytes.withUnsafeBytes { add($0) }
                from = edit.range.end
            }
            add(UnsafeRawBufferPointer(rebasing: body[from...]))
            withExtendedLifetime(edits) {
                upstream.send(UnsafeMutableBufferPointer(rebasing: out[..<used]), handler: handler)
            }
        }
    }

    /// Tells admission that this try is over; it answers with another dispatch or a failure.
    func attemptFailed(_ failure: Failure) {
        if self.second != nil, self.isAdmitted {
            self.promoteSecond()
            return self.gateway.step(
                .attemptFailed(self.requestID, failure, beforeFirstByte: true))
        }
        self.dropUpstream()
        guard self.isAdmitted else { return }
        let before: Bool
        if case .started = self.relay { before = false } else { before = true }
        self.gateway.step(
            .attemptFailed(self.requestID, failure, beforeFirstByte: before))
    }

    /// A kept connection was dead when it was used: the engine never saw the request.
    func retryFresh() {
        self.hasRetriedFresh = true
        self.upstream = nil
        self.transmit(fresh: true)
    }
}

extension Span<UInt8> {
    /// Whether a range holds exactly `bytes`.
    func equals(_ range: ByteRange, _ bytes: [UInt8]) -> Bool {
        guard range.count == bytes.count else { return false }
        for index in 0..<bytes.count where self[range.start + index] != bytes[index] {
            return false
        }
        return true
    }
}
