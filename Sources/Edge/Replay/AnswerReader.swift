package import Wire

/// Reads one answer as it comes in: when tokens came, how many, whether it is whole, and why not.
/// Knows bytes and instants, no sockets.
package struct AnswerReader {
    /// The longest event or error body that is kept to be understood.
    package static let keptBytesMax = 1 << 20

    /// Whether the answer is a stream of events; an answer in one piece or an error otherwise.
    package let isStream: Bool
    /// When the first content came, in nanoseconds of the loop's clock.
    package private(set) var firstTokenNanos: UInt64?
    /// When the last content came.
    package private(set) var lastTokenNanos: UInt64?
    /// A choice has said why it ended.
    package private(set) var isFinished = false
    /// `data: [DONE]` has been read.
    package private(set) var isDone = false
    /// The label of an error inside the stream, or of an error answer.
    package private(set) var errorLabel: String?
    /// Of the body.
    package private(set) var bytesRead = 0
    /// Events with content so far.
    package private(set) var events: UInt64 = 0
    private var streamUsage: TokenUsage?
    /// An event that goes on in the next read, or the start of an answer in one piece.
    private var kept: [UInt8] = []
    private var scanned = 0
    private var usage = UsageScanner()

    /// Starts to read an answer.
    package init(isStream: Bool) {
        self.isStream = isStream
    }

    /// Tokens of the answer: as the engine counted them, else one for each event with content.
    package var tokens: UInt64 {
        self.counted.map { UInt64($0.outputTokens) } ?? self.events
    }

    /// Tokens of prompt and answer as the engine counted them; `nil` when it told none.
    package var counted: TokenUsage? { self.streamUsage ?? self.usage.usage }

    /// Takes the next bytes of the body, read at `nanos`.
    package mutating func feed(_ bytes: Span<UInt8>, at nanos: UInt64) {
        self.bytesRead += bytes.count
        guard self.isStream else { return self.keep(bytes) }
        if self.kept.isEmpty {
            let used = self.readEvents(bytes, at: nanos)
            for index in used..<bytes.count { self.kept.append(bytes[index]) }
            self.scanned -= used
        } else {
            for index in 0..<bytes.count { self.kept.append(bytes[index]) }
            let joined = self.kept
            let used = self.readEvents(joined.span, at: nanos)
            self.kept = []
            self.kept.append(contentsOf: joined[used...])
            self.scanned -= used
        }
        if self.kept.count > Self.keptBytesMax {
            self.errorLabel = self.errorLabel ?? "event_too_large"
            self.kept = []
            self.scanned = 0
        }
    }

    /// Called when the body has ended; `isError`: the status said that it is an error.
    package mutating func finish(isError: Bool) {
        if isError {
            let all = ByteRange(start: 0, end: self.kept.count)
            self.errorLabel = Self.errorLabel(self.kept.span, all)
        }
        self.kept = []
    }

    /// Returns how many bytes were whole events.
    private mutating func readEvents(_ bytes: Span<UInt8>, at nanos: UInt64) -> Int {
        var start = 0
        while let end = EventStream.eventEnd(bytes, from: start, scanned: &self.scanned) {
            self.take(bytes, ByteRange(start: start, end: end), at: nanos)
            start = end
        }
        return start
    }

    private mutating func take(_ bytes: Span<UInt8>, _ event: ByteRange, at nanos: UInt64) {
        switch EventStream.classify(bytes, event, tokenSeen: false) {
        case .done: self.isDone = true
        case .usage(let usage): self.streamUsage = usage
        case .error: self.errorLabel = Self.errorLabel(bytes, event) ?? "stream_error"
        case .token, .other:
            if Self.carriesContent(bytes, event) {
                self.events += 1
                if self.firstTokenNanos == nil { self.firstTokenNanos = nanos }
                self.lastTokenNanos = nanos
            }
            if Self.hasValue("\"finish_reason\"", in: bytes, event) { self.isFinished = true }
        }
    }

    private mutating func keep(_ bytes: Span<UInt8>) {
        self.usage.feed(bytes)
        let room = min(bytes.count, (64 << 10) - self.kept.count)
        for index in 0..<max(0, room) { self.kept.append(bytes[index]) }
    }

    // MARK: Words of the protocol

    /// Whether an event brings text, reasoning or a part of a tool call.
    private static func carriesContent(_ bytes: Span<UInt8>, _ event: ByteRange) -> Bool {
        self.hasText("\"content\"", in: bytes, event) || self.hasText("\"text\"", in: bytes, event)
            || self.hasText("\"reasoning_content\"", in: bytes, event)
            || self.hasText("\"reasoning\"", in: bytes, event)
            || Bytes.find("\"tool_calls\":[{", in: bytes, event) != nil
    }

    /// Whether the value of `key` is a string that is not empty.
    private static func hasText(
        _ key: StaticString, in bytes: Span<UInt8>, _ range: ByteRange
    ) -> Bool {
        guard let at = self.value(of: key, in: bytes, range) else { return false }
        return bytes[at] == 0x22 && at + 1 < range.end && bytes[at + 1] != 0x22
    }

    /// Whether `key` has a value other than null.
    private static func hasValue(
        _ key: StaticString, in bytes: Span<UInt8>, _ range: ByteRange
    ) -> Bool {
        guard let at = self.value(of: key, in: bytes, range) else { return false }
        return bytes[at] != 0x6E
    }

    /// Where the value of the first `key` begins. A model's text cannot hold an unescaped key.
    private static func value(
        of key: StaticString, in bytes: Span<UInt8>, _ range: ByteRange
    ) -> Int? {
        guard let found = Bytes.find(key, in: bytes, range) else { return nil }
        var at = Bytes.skippingBlanks(bytes, found + key.utf8CodeUnitCount, range.end)
        guard at < range.end, bytes[at] == Bytes.colon else { return nil }
        at = Bytes.skippingBlanks(bytes, at + 1, range.end)
        return at < range.end ? at : nil
    }

    /// `code`, else `type` of an OpenAI-shaped error, as a label; `nil` when it has neither.
    private static func errorLabel(_ bytes: Span<UInt8>, _ range: ByteRange) -> String? {
        for key in ["\"code\"", "\"type\""] as [StaticString] {
            guard let at = self.value(of: key, in: bytes, range), bytes[at] == 0x22,
                let end = Bytes.firstIndex(of: 0x22, in: bytes, from: at + 1, to: range.end)
            else { continue }
            if let label = Label.of(bytes, ByteRange(start: at + 1, end: end)) { return label }
        }
        return nil
    }
}

/// Short names from outside, made safe to be keys of a report.
enum Label {
    private static let bytesMax = 48

    /// Lower case, everything but letters and digits as `_`; `nil` when nothing is left.
    static func of(_ bytes: Span<UInt8>, _ range: ByteRange) -> String? {
        var out: [UInt8] = []
        for index in range.start..<min(range.end, range.start + self.bytesMax) {
            let byte = bytes[index] | 0x20
            let isWord = (0x61...0x7A).contains(byte) || (0x30...0x39).contains(bytes[index])
            out.append(isWord ? ((0x61...0x7A).contains(byte) ? byte : bytes[index]) : 0x5F)
        }
        return out.contains { $0 != 0x5F } ? String(decoding: out, as: UTF8.self) : nil
    }
}
