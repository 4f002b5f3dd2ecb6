import Testing
import Wire

@Suite struct RequestBodyTests {
    private let scanner = BodyScanner()

    private func scan(_ text: [UInt8]) -> Result<RequestBody, RequestBody.Fault> {
        var padded = text
        // What stands behind a body is another request's: it must never be read as this one's.
        padded += [UInt8](repeating: 0x7D, count: BodyScanner.padding)
        let body = RequestBody()
        do throws(RequestBody.Fault) {
            let bytes = UnsafeMutableRawBufferPointer.allocate(
                byteCount: padded.count, alignment: 1)
            defer { bytes.deallocate() }
            bytes.copyBytes(from: padded)
            try self.scanner.scan(
                UnsafeRawBufferPointer(rebasing: bytes[..<text.count]), into: body)
            return .success(body)
        } catch {
            return .failure(error)
        }
    }

    private func body(_ text: String) throws -> RequestBody {
        try self.scan(Array(text.utf8)).get()
    }

    private func fault(_ text: String) -> RequestBody.Fault? {
        guard case .failure(let fault) = self.scan(Array(text.utf8)) else { return nil }
        return fault
    }

    private func text(_ json: String, _ range: ByteRange?) -> String? {
        range.map { String(decoding: Array(json.utf8)[$0.start..<$0.end], as: UTF8.self) }
    }

