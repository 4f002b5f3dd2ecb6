import Foundation
import Testing
import Wire

/// The codec beside h11, an independent parser: whatever it refuses is refused here, and whatever
/// both accept is read alike.
@Suite struct OracleTests {
    /// A Python with h11: named by the environment, or the project's own.
    static let python: String? = {
        let root = "\(#filePath)".split(separator: "/").dropLast(3).joined(separator: "/")
        let named = ProcessInfo.processInfo.environment["PLIMSOLL_PYTHON"]
        for path in [named, "/\(root)/.build/venv/bin/python3"].compactMap({ $0 }) {
            guard let result = try? Self.run(path, "import h11", [])?.status, result == 0
            else { continue }
            return path
        }
        return nil
    }()

    private static func run(
        _ python: String, _ script: String, _ input: [UInt8]
    ) throws -> (status: Int32, output: [UInt8])? {
        guard FileManager.default.isExecutableFile(atPath: python) else { return nil }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: python)
        process.arguments = ["-c", script]
        let (stdin, stdout) = (Pipe(), Pipe())
        process.standardInput = stdin
        process.standardOutput = stdout
        process.standardError = FileHandle.nullDevice
        try process.run()
        // The script reads all of its input before it writes.
        try? stdin.fileHandleForWriting.write(contentsOf: input)
        try? stdin.fileHandleForWriting.close()
        let output = [UInt8](stdout.fileHandleForReading.readDataToEndOfFile())
        process.waitUntilExit()
        return (process.terminationStatus, output)
    }

    private static let script = """
        import re, sys, h11
        for line in sys.stdin.read().split():
            data = bytes.fromhex(line)
            c = h11.Connection(h11.SERVER)
            out = []
            try:
                c.receive_data(data)
                body = b''
                while True:
                    e = c.next_event()
                    if isinstance(e, h11.Request):
                        target = re.sub('^http://[^/]*', '', e.target.decode('latin1'))
                        out += [e.method.decode(), target]
                        out += [n.decode() + '=' + v.decode('latin1') for n, v in e.headers]
                    elif isinstance(e, h11.Data): body += bytes(e.data)
                    elif isinstance(e, h11.EndOfMessage):
                        print('whole', body.hex(), '\\t'.join(out).lower().encode().hex()); break
                    elif e in (h11.NEED_DATA, h11.PAUSED): print('more'); break
            except h11.RemoteProtocolError: print('refused')
        """

    @Test func `whatever h11 refuses is refused, and what both accept is read alike`() throws {
        guard let python = Self.python else {
            try Test.cancel("no Python with h11; scripts/setup makes one")
        }
        var random = SplitMix64(state: 11)
        let requests = (0..<4_000).map { _ in RandomRequest.make(&random) }
        let lines = requests.map { $0.map { String(format: "%02x", $0) }.joined() }
        let result = try Self.run(python, Self.script, Array(lines.joined(separator: "\n").utf8))
        let output = String(decoding: result?.output ?? [], as: UTF8.self)
        let verdicts = output.split(separator: "\n").map { $0.split(separator: " ") }
        try #require(verdicts.count == requests.count)
        var both = 0
        for (request, verdict) in zip(requests, verdicts) {
            let reading = RequestReading(request, cuts: [])
            let text = String(decoding: request, as: UTF8.self)
            if verdict[0] == "refused" {
                #expect(reading.fault != nil || !reading.isComplete, "\(text.debugDescription)")
            } else if verdict[0] == "whole", reading.fault == nil {
                both += 1
                #expect(reading.isComplete, "\(text.debugDescription)")
                #expect(
                    Self.expected(reading) == verdict.dropFirst().map(String.init).suffix(2),
                    "\(text.debugDescription)")
            }
        }
        #expect(both > 400)
    }

    /// A reading in the words of the script.
    private static func expected(_ reading: RequestReading) -> [String] {
        func hex(_ bytes: [UInt8]) -> String {
            bytes.map { String(format: "%02x", $0) }.joined()
        }
        let fields = reading.fields.map { field in
            let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return "\(parts[0].lowercased())=\(parts[1])"
        }
        let words = ([reading.method, reading.target] + fields).joined(separator: "\t").lowercased()
        return (reading.body.isEmpty ? [] : [hex(reading.body)]) + [hex(Array(words.utf8))]
    }
}

/// Requests that are mostly sound, with a little damage.
enum RandomRequest {
    private static let fields = [
        "Host: a", "Host: b:80", "Content-Length: 3", "Content-Length: 0", "Content-Length: 3, 3",
        "Transfer-Encoding: chunked", "Transfer-Encoding: Chunked", "Transfer-Encoding: gzip",
        "Connection: close", "X-A: 1", "x-b:  two words ", "X-C:", "Expect: 100-continue",
        "Content-Length: 03", "X D: 1", " folded", "X-E: \"q\"; r=s",
    ]
    private static let damage: [[UInt8]] = [
        [0], [9], [10], [13], [13, 10], [32], [58], [44], [127], [0x30], [0x61], [],
    ]

    static func make(_ random: inout SplitMix64) -> [UInt8] {
        let method = ["GET", "POST", "PUT"].randomElement(using: &random) ?? "GET"
        let target = ["/", "/a?b", "*", "http://h/p"].randomElement(using: &random) ?? "/"
        var lines = ["\(method) \(target) HTTP/1.1"]
        if Int.random(in: 0..<8, using: &random) > 0 { lines.append("Host: a") }
        for _ in 0..<Int.random(in: 0...3, using: &random) {
            lines.append(Self.fields.randomElement(using: &random) ?? "")
        }
        let body = ["", "abc", "3\r\nabc\r\n0\r\n\r\n", "1;x\r\na\r\n0\r\nT: 1\r\n\r\n"]
        var text = Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
        text += Array((body.randomElement(using: &random) ?? "").utf8)
        for _ in 0..<Int.random(in: 0...2, using: &random) where Bool.random(using: &random) {
            let at = Int.random(in: 0..<text.count, using: &random)
            let end = min(text.count, at + Int.random(in: 0...1, using: &random))
            text.replaceSubrange(at..<end, with: Self.damage.randomElement(using: &random) ?? [])
        }
        return text
    }
}
