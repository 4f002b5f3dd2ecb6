import EventLoop
import HTTP
import Report
import Time
import Wire
import Workload

/// One request of the trace under way: its tries, and what is known of the present one.
final class Shot {
    unowned let owner: ReplayLoop
    let arrival: Arrival
    /// Counts the requests of a run.
    let sequence: UInt64
    let intended: Instant
    /// Place in the owner's table.
    var index = 0
    /// Tries before this one.
    private(set) var attempt = 0
    private(set) var connection: ClientConnection?
    private(set) var requestID = ""
    private(set) var sentAt = Instant.zero
    private(set) var reader = AnswerReader(isStream: false)
    private(set) var head = AnswerHead()
    /// Runs while a retry waits.
    private var retryTimer: LoopTimer?
    private var wasResent = false

    init(_ owner: ReplayLoop, _ arrival: Arrival, sequence: UInt64, intended: Instant) {
        self.owner = owner
        self.arrival = arrival
        self.sequence = sequence
        self.intended = intended
    }

    /// Whether the answer to the last try is known and the next one waits.
    var isWaiting: Bool { self.retryTimer != nil }

    /// How far the answer has come, for what ended early.
    var moment: RequestOutcome.Moment {
        self.reader.firstTokenNanos == nil ? .prefill : .decode
    }

    /// Sends the request; `fresh`: over a new connection.
    func send(fresh: Bool = false) {
        let owner = self.owner
        self.head = AnswerHead()
        self.reader = AnswerReader(isStream: false)
        self.requestID = owner.requestID(self.sequence, attempt: self.attempt)
        let connection = owner.endpoint.connection(fresh: fresh)
        self.connection = connection
        self.sentAt = owner.loop.readClock()
        owner.writer.write(
            self.arrival, sequence: self.sequence, attempt: self.attempt, id: self.requestID
        ) { connection.send($0, handler: self) }
    }

    /// Sends once more after a wait.
    func retry(afterNanos nanos: UInt64) {
        self.connection = nil
        let timer = LoopTimer(self.owner.loop) { [unowned self] in
            self.stopWaiting()
            self.attempt += 1
            self.wasResent = false
            self.send()
        }
        self.retryTimer = timer
        timer.arm(at: self.owner.loop.now.advanced(byNanos: nanos))
    }

    /// Gives the request up: its connection is closed, its timer stopped.
    func abandon() {
        self.stopWaiting()
        self.connection?.close()
        self.connection = nil
    }

    private func stopWaiting() {
        self.retryTimer?.close()
        self.retryTimer = nil
    }
}

extension Shot: ClientHandler {
    func clientHead(_ connection: ClientConnection, _ head: ResponseHead, _ bytes: Span<UInt8>) {
        self.head = AnswerHead(head, bytes)
        self.reader = AnswerReader(isStream: self.head.isSuccess && self.owner.settings.streams)
    }

    func clientBody(_ connection: ClientConnection, _ bytes: UnsafeRawBufferPointer) {
        let before = self.reader.firstTokenNanos
        self.reader.feed(
            bytes.assumingMemoryBound(to: UInt8.self).span, at: self.owner.loop.wokeAt.nanos)
        if before == nil, let first = self.reader.firstTokenNanos {
            self.owner.firstToken(self, at: Instant(nanos: first))
        }
    }

    func clientFlush(_ connection: ClientConnection) {}

    func clientEnd(_ connection: ClientConnection) {
        self.reader.finish(isError: !self.head.isSuccess)
        self.owner.ended(self, Verdict.of(self.head, self.reader))
    }

    func clientFailed(_ connection: ClientConnection, _ failure: ClientFailure) {
        switch failure {
        case .disconnected(responseStarted: false, fresh: false) where !self.wasResent:
            // The server closed a kept connection while the request was on its way to it.
            self.wasResent = true
            self.send(fresh: true)
        case .disconnected: self.owner.ended(self, .failed("disconnected", self.moment))
        case .malformed: self.owner.ended(self, .failed("malformed", self.moment))
        case .connect(let error):
            self.owner.ended(self, .failed(Verdict.label(of: error), .arrival))
        }
    }
}

