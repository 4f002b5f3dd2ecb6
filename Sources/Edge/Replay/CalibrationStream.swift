import EventLoop
import HTTP
import Report
import Time
import Wire
import Workload

/// One request of a calibration under way.
final class CalibrationStream {
    private unowned let owner: CalibrationLoop
    private let arrival: Arrival
    private let sequence: UInt64
    private var connection: ClientConnection?
    private var sentAt = Instant.zero
    private var reader = AnswerReader(isStream: false)
    private var head = AnswerHead()
    private var eventNanos: [UInt64] = []
    private var wasResent = false

    init(_ owner: CalibrationLoop, _ arrival: Arrival, sequence: UInt64) {
        self.owner = owner
        self.arrival = arrival
        self.sequence = sequence
        self.eventNanos.reserveCapacity(arrival.outputTokens + 1)
    }

    /// Sends the request; `fresh`: over a new connection.
    func send(fresh: Bool = false) {
        self.head = AnswerHead()
        self.reader = AnswerReader(isStream: false)
        let connection = self.owner.endpoint.connection(fresh: fresh)
        self.connection = connection
        self.sentAt = self.owner.loop.readClock()
        self.owner.writer.write(
            self.arrival, sequence: self.sequence, attempt: 0,
            id: "\(self.owner.idPrefix)-\(self.sequence)"
        ) { connection.send($0, handler: self) }
    }

    /// Gives the request up: its connection is closed, and nothing more is told.
    func abandon() {
        self.connection?.close()
        self.connection = nil
    }

    /// What is known of the tokens, once the answer is complete; `nil` when the engine did not
    /// count them, or none came.
    var times: StreamTimes? {
        guard let counted = self.reader.counted, !self.eventNanos.isEmpty else { return nil }
        return StreamTimes(
            // A new connection is made first: that is no time of the engine's.
            sentNanos: max(self.sentAt, self.writtenAt).nanos, eventNanos: self.eventNanos,
            promptTokens: Int(counted.promptTokens), outputTokens: Int(counted.outputTokens))
    }

    private var writtenAt = Instant.zero

    /// HTTP status, 0 without an answer.
    var status: Int { self.head.status }
}

extension CalibrationStream: ClientHandler {
    func clientHead(_ connection: ClientConnection, _ head: ResponseHead, _ bytes: Span<UInt8>) {
        self.writtenAt = connection.requestWrittenAt ?? .zero
        self.head = AnswerHead(head, bytes)
        self.reader = AnswerReader(isStream: self.head.isSuccess)
    }

    func clientBody(_ connection: ClientConnection, _ bytes: UnsafeRawBufferPointer) {
        let before = self.reader.events
        let nanos = self.owner.loop.wokeAt.nanos
        self.reader.feed(bytes.assumingMemoryBound(to: UInt8.self).span, at: nanos)
        for _ in before..<self.reader.events { self.eventNanos.append(nanos) }
    }

    func clientFlush(_ connection: ClientConnection) {}

    func clientEnd(_ connection: ClientConnection) {
        self.connection = nil
        self.reader.finish(isError: !self.head.isSuccess)
        self.owner.ended(self, Verdict.of(self.head, self.reader))
    }

    func clientFailed(_ connection: ClientConnection, _ failure: ClientFailure) {
        self.connection = nil
        switch failure {
        case .disconnected(responseStarted: false, fresh: false) where !self.wasResent:
            // The server closed a kept connection while the request was on its way to it.
            self.wasResent = true
            self.send(fresh: true)
        case .disconnected: self.owner.ended(self, .failed("disconnected", .prefill))
        case .malformed: self.owner.ended(self, .failed("malformed", .prefill))
        case .connect(let error):
            self.owner.ended(self, .failed(Verdict.label(of: error), .arrival))
        }
    }
}
