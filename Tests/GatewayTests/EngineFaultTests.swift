import EventLoop
import Foundation
import Gateway
import Glibc
import TestSockets
import Testing

private let milliseconds: UInt64 = 1_000_000

/// What a broken engine does with a request.
struct Broken: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var serve: @Sendable (RawSocket, RawMessage) -> Bool

    init(_ words: String, _ serve: @escaping @Sendable (RawSocket, RawMessage) -> Bool) {
        (self.testDescription, self.serve) = (words, serve)
    }

    init(_ words: String, says text: String) {
        self.init(words) { socket, _ in
            socket.send(text)
            return false
        }
    }
}

@Suite struct EngineFaultTests {
    @Test func `a request that is answered before it is read leaves no connection to the next`()
        throws
    {
        let goOn = DispatchSemaphore(value: 0)
        let server = RawServer(readsBodies: false) { socket, request in
            guard request.path == "/v1/chat/completions" else {
                return socket.send(Wire.text(200, ""))
            }
            guard request["content-length"].flatMap(Int.init) ?? 0 > 1 << 20 else {
                return socket.send(Wire.text(200, Wire.answer))
            }
            socket.send(Wire.text(413, "{}"))
            _ = goOn.wait(timeout: .now() + 15)
            return false
        }
        defer { goOn.signal() }
        let gateway = try TestGateway([server.port])
        let long = String(repeating: "x", count: 16 << 20)
        #expect(gateway.ask(",\"user\":\"\(long)\"")?.status == 413)
        #expect(gateway.ask()?.status == 200)
    }

    private static let drained =
        #"{"error":{"message":"cannot schedule new futures after shutdown","#
        + #""type":"InternalServerError","param":null,"code":500}}"#

    @Test(
        "what one engine cannot answer another does",
        arguments: [
            Broken("killed before a byte", says: ""),
            Broken("reset before a byte") { socket, _ in
                socket.reset()
                return false
            },
            Broken("busy", says: Wire.text(503, "{}")),
            Broken("leaving", says: Wire.text(500, drained)),
            Broken("killed in the head", says: "HTTP/1.1 200 OK\r\ncontent-"),
            Broken("killed behind the head", says: Wire.streamHead),
        ])
    func retried(_ broken: Broken) throws {
        let good = engine { socket, _ in
            socket.send(Wire.stream([Wire.role, Wire.token("a"), Wire.done]))
        }
        let bad = engine(broken.serve)
        let gateway = try TestGateway([bad.port, good.port])
        for _ in 0..<6 {
            let answer = gateway.ask(",\"stream\":true")
            #expect(answer?.status == 200 && answer?.text.hasSuffix(Wire.done) == true)
        }
    }

    @Test(
        "an engine that answers nonsense is a bad gateway, told as JSON",
        arguments: [
            "garbage\r\n\r\n", "HTTP/1.1 two OK\r\n\r\n", "HTTP/1.1 200 OK\r\nX : 1\r\n\r\n",
            "HTTP/1.1 101 Switching\r\n\r\n", "\0\0\0\0\r\n\r\n", "HTTP/1.1 200 OK\nA: 1\n\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", "HTTP/1.1 999 X\r\n\r\n",
        ])
    func nonsense(_ text: String) throws {
        let server = engine { socket, _ in
            socket.send(text)
            return false
        }
        let answer = try TestGateway([server.port]).ask()
        #expect(answer?.status == 502 && errorCode(answer) == "bad_engine_answer")
    }

    @Test(
        "a stream that breaks ends in an error event, without [DONE], and closes",
        arguments: [
            Broken("killed", says: Wire.streamHead + Wire.chunk(Wire.role + Wire.token("a"))),
            Broken("killed inside an event") { socket, _ in
                socket.send(
                    Wire.streamHead + Wire.chunk(Wire.role + Wire.token("a") + "data: {\"ch"))
                return false
            },
            Broken("a garbage chunk") { socket, _ in
                socket.send(Wire.streamHead + Wire.chunk(Wire.role + Wire.token("a")) + "zz\r\n")
                return false
            },
            Broken(
                "ended in good form without [DONE]",
                says: Wire.stream([Wire.role, Wire.token("a")])),
        ])
    func broken(_ broken: Broken) throws {
        let gateway = try TestGateway([engine(broken.serve).port])
        let client = gateway.client()
        client.send(TestGateway.chat(",\"stream\":true"))
        let answer = client.message()
        let text = answer?.text ?? ""
        #expect(answer?.isWhole == true && !text.contains("[DONE]"))
        #expect(text.hasPrefix(Wire.role + Wire.token("a") + "data: {\"error\":{"), "\(text)")
        #expect(text.hasSuffix("}\n\n") && client.ends())
    }

