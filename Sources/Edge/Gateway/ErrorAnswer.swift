package import HTTP
import RequestPath

/// An OpenAI-shaped error: status, type, code and words for a person.
package struct ErrorAnswer {
    package var status: Int
    package var type: String
    package var code: String
    package var message: String
    package var param: String?
    /// Measured wait in nanoseconds; written as `Retry-After` and `retry-after-ms`.
    package var retryAfterNanos: UInt64?
    /// Bounded label for `x-plimsoll-refused`, metrics and logs.
    package var refused: String?

    package init(
        _ status: Int, type: String = "invalid_request_error", code: String, _ message: String,
        param: String? = nil, retryAfterNanos: UInt64? = nil, refused: String? = nil
    ) {
        self.status = status
        self.type = type
        self.code = code
        self.message = message
        self.param = param
        self.retryAfterNanos = retryAfterNanos
        self.refused = refused
    }

    /// The JSON body.
    package var body: [UInt8] {
        var json = JSONText()
        json.append("{\"error\":{\"message\":")
        json.string(self.message)
        json.append(",\"type\":")
        json.string(self.type)
        json.append(",\"param\":")
        if let param = self.param { json.string(param) } else { json.append("null") }
        json.append(",\"code\":")
        json.string(self.code)
        json.append("}}")
        return json.bytes
    }

    /// Adds the headers that tell a client when to come back.
    package func appendFields(_ head: HeadBuilder) {
        if let refused = self.refused { head.field("x-plimsoll-refused", text: refused) }
        if self.status == 405 { head.field("allow", "POST") }
        if self.status == 401 { head.field("www-authenticate", "Bearer") }
        guard let nanos = self.retryAfterNanos else { return }
        let millis = max(1, nanos / 1_000_000)
        head.field("retry-after", decimal: max(1, (millis + 999) / 1000))
        head.field("retry-after-ms", decimal: millis)
        // SDKs cap what they obey at a minute: beyond that a retry would come too early.
        if millis > 60_000 { head.field("x-should-retry", "false") }
    }

    /// The answer to a refusal by admission.
    static func refusal(_ refusal: Refusal, model: String) -> ErrorAnswer {
        let reason = refusal.reason
        let status = reason == .tooLong ? 400 : reason.isContention ? 429 : 503
        let type =
            status == 429
            ? "rate_limit_error"
            : status == 503 ? "service_unavailable_error" : "invalid_request_error"
        return ErrorAnswer(
            status, type: type, code: reason.label, reason.message(model: model),
            retryAfterNanos: status == 400 ? nil : refusal.retryAfterNanos, refused: reason.label)
    }

    /// The answer when no attempt is left.
    static func failure(_ failure: Failure, model: String) -> ErrorAnswer {
        let second: UInt64 = 1_000_000_000
        switch failure {
        case .refused, .draining, .busy:
            return ErrorAnswer(
                503, type: "service_unavailable_error", code: "no_endpoint",
                "no engine of model '\(model)' could take the request; try again shortly",
                retryAfterNanos: second, refused: "no_endpoint")
        case .stalled:
            return ErrorAnswer(
                504, type: "api_error", code: "engine_stalled",
                "the engine of model '\(model)' gave no first token before the deadline",
                retryAfterNanos: second)
        case .disconnected, .serverError, .malformed:
            return ErrorAnswer(
                502, type: "api_error", code: "bad_engine_answer",
                "the engine of model '\(model)' broke the connection or answered badly")
        }
    }
}

extension RefusalReason {
    /// What happened and what helps, for a person.
    func message(model: String) -> String {
        switch self {
        case .saturated:
            "model '\(model)' is at its load line: the request would miss its latency budget; "
                + "retry after the time given"
        case .queueFull:
            "the queue of model '\(model)' for this class is full; retry after the time given"
        case .rateLimited:
            "the tenant's rate limit is used up; retry after the time given"
        case .infeasible:
            "the prompt is too long to meet the latency budget of model '\(model)' even on an "
                + "idle engine"
        case .tooLong:
            "prompt and output together exceed the context of model '\(model)'"
        case .noCapacity:
            "no engine of model '\(model)' is ready; retry after the time given"
        }
    }
}

/// Writes JSON by appending bytes.
package struct JSONText {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    /// Appends text that is JSON already.
    package mutating func append(_ raw: String) {
        self.bytes.append(contentsOf: raw.utf8)
    }

    /// Appends a quoted, escaped string (RFC 8259 7).
    package mutating func string(_ text: String) {
        self.bytes.append(0x22)
        for byte in text.utf8 {
            switch byte {
            case 0x22, 0x5C:
                self.bytes.append(0x5C)
                self.bytes.append(byte)
            case 0x0A: self.append("\\n")
            case 0x0D: self.append("\\r")
            case 0x09: self.append("\\t")
            case 0..<0x20:
                let digits = Array("0123456789abcdef".utf8)
                self.append("\\u00")
                self.bytes.append(digits[Int(byte >> 4)])
                self.bytes.append(digits[Int(byte & 15)])
            default: self.bytes.append(byte)
            }
        }
        self.bytes.append(0x22)
    }
}
