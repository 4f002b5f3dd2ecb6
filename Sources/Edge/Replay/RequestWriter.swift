import EventLoop
import HTTP
import Workload

/// Writes the requests of a run; what all of them share is made once.
final class RequestWriter {
    private let form: RequestForm
    private let prompts: PromptText
    /// Request line and the fields that never change.
    private let headStart: [UInt8]
    /// The body up to the token limit, and from there to the prompt.
    private let bodyStart: [UInt8]
    private let bodyMiddle = Array(",\"messages\":[{\"role\":\"user\",\"content\":\"".utf8)
    private let bodyEnd = Array("\"}]}".utf8)
    private let head = HeadBuilder()
    private var runs: [WriteBuffer] = []

    init(_ form: RequestForm) {
        self.form = form
        self.prompts = PromptText(form.promptScale, seed: form.seed)
        let head = HeadBuilder()
        head.append(text: "POST \(form.target.path)/v1/chat/completions HTTP/1.1\r\n")
        head.field("host", text: form.target.authority)
        head.field("user-agent", "plimsoll-replay")
        head.field("content-type", "application/json")
        if let key = form.tenantKey { head.field("authorization", text: "Bearer \(key)") }
        self.headStart = head.withBytes { Array($0) }
        var body = "{\"model\":\(Self.quoted(form.model)),"
        if form.streams {
            body += "\"stream\":true,\"stream_options\":{\"include_usage\":true},"
        }
        if form.ignoresEOS { body += "\"ignore_eos\":true," }
        self.bodyStart = Array((body + "\"max_tokens\":").utf8)
    }

    /// Builds a request and hands its runs to `send`, which must not keep them.
    ///
    /// `attempt` counts from 0; a retry says so, so that it is not counted as new demand.
    func write(
        _ arrival: Arrival, sequence: UInt64, attempt: Int, id: String,
        send: (UnsafeMutableBufferPointer<WriteBuffer>) -> Void
    ) {
        // An answer has a token at least; engines refuse a limit of zero.
        let limit = UInt64(max(1, arrival.outputTokens))
        let count =
            self.bodyStart.count + String(limit).utf8.count + self.bodyMiddle.count
            + self.prompts.byteCount(of: arrival) + self.bodyEnd.count
        self.head.removeAll()
        self.head.append(self.headStart)
        self.head.field("x-request-id", text: id)
        if let name = arrival.serviceClass ?? self.form.serviceClass {
            self.head.field("x-plimsoll-class", text: name)
        }
        if attempt > 0 { self.head.field("x-stainless-retry-count", decimal: UInt64(attempt)) }
        self.head.field("content-length", decimal: UInt64(count))
        self.head.append("\r\n")
        self.head.append(self.bodyStart)
        self.head.append(decimal: limit)
        self.head.append(self.bodyMiddle)
        self.head.withBytes { head in
            self.bodyEnd.withUnsafeBytes { end in
                self.runs.removeAll(keepingCapacity: true)
                self.runs.append(WriteBuffer(head))
                self.prompts.append(arrival, sequence: sequence, to: &self.runs)
                self.runs.append(WriteBuffer(end))
                self.runs.withUnsafeMutableBufferPointer { send($0) }
            }
        }
    }

    /// A JSON string (RFC 8259 7).
    private static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": out += "\\\(scalar)"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }
}
