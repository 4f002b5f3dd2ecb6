import EventLoop
import Budget
package import HTTP
import RequestPath
package import Wire

/// The server side: what is answered before, beside and instead of an engine.
extension GatewayLoop: ServerHandler {
    package func serverHead(_ connection: ServerConnection) -> Bool {
        let raw = connection.buffer.bytes
        let span = raw.assumingMemoryBound(to: UInt8.self).span
        let head = connection.head
        let exchange = self.exchange(of: connection)
        if let error = self.check(span, head) {
            self.reject(connection, error)
            return false
        }
        guard let tenant = self.tenant(head, raw, exchange: exchange) else {
            self.reject(
                connection,
                ErrorAnswer(
                    401, type: "authentication_error", code: "invalid_api_key",
                    "a valid key is needed: 'Authorization: Bearer plm_...'"))
            return false
        }
        exchange.tenant = tenant
        return true
    }

    /// What a head alone can be refused for.
    private func check(_ span: Span<UInt8>, _ head: RequestHead) -> ErrorAnswer? {
        switch head.method {
        case .connect:
            return ErrorAnswer(501, code: "not_implemented", "this is no forward proxy")
        case .post:
            if Surface.of(span, head.path(span)) == nil { return self.unknownPath(for: nil) }
        case .get, .head:
            guard let surface = Surface.of(span, head.path(span)), surface != .other else { break }
            return ErrorAnswer(405, code: "method_not_allowed", "use POST for this path")
        default:
            return ErrorAnswer(405, code: "method_not_allowed", "use POST, or GET /v1/models")
        }
        // A fragment is no part of a target (RFC 9112 3.2): some readers cut there.
        if Bytes.firstIndex(of: 0x23, in: span, from: head.target.start, to: head.target.end) != nil
        {
            return ErrorAnswer(400, code: "bad_request", "the request target has a '#'")
        }
        var types = 0
        var hopBytes = 0
        for field in head.table.fields {
            if field.known == .contentType { types += 1 }
            if field.known == .connection { hopBytes += field.value.count }
            switch field.known {
            case .contentType where types > 1:
                return ErrorAnswer(400, code: "bad_request", "Content-Type is repeated")
            case .connection where hopBytes > Self.hopBytesMax:
                return ErrorAnswer(
                    400, code: "bad_request", "the Connection fields are longer than 256 bytes")
            case .contentEncoding where !Bytes.equalsIgnoringCase(span, field.value, "identity"):
                return ErrorAnswer(
                    415, code: "unsupported_encoding", "send the body without Content-Encoding")
            case .expect where !Bytes.equalsIgnoringCase(span, field.value, "100-continue"):
                return ErrorAnswer(
                    417, code: "expectation_failed", "only 'Expect: 100-continue' is understood")
            case .contentType where head.method == .post:
                let isKnown =
                    Exchange.hasPrefix(span, field.value, "application/json")
                    || Exchange.hasPrefix(span, field.value, "multipart/form-data")
                if !isKnown {
                    return ErrorAnswer(
                        415, code: "unsupported_media_type", "send the body as application/json")
                }
            default: break
            }
        }
        return nil
    }

    /// Each field of a head is looked for in what `Connection` names.
    private static let hopBytesMax = 256

    package func serverRequest(_ connection: ServerConnection) {
        let exchange = self.exchange(of: connection)
        switch connection.head.method {
        case .post:
            self.began()
            exchange.arrive()
        default: self.answerGet(connection, tenant: exchange.tenant)
        }
    }

    package func serverFault(_ connection: ServerConnection, _ fault: WireFault) {
        if connection.isExchanging { return connection.close() }
        self.reject(
            connection, ErrorAnswer(fault.status, code: "bad_request", fault.message))
    }

    package func serverOverflow(_ connection: ServerConnection) {
        self.reject(
            connection,
            ErrorAnswer(
                503, type: "service_unavailable_error", code: "buffers_full",
                "this gateway holds as many request bodies as it may; retry after the time given",
                retryAfterNanos: 1_000_000_000, refused: "buffers_full"))
    }