/// What the fields of an answer say.
struct AnswerHead {
    private(set) var status = 0
    /// `x-plimsoll-refused`, as a label.
    private(set) var refusedLabel: String?
    private(set) var isDegraded = false
    /// `x-plimsoll-queue-ms`.
    private(set) var queueMillis: UInt64?
    /// What `retry-after-ms`, else `Retry-After`, asks for.
    private(set) var retryAfterNanos: UInt64?
    /// `x-should-retry: false` is not there.
    private(set) var mayRetry = true

    init() {}

    init(_ head: ResponseHead, _ bytes: Span<UInt8>) {
        self.status = head.status
        var seconds: UInt64?
        var millis: UInt64?
        for field in head.table.fields {
            func named(_ name: StaticString) -> Bool {
                Bytes.equalsIgnoringCase(bytes, field.name, name)
            }
            switch field.known {
            case .retryAfter: seconds = Bytes.decimal(bytes, field.value)
            case .plimsollOther:
                if named("x-plimsoll-refused") {
                    self.refusedLabel = Label.of(bytes, field.value) ?? "unnamed"
                } else if named("x-plimsoll-degraded") {
                    self.isDegraded = true
                } else if named("x-plimsoll-queue-ms") {
                    self.queueMillis = Bytes.decimal(bytes, field.value)
                }
            case .other:
                if named("retry-after-ms") {
                    millis = Bytes.decimal(bytes, field.value)
                } else if named("x-should-retry") {
                    self.mayRetry = !Bytes.equalsIgnoringCase(bytes, field.value, "false")
                }
            default: break
            }
        }
        let nanos =
            millis.map { $0.multipliedReportingOverflow(by: 1_000_000) }
            ?? seconds.map { $0.multipliedReportingOverflow(by: 1_000_000_000) }
        self.retryAfterNanos = nanos.map { $0.overflow ? .max : $0.partialValue }
    }

    var isSuccess: Bool { (200..<300).contains(self.status) }
}

/// How one try ended.
enum Verdict {
    case completed
    case refused(String, RequestOutcome.Moment)
    case failed(String, RequestOutcome.Moment)

    /// Judges an answer that was read to its end.
    static func of(_ head: AnswerHead, _ answer: AnswerReader) -> Verdict {
        let moment: RequestOutcome.Moment = answer.firstTokenNanos == nil ? .prefill : .decode
        if let label = head.refusedLabel ?? self.refusalLabel(head, answer) {
            return .refused(label, (head.queueMillis ?? 0) > 0 ? .queue : .arrival)
        }
        guard head.isSuccess else {
            return .failed(answer.errorLabel ?? "http_\(head.status)", .prefill)
        }
        if let label = answer.errorLabel { return .failed(label, moment) }
        if !answer.isStream {
            return answer.bytesRead > 0 ? .completed : .failed("empty_answer", .prefill)
        }
        if !answer.isDone { return .failed("truncated", moment) }
        return answer.isFinished ? .completed : .failed("unfinished", moment)
    }

    /// Refusals of engines and of other gateways.
    private static func refusalLabel(_ head: AnswerHead, _ answer: AnswerReader) -> String? {
        guard head.status == 429 || head.status == 503 else { return nil }
        return answer.errorLabel ?? "http_\(head.status)"
    }

    /// A bounded label for a connection that could not be made.
    static func label(of error: StreamError) -> String {
        switch error.code {
        case .refused: "connect_refused"
        case .timedOut: "connect_timeout"
        case .unreachable: "connect_unreachable"
        case .tls: "connect_tls"
        case .reset, .other: "connect_failed"
        }
    }
}
