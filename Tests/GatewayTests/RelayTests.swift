import Foundation
import Gateway
import TestSockets
import Testing

@Suite struct RelayTests {
    private static let usageChunk =
        #"data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2}}"# + "\n\n"

    private func streaming(_ events: [String]) -> RawServer {
        engine { socket, _ in socket.send(Wire.stream(events)) }
    }

    @Test func `an answer passes byte for byte, and its tokens are counted`() throws {
        let server = engine { socket, _ in socket.send(Wire.text(200, Wire.answer)) }
        let gateway = try TestGateway([server.port])
        let answer = gateway.ask()
        #expect(answer?.status == 200 && answer?.text == Wire.answer)
        #expect(answer?["x-request-id"]?.isEmpty == false && answer?["x-plimsoll-queue-ms"] != nil)
        let record = gateway.records.withLock { $0.first }
        #expect(record?.promptTokens == 3 && record?.outputTokens == 1)
    }

    @Test(
        "an engine's refusal passes byte for byte", arguments: [400, 404, 422, 429])
    func refusals(_ status: Int) throws {
        let body = #"{"error": {"message":"é no","type":"BadRequestError","param":null,"code":1}}"#
        let server = engine { socket, _ in socket.send(Wire.text(status, body)) }
        let gateway = try TestGateway([server.port])
        let answer = gateway.ask()
        #expect(answer?.status == status && answer?.text == body)
        #expect(server.requests(to: "/v1/chat/completions").count == 1)
    }

    @Test func `a stream passes event for event however the engine cuts it`() throws {
        let events = [Wire.role, Wire.token("a"), Wire.token("usage"), ": ping\n\n", Wire.done]
        let text = events.joined()
        let step = Locked(1)
        let server = engine { socket, _ in
            let size = step.withLock { $0 }
            var rest = text.utf8[...]
            socket.send(Wire.streamHead)
            while !rest.isEmpty {
                let piece = String(decoding: rest.prefix(size), as: UTF8.self)
                socket.send(Wire.chunk(piece))
                rest = rest.dropFirst(size)
            }
            return socket.send(Wire.lastChunk)
        }
        let gateway = try TestGateway([server.port])
        for size in [1, 2, 3, 7, 50, 1_000] {
            step.withLock { $0 = size }
            let answer = gateway.ask(",\"stream\":true")
            #expect(answer?.isWhole == true && answer?.text == text, "pieces of \(size)")
        }
    }

    @Test func `usage that the client did not ask for is asked for and dropped again`() throws {
        let null = ",\"usage\":null"
        let server = self.streaming(
            [
                Wire.role, Wire.token("usage", null), Wire.token("b", null), Self.usageChunk,
                Wire.done,
            ])
        let gateway = try TestGateway([server.port])
        let answer = gateway.ask(",\"stream\":true")
        #expect(
            answer?.text == Wire.role + Wire.token("usage") + Wire.token("b") + Wire.done)
        let body = server.requests(to: "/v1/chat/completions").first?.text
        #expect(
            body?.hasSuffix(#","stream":true,"stream_options":{"include_usage":true}}"#) == true)
        let record = gateway.records.withLock { $0.first }
        #expect(record?.promptTokens == 5 && record?.outputTokens == 2)
    }

