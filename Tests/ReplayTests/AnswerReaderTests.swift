import Replay
import Testing

/// Answers as bytes and instants, without sockets.
struct AnswerReaderTests {
    private static func feed(_ reader: inout AnswerReader, _ text: String, at nanos: UInt64) {
        let bytes = Array(text.utf8)
        reader.feed(bytes.span, at: nanos)
    }

    private static func event(_ data: String) -> String { "data: \(data)\n\n" }

    @Test("The first and the last content are timed; roles, ends and usage are no content")
    func times() {
        var reader = AnswerReader(isStream: true)
        Self.feed(&reader, Self.event(Chat.role), at: 10)
        Self.feed(&reader, Self.event(Chat.word), at: 20)
        Self.feed(&reader, Self.event(Chat.word) + Self.event(Chat.word), at: 50)
        Self.feed(&reader, Self.event(Chat.finish), at: 60)
        Self.feed(&reader, Self.event("[DONE]"), at: 70)
        #expect(reader.firstTokenNanos == 20)
        #expect(reader.lastTokenNanos == 50)
        #expect(reader.tokens == 3)
        #expect(reader.isFinished && reader.isDone && reader.errorLabel == nil)
    }

    @Test("The engine's own count of tokens goes before the count of events")
    func usage() {
        var reader = AnswerReader(isStream: true)
        Self.feed(&reader, Self.event(Chat.word) + Self.event(Chat.usage(tokens: 12)), at: 1)
        #expect(reader.tokens == 12)
    }

    @Test("However the bytes are cut, the same answer is read")
    func pieces() {
        let whole = Chat.answer(tokens: 3).map(Self.event).joined() + Self.event("[DONE]")
        let bytes = Array(whole.utf8)
        for size in [1, 2, 3, 7, 50] {
            var reader = AnswerReader(isStream: true)
            for start in stride(from: 0, to: bytes.count, by: size) {
                let piece = Array(bytes[start..<min(start + size, bytes.count)])
                reader.feed(piece.span, at: UInt64(start + 1))
            }
            #expect(reader.tokens == 3, "pieces of \(size)")
            #expect(reader.isFinished && reader.isDone, "pieces of \(size)")
        }
    }

    @Test("Content with blanks in its JSON, reasoning and tool calls are content")
    func kinds() {
        for data in [
            #"{"choices": [{"delta": {"content": "a"}}]}"#,
            #"{"choices":[{"delta":{"reasoning_content":"a"}}]}"#,
            #"{"choices":[{"delta":{"tool_calls":[{"index":0}]}}]}"#,
            #"{"choices":[{"text":"a","finish_reason":null}]}"#,
        ] {
            var reader = AnswerReader(isStream: true)
            Self.feed(&reader, Self.event(data), at: 1)
            #expect(reader.tokens == 1, "\(data)")
            #expect(!reader.isFinished)
        }
    }

    @Test("An error behind content is an error, and its code becomes a label")
    func errors() {
        var reader = AnswerReader(isStream: true)
        Self.feed(&reader, Self.event(Chat.word), at: 1)
        Self.feed(&reader, Self.event(Chat.error(code: "Engine died!")), at: 2)
        #expect(reader.errorLabel == "engine_died_")
    }

    @Test("An event without end is given up at the bound")
    func bound() {
        var reader = AnswerReader(isStream: true)
        let piece = String(repeating: "x", count: 256 << 10)
        for _ in 0..<5 { Self.feed(&reader, piece, at: 1) }
        #expect(reader.errorLabel == "event_too_large")
    }
}
