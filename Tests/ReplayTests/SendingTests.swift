import Foundation
import Replay
import Testing
import Workload

/// What is sent, and what is refused before anything is.
struct SendingTests {
    private static let header = "arrival_s,input_tokens,output_tokens,prefix,class\n"

    private func run(_ text: String, _ server: ScriptedServer) throws {
        let file = try TemporaryFile(Self.header + text)
        var settings = ReplaySettings(
            target: Target(server.address), trace: .file(.csv, path: file.path), model: "a/b")
        settings.tenantKey = "plm_k"
        settings.serviceClass = "batch"
        _ = try Replayer(settings).run()
    }

    @Test("A request has the trace's lengths, its class, its key and its model")
    func request() throws {
        let server = ScriptedServer { _, _ in .events(Chat.answer(tokens: 1)) }
        try self.run("0,1000,7,,\n0.001,3,8,,interactive\n", server)
        let requests = server.requests.sorted { $0.maxTokens < $1.maxTokens }
        #expect(requests.map(\.maxTokens) == [7, 8])
        #expect(requests.map { $0.prompt.utf8.count } == [4000, 12])
        #expect(requests.map { $0.field("x-plimsoll-class") } == ["batch", "interactive"])
        #expect(requests.map { $0.field("authorization") } == ["Bearer plm_k", "Bearer plm_k"])
        let first = try #require(requests.first)
        let body = try JSONSerialization.jsonObject(with: Data(first.body.utf8)) as? [String: Any]
        #expect(body?["model"] as? String == "a/b")
        #expect(body?["stream"] as? Bool == true)
        #expect(body?["ignore_eos"] as? Bool == true)
    }

    @Test("Equal prefix hashes give equal text; everything else differs from its first bytes on")
    func prefixes() throws {
        let server = ScriptedServer { _, _ in .events(Chat.answer(tokens: 1)) }
        try self.run("0,1500,1,7 8,\n0.001,1500,2,7 9,\n0.002,1500,3,,\n", server)
        let prompts = server.requests.sorted { $0.maxTokens < $1.maxTokens }.map(\.prompt)
        try #require(prompts.count == 3)
        let block = 512 * 4
        #expect(prompts[0].prefix(block) == prompts[1].prefix(block))
        #expect(prompts[0].dropFirst(block).prefix(8) != prompts[1].dropFirst(block).prefix(8))
        #expect(prompts[0].dropFirst(2 * block) != prompts[1].dropFirst(2 * block))
        #expect(prompts[0].prefix(20) != prompts[2].prefix(20))
        #expect(prompts.allSatisfy { $0.utf8.count == 6000 })
    }

    @Test("A fault in the last line is told with file and line before anything is sent")
    func badTrace() throws {
        let server = ScriptedServer { _, _ in .events(Chat.answer(tokens: 1)) }
        let file = try TemporaryFile(
            "arrival_s,input_tokens,output_tokens\n0,5,1\n0.1,x,1\n")
        var settings = ReplaySettings(
            target: Target(server.address), trace: .file(.csv, path: file.path), model: "m")
        settings.durationNanos = 1_000_000
        do {
            _ = try Replayer(settings).run()
            Issue.record("the trace was accepted")
        } catch {
            #expect(error.message.hasPrefix("\(file.path):3: input_tokens is \"x\""))
        }
        #expect(server.requests.isEmpty)
    }

    @Test("A file that is not there is named")
    func missingTrace() throws {
        let target = try Target(parsing: "http://127.0.0.1:1")
        let settings = ReplaySettings(
            target: target, trace: .file(.azure, path: "/nowhere/x.csv"), model: "m")
        do {
            _ = try Replayer(settings).run()
            Issue.record("the trace was accepted")
        } catch {
            #expect(error.message == "/nowhere/x.csv: cannot be opened: No such file or directory")
        }
    }

    /// Two gzip members that are one text of two rows.
    private static let gzip =
        Data(
            base64Encoded:
                "H4sIAAAAAAACA0ssKsosS8yJL9bJzCsoLYkvyc9OzSvWyS8tQfC4DHRMdQy5ACMDhlsrAAAAH4sI"
                + "AAAAAAACAzPQMzAw1DHTMeICAMv2Qc4KAAAA") ?? Data()

    @Test("A gzip trace is read as the text it holds, whatever its name")
    func gzipTrace() throws {
        #expect(try Self.text(Self.gzip).split(separator: "\n").count == 3)
    }

    @Test("gzip data that is cut or damaged is refused")
    func brokenGzip() throws {
        #expect(throws: TraceFault(line: 0, message: "the gzip data ends too early")) {
            try Self.text(Self.gzip.dropLast(9))
        }
        var damaged = Self.gzip
        damaged[12] ^= 0xFF
        #expect(throws: TraceFault(line: 0, message: "the gzip data is damaged")) {
            try Self.text(damaged)
        }
    }

    private static func text(_ data: Data) throws -> String {
        let copy = try TemporaryFile(data)
        let file = try TraceFile(path: copy.path)
        var text: [UInt8] = []
        while let piece = try file.next() { text += piece }
        return String(decoding: text, as: UTF8.self)
    }

    @Test("The first model of the list is taken")
    func models() throws {
        let server = ScriptedServer { request, _ in
            request.head.hasPrefix("GET /v1/models ")
                ? .plain(
                    status: 200,
                    body: #"{"object":"list","data":[{"id":"org\/one"},{"id":"two"}]}"#)
                : .plain(status: 404, body: "")
        }
        #expect(try Replayer.firstModel(of: Target(server.address)) == "org/one")
        let empty = ScriptedServer { _, _ in .plain(status: 200, body: #"{"data":[]}"#) }
        #expect(throws: ReplayFault.self) {
            try Replayer.firstModel(of: Target(empty.address))
        }
    }

    @Test("Targets are read with and without port and path, and bad ones say what is right")
    func targets() throws {
        let plain = try Target(parsing: "http://127.0.0.1:8080/v1/")
        #expect(plain.host == "127.0.0.1" && plain.port == 8080 && plain.path.isEmpty)
        let secure = try Target(parsing: "https://models.example/prefix")
        #expect(secure.isTLS && secure.port == 443 && secure.path == "/prefix")
        #expect(try Target(parsing: "http://[::1]:9").host == "::1")
        for bad in [
            "127.0.0.1:80", "http://", "http://a:0", "http://a:x", "http://u@a", "http://a b",
        ] {
            #expect(throws: ReplayFault.self, "\(bad)") { try Target(parsing: bad) }
        }
    }
}