    package func serverGone(_ connection: ServerConnection) {
        guard let exchange = connection.context as? Exchange, exchange.isAdmitted else { return }
        exchange.dropUpstream()
        exchange.record.outcome = .abandoned
        let id = exchange.requestID
        exchange.settle()
        self.step(.cancel(id))
    }

    package func serverClosed(_ connection: ServerConnection) {
        self.noteIdle()
        guard let exchange = connection.context as? Exchange else { return }
        self.free(exchange)
    }

    package func serverDrained(_ connection: ServerConnection) {
        guard let exchange = connection.context as? Exchange else { return }
        exchange.blockedSince = nil
        exchange.blockedBytes = .max
        exchange.heardAt = self.loop.now
        exchange.upstream?.resume()
    }

    /// Answers before admission, and counts it.
    private func reject(_ connection: ServerConnection, _ error: ErrorAnswer) {
        self.metrics.reject(error)
        connection.respond(
            status: error.status, fields: { error.appendFields($0) }, body: error.body)
    }

    // MARK: Models

    private func answerGet(_ connection: ServerConnection, tenant: TenantID) {
        let path = connection.buffer.withSpan { span in
            span.bytesToString(connection.head.path(span), max: 512)
        }
        let names = self.config.modelNames(for: tenant)
        var json = JSONText()
        if path == "/v1/models" {
            json.append("{\"object\":\"list\",\"data\":[")
            for (index, name) in names.enumerated() {
                if index > 0 { json.append(",") }
                Self.append(model: name, to: &json)
            }
            json.append("]}")
        } else if path.hasPrefix("/v1/models/"), names.contains(String(path.dropFirst(11))) {
            Self.append(model: String(path.dropFirst(11)), to: &json)
        } else {
            return self.reject(connection, self.unknownPath(for: tenant))
        }
        connection.respond(status: 200, body: json.bytes)
    }

    private static func append(model name: String, to json: inout JSONText) {
        json.append("{\"id\":")
        json.string(name)
        json.append(",\"object\":\"model\",\"created\":0,\"owned_by\":\"plimsoll\"}")
    }

    func unknownPath(for tenant: TenantID?) -> ErrorAnswer {
        ErrorAnswer(
            404, code: "unknown_url",
            "no such path; POST /v1/chat/completions, /v1/completions, /v1/embeddings or "
                + "/v1/responses with one of these models: " + self.list(for: tenant))
    }

    func unknownModel(_ name: String, for tenant: TenantID) -> ErrorAnswer {
        ErrorAnswer(
            404, code: "model_not_found",
            "the model '\(name)' does not exist; models here: " + self.list(for: tenant),
            param: "model")
    }

    private func list(for tenant: TenantID?) -> String {
        guard let tenant else { return "see GET /v1/models" }
        return self.config.modelNames(for: tenant).prefix(50).joined(separator: ", ")
    }
}

extension Exchange {
    /// No try is left: the engine's own words where it had some, else ours.
    func fail(_ failure: Failure) {
        let kind: FailureKind =
            switch failure {
            case .refused, .draining, .busy: .noEndpoint
            case .stalled: .stalled
            case .serverError: .engineError
            case .disconnected, .malformed:
                self.connection.hasStartedResponse ? .truncated : .badAnswer
            }
        if failure == .serverError, self.mayRelayCollected, !self.collected.isEmpty,
            !self.connection.hasStartedResponse
        {
            let body = self.collected
            let status = self.answerStatus
            let requestID = self.record.requestID
            self.record.outcome = .failed(kind)
            self.settle()
            self.connection.respond(
                status: status, contentType: nil,
                fields: { head in
                    head.append(self.answerHead)
                    head.append("x-request-id: ")
                    head.append(requestID)
                    head.append("\r\n")
                }, body: body)
            self.answerHead.giveBack()
            return
        }
        self.answer(.failure(failure, model: self.modelName), outcome: .failed(kind))
    }
}
