import Foundation
import Testing
import Wire

/// The size of a prompt beside Python's own `json`, which shares no code with the scan.
@Suite struct PromptSizeTests {
    /// Reads a body a line and prints bytes of text, ids and images, as docs of the scan say.
    private static let script = #"""
        import json, sys
        MEDIA = {"image_url", "input_image", "input_audio", "file", "video_url", "audio_url"}
        SKIPPED = {"type", "role", "id", "detail"}
        PLAIN = {"text", "content", "arguments", "output"}
        def walk(value, sums, plain=True):
            if isinstance(value, bool) or value is None: return
            if isinstance(value, str):
                if not plain and value.startswith("data:") and ";base64," in value[:128]:
                    sums[2] += 1
                else: sums[0] += len(value.encode("utf-8", "surrogatepass"))
            elif isinstance(value, (int, float)): sums[1] += 1
            elif isinstance(value, list):
                for item in value: walk(item, sums, plain)
            else:
                for key, item in value.items():
                    if key in MEDIA or key == "source" and isinstance(item, dict): sums[2] += 1
                    elif key not in SKIPPED: walk(item, sums, key in PLAIN)
        for line in sys.stdin:
            body, sums = json.loads(line), [0, 0, 0]
            for key in ("messages", "prompt", "input", "instructions", "system"):
                if key in body: walk(body[key], sums)
            # Tools stand at the end, in the bytes of their JSON.
            if body.get("tools"):
                sums[0] += len(line.strip()[line.index('"tools":') + 8:-1].encode())
            if sums[0]: sums[:2] = [sums[0] + 4 * sums[1], 0]
            print(*sums)
        """#

    private static func python(_ input: String) throws -> [String]? {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-c", Self.script]
        let (stdin, stdout) = (Pipe(), Pipe())
        process.standardInput = stdin
        process.standardOutput = stdout
        process.standardError = FileHandle.nullDevice
        try process.run()
        // Written from another thread: neither side waits for the other's pipe.
        Thread.detachNewThread {
            try? stdin.fileHandleForWriting.write(contentsOf: Data(input.utf8))
            try? stdin.fileHandleForWriting.close()
        }
        let output = stdout.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus != 127 else { return nil }
        return String(decoding: output, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    private static func scanned(_ text: String) -> String {
        let bytes = Array(text.utf8)
        let padded = bytes + [UInt8](repeating: 0x22, count: BodyScanner.padding)
        let body = RequestBody()
        do {
            try padded.withUnsafeBytes { raw in
                try BodyScanner().scan(
                    UnsafeRawBufferPointer(rebasing: raw[..<bytes.count]), into: body)
            }
        } catch { return "\(error)" }
        return "\(body.promptBytes) \(body.promptIDs) \(body.images)"
    }

    private static let pieces = [
        "abc", " ", "é", "日本", "😀", #"\n"#, #"\""#, #"\\"#, #"\/"#, #"\u0041"#, #"\u00e9"#,
        #"\u65E5"#, #"\ud83d\ude00"#, #"\uD83D"#, #"\ude00"#, #"\ud83d\u0041"#, #"\\u0041"#,
        #"\ud83d\ud83d\ude00"#, #"\u0000"#, #"\u07ff\u0800\uffff"#, "data:", ";base64,", "u00e9",
    ]

    private static func string(_ random: inout SplitMix64) -> String {
        let count = Int(random.next() % 12)
        return "\"" + (0..<count).map { _ in self.pieces.pick(&random) }.joined() + "\""
    }

    /// A value as a prompt may hold it, and as it may not.
    private static func value(_ random: inout SplitMix64, depth: Int = 0) -> String {
        switch random.next() % (depth < 4 ? 9 : 5) {
        case 0, 1, 2: return self.string(&random)
        case 3: return ["1", "0", "-3", "1e3", "0.5", "128000"].pick(&random)
        case 4: return ["null", "true", "false", "[]", "{}"].pick(&random)
        case 5, 6:
            let items = (0..<Int(random.next() % 5)).map { _ in
                self.value(&random, depth: depth + 1)
            }
            return "[" + items.joined(separator: " , ") + "]"
        default:
            let keys = [
                "type", "text", "content", "image_url", "role", "input_audio", "x", "id", "source",
            ]
            let from = Int(random.next() % 7)
            let fields = keys[from..<min(keys.count, from + 3)].map {
                "\"\($0)\" :\(self.value(&random, depth: depth + 1))"
            }
            return "{" + fields.joined(separator: ",") + "}"
        }
    }

    @Test func `the scan sizes a prompt as Python reads it`() throws {
        var random = SplitMix64(state: 20)
        let written = [
            #"{"messages":[{"role":"user","content":"caf\u00e9 \ud83d\ude00"}]}"#,
            #"{"prompt":[[1,2,3],[4]]}"#, #"{"input":["a","data:image/png;base64,AAAA"]}"#,
            #"{"messages":[{"content":[{"text":"hi\\"},{"image_url":{"url":"x"}}]}]}"#,
            #"{"prompt":"\\\\u0041\\","input":"","instructions":"b"}"#,
            #"{"messages":[{"image":"data:image/png;base64,AAAA","text":"a"}]}"#,
            #"{"messages":[{"content":"a"}],"tools":[{"type":"function"} , {"a":[1,"é"]}]}"#,
        ]
        let made = (0..<3_000).map { index in
            let key = ["messages", "prompt", "input", "instructions", "system"][index % 5]
            let tools = index % 3 == 0 ? ",\"tools\":[\(Self.value(&random))]" : ""
            return "{\"model\":\"m\",\"\(key)\":\(Self.value(&random))\(tools)}"
        }
        let bodies = written + made
        guard let expected = try Self.python(bodies.joined(separator: "\n")) else {
            try Test.cancel("no python3 to compare with")
        }
        try #require(expected.count == bodies.count)
        for (body, sums) in zip(bodies, expected) {
            #expect(Self.scanned(body) == sums, "\(body)")
        }
    }
}

extension Array {
    fileprivate func pick(_ random: inout SplitMix64) -> Element {
        self[Int(random.next() % UInt64(self.count))]
    }
}
