import Testing
import Wire

@Suite struct EventStreamTests {
    /// Events of a stream that arrives cut at `cuts`.
    private func events(_ text: [UInt8], cuts: [Int]) -> [String] {
        var found: [String] = []
        var start = 0
        var scanned = 0
        for cut in cuts + [text.count] {
            let seen = text.span.extracting(..<cut)
            while let end = EventStream.eventEnd(seen, from: start, scanned: &scanned) {
                found.append(String(decoding: text[start..<end], as: UTF8.self))
                start = end
            }
        }
        return found
    }

    private func kind(_ text: String, tokenSeen: Bool = false) -> EventStream.Kind {
        let bytes = Array(text.utf8)
        return EventStream.classify(
            bytes.span, ByteRange(start: 0, end: bytes.count), tokenSeen: tokenSeen)
    }

    private func withoutNull(_ text: String) -> String {
        let bytes = Array(text.utf8)
        guard let cut = EventStream.nullUsage(bytes.span, ByteRange(start: 0, end: bytes.count))
        else { return text }
        return String(decoding: bytes[..<cut.start] + bytes[cut.end...], as: UTF8.self)
    }

    @Test func `events are found wherever the stream is cut`() {
        let text = Array(
            "data: 1\n\n: ping\n\ndata: 2\r\n\r\nevent: x\r\ndata: 3\n\r\n\ndata: 4\n\n".utf8)
        let whole = self.events(text, cuts: [])
        #expect(whole.count == 5 && whole.joined().utf8.count == text.count)
        for cut in 1..<text.count { #expect(self.events(text, cuts: [cut]) == whole) }
        #expect(self.events(text, cuts: Array(1..<text.count)) == whole)
    }

    @Test func `the kinds of chat events are told apart`() {
        let role = #"{"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}"#
        let text = #"{"choices":[{"index":0,"delta":{"content":"a"}}]}"#
        let usage = #"{"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3}}"#
        #expect(self.kind("data: \(role)\n\n") == .other)
        #expect(self.kind("data: \(text)\n\n") == .token)
        #expect(self.kind("data: [DONE]\n\n", tokenSeen: true) == .done)
        #expect(self.kind("data:[DONE]\r\n\r\n") == .done)
        #expect(self.kind(": comment\n\n", tokenSeen: true) == .other)
        #expect(self.kind("data: {\"error\":{\"message\":\"x\"}}\n\n") == .error)
        #expect(self.kind("data: \n\n") == .other)
        #expect(
            self.kind("id: 1\ndata: \(usage)\n\n", tokenSeen: true)
                == .usage(TokenUsage(promptTokens: 7, outputTokens: 3)))
    }

    @Test func `only a needless null usage is cut out, with one comma`() {
        #expect(self.withoutNull(#"data: {"a":1,"usage":null}"#) == #"data: {"a":1}"#)
        #expect(
            self.withoutNull(#"data: {"a":1, "usage" : null , "b":2}"#) == #"data: {"a":1 , "b":2}"#
        )
        #expect(self.withoutNull(#"data: {"usage":null,"a":1}"#) == #"data: {"a":1}"#)
        #expect(self.withoutNull(#"data: {"usage":null}"#) == "data: {}")
        let text = #"data: {"choices":[{"delta":{"content":"usage"}}]"#
        #expect(self.withoutNull(text + #","usage":null}"#) == text + "}")
        #expect(self.withoutNull(text + "}") == text + "}")
        let said = #"data: {"choices":[{"delta":{"content":"\"usage\":null"}}]}"#
        #expect(self.withoutNull(said) == said)
        let real = #"data: {"choices":[],"usage":{"prompt_tokens":1}}"#
        #expect(self.withoutNull(real) == real)
    }

    @Test func `usage is found in an answer cut anywhere, and the last one counts`() {
        let answer = Array(
            (#"{"tools":[{"usage":{"type":"object"}}],"logprobs":["usage","#
                + #""usage"],"usage" : {"prompt_tokens":12,"completion_tokens":34,"#
                + #""prompt_tokens_details":{"cached_tokens":5}},"x":null}"#).utf8)
        let expected = TokenUsage(promptTokens: 12, outputTokens: 34, cachedTokens: 5)
        for first in 0...answer.count {
            var scanner = UsageScanner()
            scanner.feed(answer.span.extracting(..<first))
            scanner.feed(answer.span.extracting(first...))
            #expect(scanner.usage == expected, "cut at \(first)")
            scanner.reset()
            #expect(scanner.usage == nil)
        }
        for step in 1...9 {
            var scanner = UsageScanner()
            for start in stride(from: 0, to: answer.count, by: step) {
                scanner.feed(answer.span.extracting(start..<min(start + step, answer.count)))
            }
            #expect(scanner.usage == expected, "steps of \(step)")
        }
    }

    @Test(
        "a real engine's stream is cut into the same events everywhere and ends in usage and done",
        arguments: [
            "vllm_chat_stream.txt", "vllm_chat_stream_continuous.txt",
            "vllm_completions_stream.txt",
        ])
    func samples(_ name: String) throws {
        guard let file = Samples.read(name) else {
            try Test.cancel("no samples beside the checkout")
        }
        let first = try #require(file.firstRange(of: Array("data: {".utf8)))
        let text = Array(file[first.lowerBound...])
        let whole = self.events(text, cuts: [])
        #expect(whole.count > 4)
        for cut in 1..<text.count { #expect(self.events(text, cuts: [cut]) == whole) }
        let kinds = whole.map { self.kind($0, tokenSeen: false) }
        #expect(kinds.last == .done)
        let usages = kinds.compactMap { if case .usage(let usage) = $0 { usage } else { nil } }
        let tokens = kinds.count { $0 == .token }
        #expect(usages.count == 1 && Int(usages.first?.outputTokens ?? 0) == tokens)
    }
}