    @Test func `every field is read once and where it stands`() throws {
        let json = #"""
             { "x" : {"model":"inner"} , "model" : "m/1:é" , "stream": true ,"n":2, "best_of" : 3,
             "stream_options": {"a":1,"include_usage":false}, "max_tokens" : 17 , "store":false,
             "max_completion_tokens":null,"max_output_tokens":18 ,"tools":[{}],
             "response_format":{"type":"json_object"},"prompt":"ab\n" }
            """#
        let body = try self.body(json)
        #expect(self.text(json, body.model) == "m/1:é")
        #expect(body.isStreaming && body.writesIncludeUsage && !body.isStored)
        #expect(body.hasTools && body.hasResponseFormat && body.hasPrompt && !body.isEmpty)
        #expect(self.text(json, body.maxTokens) == "17")
        #expect(self.text(json, body.maxCompletionTokens) == "null")
        #expect(self.text(json, body.maxOutputTokens) == "18")
        #expect(body.outputTokensMax == 17 && body.choices == 3)
        #expect(body.promptBytes == 3 + 4)
        #expect(self.text(json, ByteRange(start: body.objectEnd, end: json.utf8.count)) == "}")
    }

    @Test func `what is absent or null has the meaning the API gives it`() throws {
        for json in [
            "{}", #"{"stream":null,"store":null,"n":null,"tools":null,"stream_options":null}"#,
        ] {
            let body = try self.body(json)
            #expect(body.model == nil && !body.isStreaming && body.isStored && !body.hasTools)
            #expect(!body.writesIncludeUsage && body.outputTokensMax == nil && body.choices == 1)
            #expect(!body.hasPrompt && body.promptBytes == 0 && body.promptIDs == 0)
        }
        #expect(try self.body("{}").isEmpty && self.body(" {\n} \n").isEmpty)
        #expect(try self.body(#"{"tools":[]}"#).hasTools == false)
        #expect(try self.body(#"{"n":0}"#).choices == 1)
    }

    @Test(
        "a field that is read must not stand twice or be spelled with escapes",
        arguments: [
            "model", "stream", "stream_options", "max_tokens", "max_completion_tokens",
            "max_output_tokens", "n", "best_of", "messages", "prompt", "input", "instructions",
            "tools", "response_format", "text", "store",
        ])
    func readings(_ name: String) {
        let value =
            ["model", "text"].contains(name)
            ? "\"a\"" : name == "stream" || name == "store" ? "true" : "null"
        let one = "\"\(name)\":\(value)"
        #expect(self.fault("{\(one)}") == nil)
        #expect(self.fault("{\(one),\"x\":1,\(one)}") == .duplicateField(name))
        let code = String(name.utf8.last ?? 0, radix: 16)
        let escaped = "\"\(name.dropLast())\\u00\(code)\":\(value)"
        #expect(self.fault("{\(escaped)}") == .escapedField(name))
        #expect(self.fault("{\(one),\(escaped)}") == .escapedField(name))
        #expect(self.fault("{\"\(name)\\u0000\":\(value)}") == nil)
    }

    @Test func `include_usage counts as written however it is written, once and plainly`() throws {
        func options(_ inside: String) -> String { "{\"stream_options\":{\(inside)}}" }
        #expect(try !self.body(options("")).writesIncludeUsage)
        #expect(try !self.body(options("\"a\":1")).writesIncludeUsage)
        for value in ["true", "false", "null"] {
            #expect(try self.body(options("\"include_usage\":\(value)")).writesIncludeUsage)
        }
        let wrong = RequestBody.Fault.wrongType("stream_options")
        #expect(self.fault(options("\"include_usage\":1")) == wrong)
        #expect(self.fault(options("\"include_usage\":true,\"include_usage\":false")) == wrong)
        #expect(self.fault(options("\"include\\u005fusage\":false")) == wrong)
    }

    @Test func `what is no JSON object alone is refused`() {
        for text in [
            "", " ", "{", "}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{,}", "{a:1}", "{'a':1}",
            "{\"model\":\"a", "{\"model\":\"a\"", "{\"a\":1 \"b\":2}", "{\"a\":\"\u{1}\"}",
            "{\"model\":\"\\\"}", "nul", "{\"stream\":tru}", "{\"n\":nul}", "{\"messages\":[}",
            "{\"messages\":[{]}", "\u{FEFF}{", "{\"stream\":truex}",
        ] {
            #expect(self.fault(text) != nil, "\(text)")
        }
        for text in ["[]", "1", "\"a\"", "null", "[{}]", "true"] {
            let fault = self.fault(text)
            #expect(fault == .notAnObject || fault == .notJSON, "\(text)")
        }
        for text in ["{}{}", "{\"model\":\"a\"}}", "{} x", "{},", "{}]", "{}\0", "{\"a\":1}\"\""] {
            let fault = self.fault(text)
            #expect(fault == .trailingContent || fault == .notJSON, "\(text)")
        }
        #expect(self.fault("{}  \r\n\t") == nil)
    }

    @Test func `bytes that are not UTF-8 are refused wherever they stand`() {
        for bad in [
            [0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xE2, 0x82], [0xF5, 0x80, 0x80, 0x80],
        ]
            as [[UInt8]]
        {
            let value = Array("{\"x\":\"".utf8) + bad + Array("\",\"model\":\"a\"}".utf8)
            let key = Array("{\"x".utf8) + bad + Array("\":1}".utf8)
            #expect(throws: RequestBody.Fault.self) { try self.scan(value).get() }
            #expect(throws: RequestBody.Fault.self) { try self.scan(key).get() }
        }
    }

    @Test func `a field of another type is refused and named`() {
        for (name, values) in [
            ("model", ["1", "null", "[]", "{}", "true"]),
            ("stream", ["1", "\"true\"", "[]", "{}"]),
            ("store", ["0", "\"\""]), ("stream_options", ["1", "[]", "\"\"", "true"]),
            ("max_tokens", ["\"1\"", "1.5", "-1", "[]", "1e3", "9223372036854775808", "true"]),
            ("n", ["\"1\"", "{}"]), ("best_of", ["0.1"]), ("max_output_tokens", ["-0.0"]),
        ] {
            for value in values {
                #expect(
                    self.fault("{\"\(name)\":\(value)}") == .wrongType(name), "\(name): \(value)")
            }
        }
        #expect(self.fault("{\"max_tokens\":9223372036854775807}") == nil)
    }

    @Test func `deep nesting is bounded and never a crash`() {
        for depth in [10, 100, 1_000, 5_000] {
            let open = String(repeating: "[", count: depth)
            let close = String(repeating: "]", count: depth)
            #expect(self.fault("{\"x\":\(open)\(close),\"model\":\"a\"}") == nil)
            #expect(self.fault("{\"messages\":\(open)\(close),\"model\":\"a\"}") == nil)
            #expect(self.fault("{\"messages\":\(open)") != nil)
        }
    }

    @Test func `the prompt's size is its text, without data, ids apart`() throws {
        #expect(try self.size(#"{"prompt":"abc"}"#) == [3, 0, 0])
        #expect(try self.size(#"{"prompt":["abc", "de"]}"#) == [5, 0, 0])
        #expect(try self.size(#"{"prompt":[1, 22,333]}"#) == [0, 3, 0])
        #expect(try self.size(#"{"prompt":[[1,2],[3]]}"#) == [0, 3, 0])
        #expect(try self.size(#"{"input":"a","instructions":"bc"}"#) == [3, 0, 0])
        let parts =
            #"[{"type":"text","text":"abcd"},"#
            + #"{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}},"#
            + #"{"type":"input_image","image_url":"x"}]"#
        #expect(
            try self.size(
                #"{"messages":[{"role":"user","content":"#
                    + parts + #"},{"role":"user","content":"ef"}]}"#) == [6, 0, 2])
        // Words that merely look like data count, and numbers beside text are no ids.
        #expect(try self.size(#"{"prompt":"data: many words"}"#) == [16, 0, 0])
        #expect(try self.size(#"{"messages":[{"content":"abc","index":7}]}"#) == [7, 0, 0])
        #expect(try self.size(#"{"prompt":"abc","input":[1]}"#) == [7, 0, 0])
    }

    @Test func `what is no text counts as an image, in the words of each API`() throws {
        for part in [
            #"{"type":"input_audio","input_audio":{"data":"AAAA"}}"#,
            #"{"type":"file","file":{"file_data":"AAAA"}}"#,
            #"{"video_url":{"url":"x"}}"#, #"{"audio_url":{"url":"x"}}"#,
            #"{"type":"image","source":{"type":"base64","data":"AAAA"}}"#,
        ] {
            let json = "{\"messages\":[{\"content\":[\(part)]}]}"
            #expect(try self.size(json) == [0, 0, 1], "\(part)")
        }
        #expect(
            try self.size(#"{"system":[{"type":"text","text":"ab"}],"messages":[{"content":"c"}]}"#)
                == [3, 0, 0])
    }

    @Test(
        "only plain text of the Responses API may be cut",
        arguments: [
            (#"{"format":{"type":"json_schema","schema":{}}}"#, true),
            (#"{"verbosity":"low","format":{"name":"x"}}"#, true), (#"{"format":"json"}"#, true),
            (#"{"for\u006dat":{"type":"text"}}"#, true), (#"{"format":{"type":"text"}}"#, false),
            (#"{"format":null}"#, false), (#"{"verbosity":"low"}"#, false), ("null", false),
        ])
    func textFormat(_ written: String, _ isFormatted: Bool) throws {
        let body = try self.body("{\"input\":\"a\",\"text\":\(written),\"n\":1}")
        #expect(body.hasResponseFormat == isFormatted && body.choices == 1)
    }

    @Test func `a body that was never scanned claims nothing`() throws {
        let body = try self.body(#"{"max_tokens":5,"n":3,"prompt":"a","store":false}"#)
        body.reset()
        #expect(body.outputTokensMax == nil && body.choices == 1 && !body.writesIncludeUsage)
        #expect(body.isStored && RequestBody().outputTokensMax == nil)
    }

    @Test func `prompts are hashed with a seed that whoever writes them does not know`() throws {
        let json = "{\"prompt\":\"\(String(repeating: "a", count: 3000))\"}"
        func hashes(_ seed: UInt64) throws -> [UInt64] {
            let body = RequestBody()
            let padded = Array(json.utf8) + [UInt8](repeating: 0, count: BodyScanner.padding)
            try padded.withUnsafeBytes {
                try BodyScanner(seed: seed).scan(
                    UnsafeRawBufferPointer(rebasing: $0[..<json.utf8.count]), into: body)
            }
            return body.blockHashes + [body.promptHash]
        }
        let one = try hashes(1)
        #expect(try hashes(1) == one && one.count == 3)
        for seed in UInt64(2)..<20 { #expect(try Set(hashes(seed)).isDisjoint(with: one)) }
    }

    private func size(_ json: String) throws -> [UInt32] {
        let body = try self.body(json)
        return [body.promptBytes, body.promptIDs, body.images]
    }

    @Test func `a data URI is an image, but where engines read text`() throws {
        let uri = "data:image/png;base64," + String(repeating: "A", count: 40_000)
        func message(_ part: String) -> String {
            "{\"messages\":[{\"role\":\"user\",\"content\":[\(part)]}]}"
        }
        for part in [
            #"{"type":"image","image":"URI"}"#, #"{"type":"x","source":{"url":"URI"}}"#,
            #"{"type":"image_url","image_url":{"url":"URI"}}"#,
        ] {
            #expect(try self.size(message(part.replacing("URI", with: uri))) == [0, 0, 1])
        }
        // Whoever hides a text behind these words is charged for it.
        let long = UInt32(uri.utf8.count)
        for text in [
            message("{\"type\":\"text\",\"text\":\"\(uri)\"}"), "{\"prompt\":\"\(uri)\"}",
            "{\"messages\":[{\"content\":\"\(uri)\"}]}", "{\"input\":[\"\(uri)\"]}",
        ] {
            #expect(try self.size(text) == [long, 0, 0])
        }
    }

    @Test func `tools are a part of the prompt, a response format is none`() throws {
        let schema = #"{"type":"object","properties":{"a":{"type":"string","enum":["é", 7]}}}"#
        let tools = #"[ {"type":"function","function":{"name":"f","parameters":S}} ]"#
            .replacing("S", with: schema)
        let with = #"{"messages":[{"content":"abc"}],"tools":\#(tools) , "n":1}"#
        #expect(try self.size(with) == [3 + UInt32(tools.utf8.count), 0, 0])
        #expect(try self.body(with).hasTools)
        for none in ["[]", "[ \n]", "null"] {
            let body = try self.body("{\"prompt\":\"abc\",\"tools\":\(none)}")
            #expect(body.promptBytes == 3 && !body.hasTools, "\(none)")
        }
        let formatted = #"{"prompt":"abc","response_format":{"type":"json_schema","s":S}}"#
            .replacing("S", with: schema)
        #expect(try self.size(formatted) == [3, 0, 0])
        #expect(try self.body(formatted).hasResponseFormat)
        #expect(try self.body(with).promptHash != self.body(#"{"prompt":"abc"}"#).promptHash)
    }

    @Test func `what lies deeper than the scan goes counts by its bytes`() throws {
        let open = String(repeating: "[", count: 40)
        let close = String(repeating: "]", count: 40)
        for inner in [#""hidden""#, #"{"a":"hidden", "b":[1]}"#, ""] {
            let deep = "{\"messages\":[\(open)\(inner)\(close) , \"b\"]}"
            // 32 lists are looked into, the outermost with them: 9 of the 40 are not.
            #expect(try self.size(deep) == [UInt32(2 * 9 + inner.utf8.count + 1), 0, 0])
        }
    }

    @Test func `the prompt's hash follows its text`() throws {
        let one = try self.body(#"{"model":"a","prompt":"abc"}"#).promptHash
        #expect(try self.body(#"{"prompt":  "abc","n":1}"#).promptHash == one)
        #expect(try self.body(#"{"prompt":"abd"}"#).promptHash != one)
        #expect(
            try self.body(#"{"prompt":[1,2]}"#).promptHash
                != self.body(#"{"prompt":[2,1]}"#).promptHash)
    }

    @Test func `equal beginnings have equal blocks, whatever stands in between and behind`() throws
    {
        func blocks(_ texts: [String], _ more: String = "") throws -> [UInt64] {
            let messages = texts.map {
                "{\"role\":\"user\",\"content\":\"\($0)\"}"
            }
            return try self.body("{\"messages\":[\(messages.joined(separator: ","))]\(more)}")
                .blockHashes
        }
        let block = RequestBody.blockBytes
        let system = String(repeating: "s", count: 2 * block + 100)
        #expect(try blocks([String(repeating: "s", count: block - 1)]) == [])
        let one = try blocks([system, "what is it?"])
        #expect(one.count == 2 && Set(one).count == 2)
        #expect(try blocks([system, "another question"], ",\"n\":1") == one)
        let long = try blocks([system, String(repeating: "q", count: block)])
        #expect(long.count == 3 && Array(long[..<2]) == one)
        // What differs in the first block differs in all that follow.
        let other = try blocks(["t" + system.dropFirst(), "what is it?"])
        #expect(other.count == 2 && Set(other).isDisjoint(with: one))
        // A long conversation is told by its beginning.
        let longest = try blocks([String(repeating: "s", count: 400 * block)])
        #expect(longest.count == 256 && Array(longest[..<2]) == one)
    }

    @Test func `a prompt of ids has blocks of its own`() throws {
        func ids(_ count: Int, last: Int = 7) -> String {
            let all = (0..<count).map { $0 == count - 1 ? last : $0 }
            return "{\"prompt\":[\(all.map(String.init).joined(separator: ","))]}"
        }
        let blocks = try self.body(ids(600)).blockHashes
        #expect(blocks.count == 2)
        #expect(try self.body(ids(600, last: 8)).blockHashes == blocks)
        #expect(try self.body(ids(512, last: 8)).blockHashes[0] == blocks[0])
        #expect(try self.body(ids(512, last: 8)).blockHashes[1] != blocks[1])
    }

    @Test func `a body cut short anywhere is refused`() {
        let json = #"{"model":"a","messages":[{"role":"user","content":"x\"y"}],"n":1}"#
        for count in 0..<json.utf8.count {
            let cut = Array(json.utf8.prefix(count))
            #expect(throws: RequestBody.Fault.self, "at \(count)") { try self.scan(cut).get() }
        }
    }
}