    @Test func `a responses stream that breaks ends in an error event of its own`() throws {
        let delta =
            "event: response.output_text.delta\n"
            + #"data: {"type":"response.output_text.delta","delta":"a"}"# + "\n\n"
        let server = engine { socket, _ in
            socket.send(Wire.streamHead + Wire.chunk(delta))
            return false
        }
        let gateway = try TestGateway([server.port])
        let client = gateway.client()
        client.send(
            TestGateway.post(
                #"{"model":"m","input":"x","stream":true,"store":false}"#, path: "/v1/responses"))
        let text = client.message()?.text ?? ""
        #expect(text.hasPrefix(delta + "event: error\ndata: {"), "\(text)")
        #expect(client.ends())
    }

    @Test(
        "a stream that passed unread and breaks inside an event ends in an error event of its own",
        arguments: [
            (
                "/v1/messages", "event: delta\ndata: {\"text\":\"a\"}\n\n",
                "event: delta\ndata: {\"te"
            ),
            ("/v1/messages", "", "data: {}\r"),
            // Too long to be held: from there on it passes unread.
            ("/v1/chat/completions", Wire.role, "data: " + String(repeating: "x", count: 1 << 20)),
        ])
    func glued(_ path: String, _ event: String, _ half: String) throws {
        let server = engine { socket, _ in
            socket.send(Wire.streamHead + Wire.chunk(event + half))
            return false
        }
        let gateway = try TestGateway([server.port])
        let client = gateway.client()
        client.send(TestGateway.post(#"{"model":"m","stream":true,"prompt":"x"}"#, path: path))
        let answer = client.message()
        let text = try #require(answer).text
        #expect(answer?.isWhole == true && client.ends())
        // What came is there, and a blank line parts it from ours.
        let before = event + half + "\n\n"
        #expect(text.utf8.starts(with: before.utf8))
        let last = String(decoding: text.utf8.dropFirst(before.utf8.count), as: UTF8.self)
        #expect(last.hasPrefix("data: {") && last.hasSuffix("}\n\n"))
        let json = try JSONSerialization.jsonObject(with: Data(last.dropFirst(6).utf8))
        let error = (json as? [String: Any])?["error"] as? [String: Any]
        #expect(error?["code"] as? String == "bad_engine_answer")
    }

    @Test func `an answer that breaks behind its head is never taken for a whole one`() throws {
        let server = engine { socket, _ in
            socket.send("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"id\":")
            return false
        }
        let gateway = try TestGateway([server.port])
        let client = gateway.client()
        client.send(TestGateway.chat())
        #expect(client.message()?.isWhole != true)
        #expect(client.ends())
    }

    @Test(.timed) func `an engine that stalls is given up inside the deadline`() throws {
        let server = engine { socket, _ in
            _ = socket.receive()
            return false
        }
        let budget = TestGateway.budget([server.port], deadline: "400ms")
        let gateway = try TestGateway([server.port], budget: budget)
        let start = monotonicNanos()
        let answer = gateway.ask(",\"stream\":true")
        let took = monotonicNanos() - start
        #expect(answer?.status == 504 && errorCode(answer) == "engine_stalled")
        #expect(took > 350 * milliseconds && took < 1_500 * milliseconds, "\(took) ns")
    }

    @Test func `a whole answer that never comes is given up too`() throws {
        let server = engine { socket, _ in
            _ = socket.receive()
            return false
        }
        let gateway = try TestGateway([server.port]) { $0.answerNanosMax = 200_000_000 }
        let answer = gateway.ask()
        #expect(answer?.status == 504 && errorCode(answer) == "engine_stalled")
    }

    @Test func `a stream that falls silent is given up, and the client is told`() throws {
        let server = engine { socket, _ in
            socket.send(Wire.streamHead + Wire.chunk(Wire.token("a")))
            _ = socket.receive()
            return false
        }
        let gateway = try TestGateway([server.port]) { $0.streamSilenceNanosMax = 200_000_000 }
        let answer = gateway.ask(",\"stream\":true")
        #expect(answer?.text.contains("engine_stalled") == true)
        #expect(answer?.text.contains("[DONE]") == false)
    }

    @Test func `an engine that is gone is unavailable, and another takes its work`() throws {
        let good = engine { socket, _ in socket.send(Wire.text(200, Wire.answer)) }
        let gone = engine { _, _ in false }
        let gateway = try TestGateway([gone.port, good.port])
        let alone = try TestGateway([gone.port])
        gone.stop()
        for _ in 0..<6 { #expect(gateway.ask()?.status == 200) }
        let answer = alone.ask()
        #expect(answer?.status == 503 && errorCode(answer) != nil)
        #expect(answer?["retry-after"] != nil && answer?["retry-after-ms"] != nil)
    }

    @Test func `an engine's own error reaches the client when no try is left`() throws {
        let body = #"{"error":{"message":"out of memory","type":"x","param":null,"code":500}}"#
        let server = engine { socket, _ in socket.send(Wire.text(500, body)) }
        let answer = try TestGateway([server.port]).ask()
        #expect(answer?.status == 500 && answer?.text == body)
    }

    @Test(
        "metrics that lie stop nothing",
        arguments: [
            "NaN", "-5", "1e308", "+Inf", "0x7fffffffffffffff", "99999999999999999999", "x",
        ])
    func lies(_ value: String) throws {
        let metrics =
            "vllm:num_requests_running \(value)\nvllm:num_requests_waiting \(value)\n"
            + "vllm:kv_cache_usage_perc \(value)\n"
        let server = engine(metrics: metrics) { socket, _ in
            socket.send(Wire.text(200, Wire.answer))
        }
        let gateway = try TestGateway([server.port])
        #expect(eventually { server.requests(to: "/metrics").count > 2 })
        #expect(gateway.ask()?.status == 200)
    }

    @Test func `questions about health and metrics leave no connections behind`() throws {
        let server = engine(metrics: "vllm:num_requests_running 1\n") { _, _ in false }
        let gateway = try TestGateway([server.port])
        #expect(eventually { server.requests(to: "/metrics").count > 20 })
        #expect(server.openCount.withLock { $0 } <= 4)
        #expect(gateway.gateway.address.port > 0)
    }

    @Test func `bytes behind an engine's answer never reach another request`() throws {
        let poison = Wire.text(200, #"{"poison":true}"#)
        let server = engine { socket, _ in socket.send(Wire.text(200, Wire.answer) + poison) }
        let gateway = try TestGateway([server.port])
        let client = gateway.client()
        for _ in 0..<20 {
            client.send(TestGateway.chat())
            #expect(client.message()?.text == Wire.answer)
        }
    }

    @Test func `a kept connection that died meanwhile costs the client nothing`() throws {
        let server = engine { socket, _ in
            socket.send(Wire.text(200, Wire.answer))
            return false
        }
        let gateway = try TestGateway([server.port])
        let client = gateway.client()
        for _ in 0..<20 {
            client.send(TestGateway.chat())
            #expect(client.message()?.status == 200)
        }
    }

    @Test func `an engine of HTTP 1.0 that ends by closing is relayed whole`() throws {
        let server = engine { socket, _ in
            socket.send("HTTP/1.0 200 OK\r\ncontent-type: application/json\r\n\r\n" + Wire.answer)
            return false
        }
        let answer = try TestGateway([server.port]).ask()
        #expect(answer?.isWhole == true && answer?.text == Wire.answer)
    }

    @Test func `a request that must not be repeated is not sent twice`() throws {
        let server = engine { socket, request in
            if request.text.contains("first") { return socket.send(Wire.text(200, Wire.answer)) }
            return false
        }
        let gateway = try TestGateway([server.port])
        let client = gateway.client()
        let first = #"{"model":"m","input":"first"}"#
        client.send(TestGateway.post(first, path: "/v1/responses"))
        #expect(client.message()?.status == 200)
        client.send(TestGateway.post(#"{"model":"m","input":"second"}"#, path: "/v1/responses"))
        #expect(client.message()?.status == 502)
        #expect(server.requests(to: "/v1/responses").count == 2)
    }
}
