/// Finds and classifies the events of a server-sent event stream (WHATWG HTML 9.2) in place.
///
/// Lines end in LF or CRLF; engines send nothing else. What is not understood is content: it is
/// relayed as it came.
package enum EventStream {
    /// What an event means to the request path.
    package enum Kind: Equatable {
        /// A comment, a role without text, or anything that carries no token.
        case other
        /// At least one output token.
        case token
        /// `data: [DONE]`.
        case done
        /// The last chunk of `stream_options.include_usage`: no choices, only usage.
        case usage(TokenUsage)
        /// An error inside the stream.
        case error
    }

    /// The end of the first whole event in `bytes[start...]`, behind its empty line; `nil` when the
    /// event goes on behind these bytes.
    ///
    /// `scanned` remembers how far earlier calls have looked, so that a slow event costs linear
    /// time.
    package static func eventEnd(
        _ bytes: Span<UInt8>, from start: Int, scanned: inout Int
    ) -> Int? {
        var index = max(start, scanned)
        while let found = Bytes.firstIndex(
            of: Bytes.lineFeed, in: bytes, from: index, to: bytes.count)
        {
            let isEmpty =
                (found > start && bytes[found - 1] == Bytes.lineFeed)
                || (found > start + 1 && bytes[found - 1] == Bytes.carriageReturn
                    && bytes[found - 2] == Bytes.lineFeed)
            if isEmpty {
                scanned = found + 1
                return found + 1
            }
            index = found + 1
        }
        scanned = bytes.count
        return nil
    }

    /// Classifies one event of the chat and completions surfaces.
    ///
    /// `tokenSeen`: a token has been seen before, so that a role chunk need not be told apart.
    package static func classify(
        _ bytes: Span<UInt8>, _ event: ByteRange, tokenSeen: Bool
    ) -> Kind {
        guard let data = EventStream.data(bytes, event) else { return .other }
        if Bytes.starts(with: "[DONE]", bytes, data) {
            return .done
        }
        if let usage = EventStream.usage(in: bytes, data),
            EventStream.hasEmptyChoices(bytes, data)
        {
            return .usage(usage)
        }
        if Bytes.starts(with: "{\"error\"", bytes, data) { return .error }
        if tokenSeen { return .token }
        if Bytes.find("\"role\":", in: bytes, data) != nil,
            Bytes.find("\"content\":\"\"", in: bytes, data) != nil
                || Bytes.find("\"content\":null", in: bytes, data) != nil
        {
            return .other
        }
        if Bytes.find("\"choices\"", in: bytes, data) == nil {
            return Bytes.find("\"error\"", in: bytes, data) != nil ? .error : .other
        }
        return .token
    }

    /// Classifies one event of the responses surface, whose types are named.
    package static func classifyResponse(_ bytes: Span<UInt8>, _ event: ByteRange) -> Kind {
        guard let data = EventStream.data(bytes, event) else { return .other }
        let head = ByteRange(start: event.start, end: min(event.end, event.start + 256))
        if Bytes.find("response.completed", in: bytes, head) != nil {
            return EventStream.usage(in: bytes, data).map(Kind.usage) ?? .done
        }
        if Bytes.find(".delta\"", in: bytes, head) != nil { return .token }
        if Bytes.find("event: error", in: bytes, head) != nil { return .error }
        return .other
    }

    /// The bytes of a needless `,"usage":null` in an event; `nil` when it has none.
    package static func nullUsage(_ bytes: Span<UInt8>, _ event: ByteRange) -> ByteRange? {
        var from = event.start
        while let key = Bytes.find(
            "\"usage\"", in: bytes, ByteRange(start: from, end: event.end))
        {
            // Its last quote may be another's first.
            from = key + 6
            guard let value = Bytes.value(behind: key + 7, in: bytes, event.end),
                Bytes.starts(with: "null", bytes, ByteRange(start: value, end: event.end))
            else { continue }
            return EventStream.withOneComma(bytes, ByteRange(start: key, end: value + 4), event)
        }
        return nil
    }

    /// A member of an object with the comma before it, or else with the one behind it.
    private static func withOneComma(
        _ bytes: Span<UInt8>, _ member: ByteRange, _ event: ByteRange
    ) -> ByteRange {
        var start = member.start
        while start > event.start, bytes[start - 1] == Bytes.space { start -= 1 }
        if start > event.start, bytes[start - 1] == 0x2C {
            return ByteRange(start: start - 1, end: member.end)
        }
        let next = Bytes.skippingBlanks(bytes, member.end, event.end)
        guard next < event.end, bytes[next] == 0x2C else { return member }
        return ByteRange(start: member.start, end: next + 1)
    }

    /// Where the data of an event's first `data:` line starts, up to the event's end.
    private static func data(_ bytes: Span<UInt8>, _ event: ByteRange) -> ByteRange? {
        var line = event.start
        while line < event.end {
            if event.end - line > 5, bytes[line] == 0x64,
                Bytes.equals(bytes, ByteRange(start: line, end: line + 5), "data:")
            {
                let start = Bytes.skippingBlanks(bytes, line + 5, event.end)
                return start < event.end ? ByteRange(start: start, end: event.end) : nil
            }
            guard
                let end = Bytes.firstIndex(
                    of: Bytes.lineFeed, in: bytes, from: line, to: event.end)
            else { return nil }
            line = end + 1
        }
        return nil
    }

    private static func hasEmptyChoices(_ bytes: Span<UInt8>, _ data: ByteRange) -> Bool {
        guard let key = Bytes.find("\"choices\"", in: bytes, data) else { return false }
        var index = Bytes.skippingBlanks(bytes, key + 9, data.end)
        guard index < data.end, bytes[index] == Bytes.colon else { return false }
        index = Bytes.skippingBlanks(bytes, index + 1, data.end)
        guard index < data.end, bytes[index] == 0x5B else { return false }
        index = Bytes.skippingBlanks(bytes, index + 1, data.end)
        return index < data.end && bytes[index] == 0x5D
    }

    /// The last usage object in `range`, of any surface; `nil` when absent or null.
    ///
    /// The last, since an answer may repeat a tool's schema, which may have a field of that name.
    package static func usage(in bytes: Span<UInt8>, _ range: ByteRange) -> TokenUsage? {
        var from = range.start
        var last: TokenUsage?
        while let key = Bytes.find(
            "\"usage\"", in: bytes, ByteRange(start: from, end: range.end))
        {
            from = key + 6
            // The same word may stand as a value, in a text or a token of `logprobs`.
            if let value = Bytes.value(behind: key + 7, in: bytes, range.end), bytes[value] == 0x7B
            {
                last = TokenUsage(bytes, ByteRange(start: value, end: range.end)) ?? last
            }
        }
        return last
    }
}

/// Token counts as an engine reported them.
package struct TokenUsage: Equatable, Sendable {
    package var promptTokens: UInt32
    package var outputTokens: UInt32
    package var cachedTokens: UInt32

    package init(promptTokens: UInt32, outputTokens: UInt32, cachedTokens: UInt32 = 0) {
        self.promptTokens = promptTokens
        self.outputTokens = outputTokens
        self.cachedTokens = cachedTokens
    }

    /// Reads a usage object, of chat and completions or of responses.
    init?(_ bytes: Span<UInt8>, _ object: ByteRange) {
        guard
            let prompt = Bytes.number(after: "\"prompt_tokens\"", in: bytes, object)
                ?? Bytes.number(after: "\"input_tokens\"", in: bytes, object)
        else { return nil }
        let output =
            Bytes.number(after: "\"completion_tokens\"", in: bytes, object)
            ?? Bytes.number(after: "\"output_tokens\"", in: bytes, object) ?? 0
        let cached = Bytes.number(after: "\"cached_tokens\"", in: bytes, object) ?? 0
        self.promptTokens = UInt32(clamping: prompt)
        self.outputTokens = UInt32(clamping: output)
        self.cachedTokens = UInt32(clamping: cached)
    }
}