    @Test func `usage that the client asked for is kept`() throws {
        let events = [Wire.token("a", ",\"usage\":null"), Self.usageChunk, Wire.done]
        let server = self.streaming(events)
        let gateway = try TestGateway([server.port])
        let more = #","stream":true,"stream_options":{"include_usage":true}"#
        #expect(gateway.ask(more)?.text == events.joined())
        #expect(
            server.requests(to: "/v1/chat/completions").first?.text.contains(more) == true)
    }

    @Test(
        "include_usage is added to every form of stream_options, and never beside the client's own",
        arguments: [
            ("", #","stream_options":{"include_usage":true}"#),
            (#","stream_options":null"#, #","stream_options":{"include_usage":true}"#),
            (#","stream_options": {}"#, #","stream_options": {"include_usage":true}"#),
            (#","stream_options":{ "a":1}"#, #","stream_options":{"include_usage":true, "a":1}"#),
            (
                #","stream_options":{"include_usage":false}"#,
                #","stream_options":{"include_usage":false}"#
            ),
            (
                #","stream_options":{"include_usage":null}"#,
                #","stream_options":{"include_usage":null}"#
            ),
        ])
    func options(_ written: String, _ sent: String) throws {
        let server = self.streaming([Wire.token("a"), Wire.done])
        let gateway = try TestGateway([server.port])
        #expect(gateway.ask(",\"stream\":true" + written)?.status == 200)
        let body = server.requests(to: "/v1/chat/completions").first?.text ?? ""
        #expect(body.hasSuffix(",\"stream\":true" + sent + "}"), "\(body)")
        #expect((try? JSONSerialization.jsonObject(with: Data(body.utf8))) != nil)
    }

    @Test func `an alias becomes the engine's name and nothing else changes`() throws {
        let server = engine { socket, _ in socket.send(Wire.text(200, Wire.answer)) }
        let budget = TestGateway.budget([server.port], engine: ", servedModelName: org/real")
        let gateway = try TestGateway([server.port], budget: budget)
        let client = gateway.client()
        for name in ["alias", "m"] {
            client.send(TestGateway.post(#"{ "x":"m", "model" : "\#(name)","prompt":"m" }"#))
            #expect(client.message()?.status == 200)
            let body = server.requests(to: "/v1/chat/completions").last?.text
            #expect(body == #"{ "x":"m", "model" : "org/real","prompt":"m" }"#)
        }
    }

    @Test func `what is the client's or the gateway's own is never forwarded`() throws {
        let server = engine { socket, _ in socket.send(Wire.text(200, Wire.answer)) }
        let budget = TestGateway.budget(
            [server.port], engine: ", auth: {bearerFrom: {env: PLIMSOLL_TEST_KEY}}")
        setenv("PLIMSOLL_TEST_KEY", "engine-secret", 1)
        let gateway = try TestGateway([server.port], budget: budget)
        let fields = [
            "Authorization: Bearer client-secret", "Proxy-Authorization: x", "TE: trailers",
            "Connection: keep-alive, X-Hop", "X-Hop: 1", "Keep-Alive: timeout=5", "Upgrade: h2c",
            "X-Plimsoll-Class: low", "X-Plimsoll-Deadline-Ms: 4000", "X-Plimsoll-Queue: 1",
            "X-Plimsoll-Anything-Else-At-All: 1", "Accept-Encoding: gzip", "X-Mine: kept",
            "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "X-Request-Id: mine-1",
        ]
        let answer = gateway.ask(fields: fields.map { $0 + "\r\n" }.joined())
        #expect(answer?.status == 200 && answer?["x-request-id"] == "mine-1")
        let request = server.requests(to: "/v1/chat/completions").first
        let names = Set(request?.fields.map(\.name) ?? [])
        #expect(
            names == [
                "host", "content-type", "content-length", "authorization", "accept-encoding",
                "x-mine", "traceparent", "x-request-id",
            ])
        #expect(request?["authorization"] == "Bearer engine-secret")
        #expect(request?["host"] == "127.0.0.1:\(server.port)")
        #expect(request?["accept-encoding"] == "identity")
        #expect(request?.fields.count == names.count)
    }

    @Test func `every field that Connection names stays here, however short or far apart`() throws {
        let server = engine { socket, _ in socket.send(Wire.text(200, Wire.answer)) }
        let gateway = try TestGateway([server.port])
        for (fields, hop) in [
            ("Connection: x-a\r\nX-A: 1\r\n", "x-a"),
            ("Connection: keep-alive\r\nConnection: X-Hop\r\nX-Hop: 1\r\n", "x-hop"),
        ] {
            #expect(gateway.ask(fields: fields)?.status == 200)
            #expect(server.requests(to: "/v1/chat/completions").last?[hop] == nil)
        }
    }

    @Test func `pipelined requests are answered in order over two loops`() throws {
        let server = engine { socket, request in
            socket.send(Wire.text(200, "{\"said\":\"\(request["x-n"] ?? "")\"}"))
        }
        let gateway = try TestGateway([server.port], loops: 2)
        for _ in 0..<4 {
            let client = gateway.client()
            client.send((0..<30).map { TestGateway.chat(fields: "X-N: \($0)\r\n") }.joined())
            for index in 0..<30 {
                #expect(client.message()?.text == "{\"said\":\"\(index)\"}")
            }
        }
    }

    @Test func `requests of two loops share one engine's room`() throws {
        let busy = Locked((now: 0, most: 0))
        let server = engine { socket, _ in
            busy.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
            // A moment of work, so that requests meet.
            var moment = pollfd(fd: -1, events: 0, revents: 0)
            poll(&moment, 1, 2)
            busy.withLock { $0.now -= 1 }
            return socket.send(Wire.text(200, Wire.answer))
        }
        let budget = TestGateway.budget(
            [server.port], deadline: "10m", engine: ", limits: {concurrentRequests: 2}")
        let gateway = try TestGateway([server.port], loops: 2, budget: budget)
        let clients = (0..<24).map { _ in gateway.client() }
        let one = TestGateway.chat(",\"max_tokens\":1")
        for client in clients { client.send(one + one) }
        for client in clients {
            #expect(client.message()?.status == 200)
            #expect(client.message()?.status == 200)
        }
        #expect(busy.withLock { $0.most } <= 2)
    }
}
