import EventLoop
import Budget
import Config
import HTTP
import RequestPath
import Time
import Wire

/// From a whole request to admission: surface, body, identity, class, deadline.
extension Exchange {
    /// Takes the request that has just been read.
    func arrive() {
        self.begin()
        let raw = self.connection.buffer.bytes
        let span = raw.assumingMemoryBound(to: UInt8.self).span
        let head = self.connection.head
        self.takeRequestID(raw, head)
        if let error = self.parse(raw, span, head) {
            return self.answer(error, outcome: .rejected(status: error.status))
        }
        self.record.times.parsed = self.gateway.loop.readClock()
        var arrival: Arrival
        switch self.identify(raw, span, head) {
        case .refused(let error):
            return self.answer(error, outcome: .rejected(status: error.status))
        case .accepted(let made): arrival = made
        }
        arrival.bodyBytes = UInt32(clamping: self.connection.bodyRange.count)
        arrival.choices = UInt32(clamping: self.body.choices)
        arrival.prefixHashes = self.body.blockHashes
        arrival.prefixBlockTokens = UInt32(RequestBody.blockBytes / 4)
        self.buildEngineHead(raw, span, head)
        self.record.times.identified = self.gateway.loop.readClock()
        self.record.times.admitted = self.record.times.identified
        self.isAdmitted = true
        self.gateway.step(.arrive(arrival))
    }

    private enum Identified {
        case accepted(Arrival)
        case refused(ErrorAnswer)
    }

    /// Keeps the client's `x-request-id` or makes one.
    private func takeRequestID(_ raw: UnsafeRawBufferPointer, _ head: RequestHead) {
        if let field = head.table.first(.requestID), field.value.count > 0,
            field.value.count <= 128
        {
            self.record.requestID.append(contentsOf: raw[field.value.start..<field.value.end])
            return
        }
        self.gateway.appendFreshID(to: &self.record.requestID)
    }

    /// Finds the surface and scans the body.
    private func parse(
        _ raw: UnsafeRawBufferPointer, _ span: Span<UInt8>, _ head: RequestHead
    ) -> ErrorAnswer? {
        guard let surface = Surface.of(span, head.path(span)) else {
            return self.gateway.unknownPath(for: self.tenant)
        }
        self.surface = surface
        self.form = nil
        self.record.requestBytes = self.connection.bodyRange.count
        let range = self.connection.bodyRange
        let bytes = UnsafeRawBufferPointer(rebasing: raw[range.start..<range.end])
        if let type = head.table.first(.contentType),
            Self.hasPrefix(span, type.value, "multipart/form-data")
        {
            guard surface == .other else {
                return ErrorAnswer(
                    415, code: "unsupported_media_type", "send this request as application/json")
            }
            return self.parseMultipart(span, type.value, range)
        }
        do throws(RequestBody.Fault) {
            try self.gateway.scanner.scan(bytes, into: self.body)
        } catch {
            return ErrorAnswer(
                400, code: "invalid_body", error.message, param: error.field)
        }
        guard let model = self.body.model, model.count > 0 else {
            return surface == .other
                ? self.gateway.unknownPath(for: self.tenant)
                : ErrorAnswer(
                    400, code: "missing_model", "the field 'model' is missing", param: "model")
        }
        return self.findModel(
            span, ByteRange(start: range.start + model.start, end: range.start + model.end))
    }

    /// The `model` part of a multipart form; all else of the form is relayed unchanged.
    private func parseMultipart(
        _ span: Span<UInt8>, _ type: ByteRange, _ range: ByteRange
    ) -> ErrorAnswer? {
        self.body.reset()
        guard var form = MultipartForm.read(span, contentType: type, body: range) else {
            return ErrorAnswer(
                400, code: "invalid_body",
                "the form is broken or has more than one field 'model'", param: "model")
        }
        guard let name = form.model else { return self.gateway.unknownPath(for: self.tenant) }
        form.model = ByteRange(start: name.start - range.start, end: name.end - range.start)
        self.form = form
        return self.findModel(span, name)
    }

    private func findModel(_ span: Span<UInt8>, _ name: ByteRange) -> ErrorAnswer? {
        guard let model = self.gateway.config.model(span, name) else {
            return self.gateway.unknownModel(
                span.bytesToString(name, max: 100), for: self.tenant)
        }
        self.model = model
        self.record.model = model
        return nil
    }

