import EventLoop
import Foundation
import Gateway
import Glibc
import HTTP
import TestSockets
import Testing

private let milliseconds: UInt64 = 1_000_000

/// When an engine saw its connection end.
final class Endings: Sendable {
    let at = Locked<[UInt64]>([])

    /// Sends the start of a stream, then waits for the end.
    func serve(_ socket: RawSocket) -> Bool {
        socket.send(Wire.streamHead + Wire.chunk(Wire.role + Wire.token("a")))
        _ = socket.receive()
        let now = monotonicNanos()
        self.at.withLock { $0.append(now) }
        return false
    }
}

@Suite struct ClientFaultTests {
    @Test(
        "a client that goes in a stream cancels its engine request", .timed,
        arguments: [false, true])
    func gone(_ byReset: Bool) throws {
        let endings = Endings()
        let server = engine { socket, _ in endings.serve(socket) }
        let gateway = try TestGateway([server.port])
        var delays: [UInt64] = []
        for round in 1...9 {
            let client = gateway.client()
            client.send(TestGateway.chat(",\"stream\":true"))
            _ = client.receive(until: "\"a\"")
            let left = monotonicNanos()
            if byReset { client.reset() } else { client.close() }
            #expect(eventually { endings.at.withLock { $0.count == round } })
            delays.append((endings.at.withLock { $0.last ?? 0 }) &- left)
        }
        delays.sort()
        // The bound is 10 ms; a shared machine may hold one thread or the other back for a while.
        #expect(delays[4] < 10 * milliseconds, "\(delays)")
        #expect(gateway.records.withLock { $0.allSatisfy { $0.outcome == .abandoned } })
    }

    @Test func `a client that goes while it waits is never sent to an engine`() throws {
        let endings = Endings()
        let server = engine { socket, _ in endings.serve(socket) }
        let budget = TestGateway.budget(
            [server.port], deadline: "20s", engine: ", limits: {concurrentRequests: 1}")
        let gateway = try TestGateway([server.port], budget: budget)
        let first = gateway.client()
        first.send(TestGateway.chat(",\"stream\":true"))
        _ = first.receive(until: "\"a\"")
        let second = gateway.client()
        second.send(TestGateway.chat(fields: "X-Mine: second\r\n"))
        second.close()
        #expect(eventually { gateway.records.withLock { $0.count == 1 } })
        first.close()
        #expect(eventually { gateway.records.withLock { $0.count == 2 } })
        #expect(!server.requests.withLock { $0.contains { $0["x-mine"] != nil } })
    }

    @Test func `a client that reads slowly holds its engine back, not the memory`() throws {
        let sent = Locked(0)
        let event = Wire.token(String(repeating: "x", count: 16_000))
        let server = engine { socket, _ in
            socket.send(Wire.streamHead)
            for _ in 0..<4_000 where socket.send(Wire.chunk(event)) {
                sent.withLock { $0 += 1 }
            }
            return socket.send(Wire.chunk(Wire.done) + Wire.lastChunk)
        }
        let gateway = try TestGateway([server.port])
        let client = RawSocket(port: gateway.gateway.address.port, receiveBytes: 4_096)
        client.send(TestGateway.chat(",\"stream\":true"))
        // The engine comes to rest once every buffer on the way is full.
        var before = -1
        while before != sent.withLock({ $0 }) {
            before = sent.withLock { $0 }
            var moment = pollfd(fd: -1, events: 0, revents: 0)
            poll(&moment, 1, 500)
        }
        #expect(before < 2_000)
        let answer = client.message()
        #expect(answer?.isWhole == true && answer?.text.hasSuffix(Wire.done) == true)
        #expect(answer?.body.count == event.utf8.count * 4_000 + Wire.done.utf8.count)
    }

    private static let keys = """
        ---
        apiVersion: plimsoll.dev/v1alpha1
        kind: Tenant
        metadata: {name: t}
        spec:
          keys: [KEY]
          models: [m]
          classCeiling: standard
        ---
        apiVersion: plimsoll.dev/v1alpha1
        kind: Model
        metadata: {name: other}
        spec:
          engine: {kind: vllm, endpoints: ["http://127.0.0.1:PORT"]}
          budget: {deadline: {timeToFirstToken: 5s}}
          classes: {standard: {priority: 5}}
        """

