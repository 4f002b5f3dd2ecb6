import Foundation
import Gateway
import Testing
import Wire

/// A body, the surface it is for, and what a cap of 32 tokens makes of it.
struct CapCase: Sendable, CustomTestStringConvertible {
    var surface: Surface
    var body: String
    var capped: String
    var testDescription: String { "\(self.surface.label) \(self.body)" }

    init(_ surface: Surface, _ body: String, _ capped: String) {
        (self.surface, self.body, self.capped) = (surface, body, capped)
    }
}

@Suite struct BodyEditTests {
    /// The body with its edits carried out.
    private static func capped(_ text: String, _ surface: Surface, tokens: UInt32) throws -> String
    {
        let bytes = Array(text.utf8)
        let padded = bytes + [UInt8](repeating: 0, count: BodyScanner.padding)
        let body = RequestBody()
        try padded.withUnsafeBytes { raw in
            try BodyScanner().scan(
                UnsafeRawBufferPointer(rebasing: raw[..<bytes.count]), into: body)
        }
        var edits = BodyEdits()
        edits.cap(body, surface, tokens: tokens, bytes.span)
        var result: [UInt8] = []
        var from = 0
        for edit in edits.edits {
            result += bytes[from..<edit.range.start] + edit.bytes
            from = edit.range.end
        }
        return String(decoding: result + bytes[from...], as: UTF8.self)
    }

    private static let chat = #"{ "model" : "m","messages":[{"content":"a\u00e9\n}"}]"#
    private static let prompt = "{\"prompt\":\"max_tokens\" ,\n \"x\": 1e3"

    @Test(
        "a cap lowers or writes the surface's own limit and leaves every other byte alone",
        arguments: [
            CapCase(.chatCompletions, chat + " }", chat + " ,\"max_completion_tokens\":32}"),
            CapCase(
                .chatCompletions, chat + ",\"max_tokens\" : 4096 , \"n\":1}",
                chat + ",\"max_tokens\" : 32 , \"n\":1}"),
            CapCase(
                .chatCompletions, chat + ",\"max_completion_tokens\":33,\"max_tokens\":99}\n",
                chat + ",\"max_completion_tokens\":32,\"max_tokens\":32}\n"),
            CapCase(
                .chatCompletions, chat + ",\"max_tokens\":5,\"max_completion_tokens\":900}",
                chat + ",\"max_tokens\":5,\"max_completion_tokens\":32}"),
            CapCase(
                .chatCompletions, chat + ",\"max_tokens\": null }",
                chat + ",\"max_tokens\": 32 }"),
            CapCase(.completions, prompt + "}", prompt + ",\"max_tokens\":32}"),
            CapCase(
                .completions, prompt + ",\"max_tokens\":9223372036854775807}",
                prompt + ",\"max_tokens\":32}"),
            CapCase(.completions, "{}", "{\"max_tokens\":32}"),
            CapCase(
                .responses, #"{"input":[{"max_output_tokens":7}]}"#,
                #"{"input":[{"max_output_tokens":7}],"max_output_tokens":32}"#),
            CapCase(
                .responses, #"{"max_output_tokens":64,"input":"é"}"#,
                #"{"max_output_tokens":32,"input":"é"}"#),
        ])
    func cap(_ example: CapCase) throws {
        let capped = try Self.capped(example.body, example.surface, tokens: 32)
        #expect(capped == example.capped)
        #expect((try? JSONSerialization.jsonObject(with: Data(capped.utf8))) != nil)
    }

    @Test(
        "a limit that is low enough, and a surface that has none, stay as they are",
        arguments: [
            CapCase(.chatCompletions, chat + ",\"max_tokens\":32}", ""),
            CapCase(.completions, prompt + ",\"max_tokens\": 1 }", ""),
            CapCase(.responses, #"{"max_output_tokens":16}"#, ""),
            CapCase(.embeddings, #"{"input":"a"}"#, ""),
            CapCase(.other, #"{"max_tokens":64}"#, ""),
        ])
    func untouched(_ example: CapCase) throws {
        #expect(try Self.capped(example.body, example.surface, tokens: 32) == example.body)
    }
}