    /// Class, deadline and grants; the key itself was verified before the body was read.
    private func identify(
        _ raw: UnsafeRawBufferPointer, _ span: Span<UInt8>, _ head: RequestHead
    ) -> Identified {
        let model = self.gateway.config.models[self.model.raw]
        let grant = self.gateway.config.grant(self.tenant, self.model)
        guard grant.isAllowed else {
            return .refused(
                ErrorAnswer(
                    403, type: "permission_error", code: "model_not_allowed",
                    "this key may not use model '\(model.spec.name)'", param: "model"))
        }
        var classIndex = model.defaultClassIndex
        var deadlineNanos: UInt64?
        var isRetry = false
        for field in head.table.fields {
            switch field.known {
            case .plimsollClass:
                let name = span.bytesToString(field.value, max: 100)
                guard let index = model.spec.classIndex(named: name) else {
                    return .refused(
                        ErrorAnswer(
                            400, code: "unknown_class",
                            "x-plimsoll-class: model '\(model.spec.name)' has no class "
                                + "'\(name)'; it has "
                                + model.spec.classes.map { $0.name }.joined(separator: ", ")))
                }
                classIndex = index
            case .plimsollDeadline:
                guard let millis = Bytes.decimal(span, field.value), millis > 0,
                    millis < 1_000_000_000
                else {
                    return .refused(
                        ErrorAnswer(
                            400, code: "invalid_deadline",
                            "x-plimsoll-deadline-ms is a positive number of milliseconds"))
                }
                deadlineNanos = millis * 1_000_000
            case .retryCount:
                isRetry = (Bytes.decimal(span, field.value) ?? 0) > 0
            default: break
            }
        }
        // Lower or shorter only: a header never raises what the tenant was given.
        classIndex = max(classIndex, grant.classCeiling)
        self.record.classIndex = classIndex
        self.record.isRetry = isRetry
        self.record.isStreaming = self.body.isStreaming
        var arrival = Arrival(
            request: self.requestID, model: self.model, tenant: self.tenant,
            classIndex: classIndex, promptBytes: self.promptBytes,
            promptTokensExact: self.body.promptIDs > 0 ? self.body.promptIDs : nil,
            images: UInt16(clamping: self.form?.files ?? Int(self.body.images)),
            outputTokensMax: self.outputTokensMax, deadlineNanos: deadlineNanos,
            cappable: self.isCappable,
            retryable: self.surface.isRetryable(stored: self.body.isStored),
            streams: self.body.isStreaming, promptHash: self.body.promptHash)
        arrival.isRetry = isRetry
        return .accepted(arrival)
    }

    /// Of all choices together; a client may write any two numbers.
    private var outputTokensMax: UInt32? {
        guard let each = self.body.outputTokensMax else { return nil }
        let (all, overflow) = each.multipliedReportingOverflow(by: self.body.choices)
        return overflow ? .max : UInt32(clamping: all)
    }

    private var promptBytes: UInt32 {
        if let form = self.form { return UInt32(clamping: form.textBytes) }
        // A surface without a known prompt is sized by its whole body.
        return self.surface == .other && !self.body.hasMessages
            ? UInt32(clamping: self.connection.bodyRange.count) : self.body.promptBytes
    }

    private var isCappable: Bool {
        self.surface.limitField != nil && !self.body.hasTools && !self.body.hasResponseFormat
    }

    /// Copies what may pass on: not the client's credential, not what is ours, nothing hop-by-hop.
    private func buildEngineHead(
        _ raw: UnsafeRawBufferPointer, _ span: Span<UInt8>, _ head: RequestHead
    ) {
        self.engineHead.removeAll()
        self.engineHead.append(
            UnsafeRawBufferPointer(rebasing: raw[head.methodRange.start..<head.methodRange.end]))
        self.engineHead.append(" ")
        self.engineHead.append(
            UnsafeRawBufferPointer(rebasing: raw[head.target.start..<head.target.end]))
        self.engineHead.append(" HTTP/1.1\r\n")
        let namesHops = span.namesHops(head.table)
        for field in head.table.fields where Self.isForwarded(field.known) {
            if namesHops, field.known == .other, span.namesHop(field.name, head.table) { continue }
            self.engineHead.field(raw, field)
        }
        self.engineHead.append("accept-encoding: identity\r\nx-request-id: ")
        self.engineHead.append(self.record.requestID)
        self.engineHead.append("\r\n")
    }

    private static func isForwarded(_ field: KnownField) -> Bool {
        switch field {
        case .other, .contentType, .retryCount, .retryAfter: true
        default: false
        }
    }

    static func hasPrefix(
        _ span: Span<UInt8>, _ range: ByteRange, _ literal: StaticString
    ) -> Bool {
        let count = literal.utf8CodeUnitCount
        guard range.count >= count else { return false }
        return Bytes.equalsIgnoringCase(
            span, ByteRange(start: range.start, end: range.start + count), literal)
    }
}

extension Span<UInt8> {
    /// The text of a range, for messages; cut at `max` bytes.
    func bytesToString(_ range: ByteRange, max: Int) -> String {
        var bytes: [UInt8] = []
        for index in range.start..<Swift.min(range.end, range.start + max) {
            bytes.append(self[index])
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Whether a `Connection` field may name others: most say one of two words, or nothing.
    func namesHops(_ table: FieldTable) -> Bool {
        table.fields.contains {
            $0.known == .connection && !Bytes.equalsIgnoringCase(self, $0.value, "keep-alive")
                && !Bytes.equalsIgnoringCase(self, $0.value, "close")
        }
    }

    /// Whether any `Connection` field names the field `name`.
    func namesHop(_ name: ByteRange, _ table: FieldTable) -> Bool {
        for field in table.fields where field.known == .connection {
            if self.listNames(name, in: field.value) { return true }
        }
        return false
    }

    /// Whether the name in `name` is a member of the `Connection` list in `list` (RFC 9110 7.6.1).
    func listNames(_ name: ByteRange, in list: ByteRange) -> Bool {
        var start = list.start
        while start < list.end {
            var end = start
            while end < list.end, self[end] != 0x2C { end += 1 }
            let member = Bytes.trimmed(self, ByteRange(start: start, end: end))
            if member.count == name.count {
                var index = 0
                while index < name.count,
                    self[member.start + index] | 0x20 == self[name.start + index] | 0x20
                {
                    index += 1
                }
                if index == name.count { return true }
            }
            start = end + 1
        }
        return false
    }
}