    @Test func `a client's faults are answered as OpenAI answers them`() throws {
        let server = engine { socket, _ in socket.send(Wire.text(200, Wire.answer)) }
        let gateway = try TestGateway([server.port]) {
            $0.server.bodyBytesMax = 1_000
        }
        let long = String(repeating: "x", count: 70_000)
        let json = "Content-Type: application/json\r\n"
        let cases: [(String, Int)] = [
            (TestGateway.post("{"), 400), (TestGateway.post("[]"), 400),
            (TestGateway.post(#"{"messages":[]}"#), 400),
            (TestGateway.post(#"{"model":"m","model":"m"}"#), 400),
            (TestGateway.chat(",\"stream\":1"), 400),
            (TestGateway.chat(fields: "X-Plimsoll-Class: none\r\n"), 400),
            (TestGateway.chat(fields: "X-Plimsoll-Deadline-Ms: soon\r\n"), 400),
            (TestGateway.chat(model: "nobody"), 404),
            (TestGateway.post("{}", path: "/nowhere"), 404),
            (TestGateway.post("{}", path: "/v1/unknown"), 404),
            ("GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n", 404),
            ("PUT /v1/models HTTP/1.1\r\nHost: a\r\n\r\n", 405),
            ("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 405),
            (TestGateway.post(long), 413),
            ("GET /\(long.prefix(9_000)) HTTP/1.1\r\nHost: a\r\n\r\n", 414),
            (TestGateway.chat(fields: "Content-Encoding: gzip\r\n"), 415),
            ("POST /v1/embeddings HTTP/1.1\r\nHost: a\r\nContent-Type: text/xml\r\n\r\n", 415),
            (TestGateway.chat(fields: "Expect: wonders\r\n"), 417),
            (TestGateway.chat(fields: "X: \(long)\r\n"), 431),
            ("CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 501),
            ("POST / HTTP/1.1\r\n\(json)\r\n", 400), ("nonsense\r\n\r\n", 400),
        ]
        for (text, status) in cases {
            let client = gateway.client()
            client.send(text)
            let answer = client.message()
            #expect(answer?.status == status, "\(text.prefix(80))")
            #expect(errorCode(answer) != nil, "\(text.prefix(80))")
        }
        #expect(server.requests(to: "/v1/chat/completions").isEmpty)
        #expect(gateway.ask()?.status == 200)
    }

    @Test func `keys, models and ceilings are held to`() throws {
        let server = engine { socket, _ in socket.send(Wire.text(200, Wire.answer)) }
        let key = try TestKey()
        let budget =
            TestGateway.budget([server.port])
            + Self.keys.replacing("KEY", with: key.yaml).replacing("PORT", with: "\(server.port)")
        let gateway = try TestGateway([server.port], budget: budget, ready: 2)
        let authorization = "Authorization: Bearer \(key.token)\r\n"
        for wrong in ["", "Authorization: Bearer x\r\n", "Authorization: Basic \(key.token)\r\n"] {
            let answer = gateway.ask(fields: wrong)
            #expect(answer?.status == 401 && errorCode(answer) == "invalid_api_key")
        }
        let forged = key.token.dropLast(2) + (key.token.hasSuffix("AA") ? "BB" : "AA")
        #expect(gateway.ask(fields: "Authorization: Bearer \(forged)\r\n")?.status == 401)
        #expect(gateway.ask(fields: authorization)?.status == 200)
        let client = gateway.client()
        client.send(TestGateway.chat(fields: authorization, model: "other"))
        let refused = client.message()
        #expect(refused?.status == 403 && errorCode(refused) == "model_not_allowed")
        // Above its ceiling it is lowered; below it is as asked.
        for (asked, given) in [("high", 1), ("standard", 1), ("low", 2)] {
            let fields = authorization + "X-Plimsoll-Class: \(asked)\r\n"
            #expect(gateway.ask(fields: fields)?.status == 200)
            #expect(gateway.records.withLock { $0.last?.classIndex } == given)
        }
        client.send("GET /v1/models HTTP/1.1\r\nHost: a\r\n\(authorization)\r\n")
        #expect(client.message()?.text.contains("\"other\"") == false)
    }

    @Test(.timed) func `a deadline header shortens the wait and never lengthens it`() throws {
        let server = engine { socket, _ in
            _ = socket.receive()
            return false
        }
        let budget = TestGateway.budget([server.port], deadline: "800ms")
        let gateway = try TestGateway([server.port], budget: budget)
        for (asked, least, most) in [(200, 150, 700), (60_000, 700, 2_000)]
            as [(Int, UInt64, UInt64)]
        {
            let start = monotonicNanos()
            let fields = "X-Plimsoll-Deadline-Ms: \(asked)\r\n"
            #expect(gateway.ask(",\"stream\":true", fields: fields)?.status == 504)
            let took = (monotonicNanos() - start) / milliseconds
            #expect(took >= least && took <= most, "\(asked): \(took) ms")
        }
    }
}
