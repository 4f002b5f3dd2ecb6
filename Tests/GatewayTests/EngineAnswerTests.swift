import EventLoop
import Foundation
import Gateway
import Glibc
import RequestPath
import TestSockets
import Testing

private let milliseconds: UInt64 = 1_000_000

/// Waits without looking: for engines that take their time.
private func pause(millis: Int32) {
    var moment = pollfd(fd: -1, events: 0, revents: 0)
    poll(&moment, 1, millis)
}

private let running = "vllm:num_requests_running"

/// What an engine says where its metrics should be.
struct Page: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var text: String

    init(_ words: String, _ text: String) { (self.testDescription, self.text) = (words, text) }
}

/// Engines that answer slowly, or not in the words that were agreed.
@Suite struct EngineAnswerTests {
    @Test(
        "events that nobody understands reach the client as they came",
        arguments: [
            "data: not json\n\n", "data: {\"choices\":[{\"delta\":{\"content\":\n\n",
            "data:\n\n", "\n\n\n", ": only a comment\n\n", "event: x\nid: 7\nretry: 9\n\n",
            "data: {\"choices\":7,\"usage\":[1]}\n\n",
            "data: {\"usage\":{\"prompt_tokens\":-1}}\n\n",
            "data: \u{FEFF}[done]\n\n", "data: {\"error\":null}\n\n", "nonsense\n\n",
            "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":99999999999999999999}}\r\n\r\n",
        ])
    func garbage(_ event: String) throws {
        let events = [Wire.role, event, Wire.token("a"), event, Wire.done]
        let server = engine { socket, _ in socket.send(Wire.stream(events)) }
        let gateway = try TestGateway([server.port])
        // The client asks for usage itself, so that the gateway leaves nothing out.
        let more = #","stream":true,"stream_options":{"include_usage":true}"#
        let answer = gateway.ask(more)
        #expect(answer?.isWhole == true && answer?.text == events.joined())
        #expect(gateway.ask(more)?.status == 200)
    }

    @Test func `bytes that are no text at all break neither the stream nor the gateway`() throws {
        let junk = (0..<4_096).map { UInt8(truncatingIfNeeded: $0 &* 37 | 0x80) }
        let server = engine { socket, _ in
            socket.send(Wire.streamHead + Wire.chunk(Wire.role))
            socket.send(Array("1002\r\n".utf8) + junk + Array("\n\n\r\n".utf8))
            return socket.send(Wire.chunk(Wire.done) + Wire.lastChunk)
        }
        let answer = try TestGateway([server.port]).ask(",\"stream\":true")
        let wanted = Array(Wire.role.utf8) + junk + Array(("\n\n" + Wire.done).utf8)
        #expect(answer?.isWhole == true && answer?.body == wanted)
    }

    @Test(
        "half an event at the end is no whole answer",
        arguments: ["data: {\"choices\":[{\"del", "data: [DON", "d", "data: [DONE]\r"])
    func halfEvent(_ rest: String) throws {
        let server = engine { socket, _ in
            socket.send(Wire.stream([Wire.role, Wire.token("a"), rest]))
        }
        let answer = try TestGateway([server.port]).ask(",\"stream\":true")
        let text = answer?.text ?? ""
        #expect(answer?.isWhole == true && text.contains("\"error\""), "\(text)")
        #expect(!text.hasSuffix(Wire.done), "\(text)")
    }

    @Test(
        "an answer of another content type is passed on unread, with its type",
        arguments: ["text/html", "application/octet-stream", "text/event-streamish/none", ""])
    func contentType(_ type: String) throws {
        let body = "<html>data: [DONE]\n\n</html>"
        let server = engine { socket, _ in socket.send(Wire.text(200, body, type: type)) }
        let answer = try TestGateway([server.port]).ask(",\"stream\":true")
        #expect(answer?.status == 200 && answer?["content-type"] == type)
        if type != "text/event-streamish/none" { #expect(answer?.text == body) }
    }

    @Test func `an endless line passes in bounded memory`() throws {
        let piece = String(repeating: "x", count: 64 << 10)
        let count = 20
        let server = engine { socket, _ in
            socket.send(Wire.streamHead + Wire.chunk("data: "))
            for _ in 0..<count where !socket.send(Wire.chunk(piece)) { return false }
            return socket.send(Wire.chunk("\n\n" + Wire.done) + Wire.lastChunk)
        }
        let answer = try TestGateway([server.port]).ask(",\"stream\":true")
        #expect(answer?.isWhole == true)
        #expect(answer?.body.count == 6 + count * piece.utf8.count + 2 + Wire.done.utf8.count)
    }

    @Test func `an endless head of an engine is cut off`() throws {
        let server = engine { socket, _ in
            socket.send("HTTP/1.1 200 OK\r\nx-endless: ")
            let piece = String(repeating: "x", count: 16 << 10)
            for _ in 0..<64 where !socket.send(piece) { return false }
            return false
        }
        let answer = try TestGateway([server.port]).ask()
        #expect(answer?.status == 502 && errorCode(answer) == "bad_engine_answer")
    }

    @Test func `an answer that comes a byte at a time is relayed whole and in time`() throws {
        let events = [Wire.role, Wire.token("a"), Wire.token("b"), Wire.done]
        let bytes = Array(Wire.stream(events).utf8)
        let server = engine { socket, _ in
            for byte in bytes where !socket.send([byte]) { return false }
            return true
        }
        let gateway = try TestGateway([server.port])
        let answer = gateway.ask(",\"stream\":true")
        #expect(answer?.isWhole == true && answer?.text == events.joined())
        let record = gateway.records.withLock { $0.first }
        #expect(record?.outcome == .completed(status: 200) && record?.outputTokens == 2)
    }

    @Test(.timed) func `a head that comes late counts as the engine's time`() throws {
        let server = engine { socket, _ in
            pause(millis: 150)
            return socket.send(Wire.stream([Wire.role, Wire.token("a"), Wire.done]))
        }
        let gateway = try TestGateway([server.port])
        #expect(gateway.ask(",\"stream\":true")?.text.hasSuffix(Wire.done) == true)
        let times = try #require(gateway.records.withLock { $0.first?.times })
        #expect(times.nanos(of: .engine) > 100 * milliseconds)
        #expect(times.nanos(of: .decode) < 100 * milliseconds)
    }

    @Test(.timed)
    func `a try that fails without a token leaves its time to the engine`() throws {
        let server = engine { socket, _ in
            pause(millis: 100)
            return false
        }
        let gateway = try TestGateway([server.port])
        #expect(gateway.ask(",\"stream\":true")?.status == 502)
        let times = try #require(gateway.records.withLock { $0.first?.times })
        #expect(times.nanos(of: .engine) > 80 * milliseconds, "\(times)")
        #expect(times.nanos(of: .decode) == 0 && times.nanos(of: .egress) < 80 * milliseconds)
    }

    @Test(.timed)
    func `a client that leaves before the first token leaves its time to the engine`() throws {
        let server = engine { socket, _ in
            _ = socket.receive()
            return false
        }
        let gateway = try TestGateway([server.port])
        let client = gateway.client()
        client.send(TestGateway.chat(",\"stream\":true"))
        #expect(eventually { server.requests(to: "/v1/chat/completions").count == 1 })
        pause(millis: 100)
        client.close()
        #expect(eventually { gateway.records.withLock { $0.count == 1 } })
        let times = try #require(gateway.records.withLock { $0.first?.times })
        #expect(times.nanos(of: .engine) > 80 * milliseconds, "\(times)")
        #expect(times.nanos(of: .decode) == 0 && times.nanos(of: .egress) < 80 * milliseconds)
    }

    @Test(.timed)
    func `a request that leaves while it waits leaves its time to the queue`() throws {
        let goOn = DispatchSemaphore(value: 0)
        let server = engine { socket, _ in
            goOn.wait()
            return socket.send(Wire.text(200, Wire.answer))
        }
        let budget = TestGateway.budget(
            [server.port], deadline: "10s", engine: ", limits: {concurrentRequests: 1}")
        let gateway = try TestGateway([server.port], budget: budget)
        let first = gateway.client()
        first.send(TestGateway.chat(",\"max_tokens\":1"))
        #expect(eventually { server.requests(to: "/v1/chat/completions").count == 1 })
        let second = gateway.client()
        second.send(TestGateway.chat(",\"max_tokens\":1"))
        pause(millis: 100)
        second.close()
        #expect(eventually { gateway.records.withLock { $0.count == 1 } })
        goOn.signal()
        #expect(first.message()?.status == 200)
        let times = try #require(gateway.records.withLock { $0.first?.times })
        #expect(times.nanos(of: .queue) > 80 * milliseconds, "\(times)")
        #expect(times.nanos(of: .egress) < 80 * milliseconds)
    }

    @Test(
        "an engine's 5xx keeps its own content type",
        arguments: ["text/plain; charset=utf-8", "text/html", "application/problem+json"])
    func errorType(_ type: String) throws {
        let server = engine { socket, _ in
            socket.send(Wire.text(500, "<b>out of memory</b>", type: type))
        }
        let answer = try TestGateway([server.port]).ask()
        #expect(answer?.status == 500 && answer?.text == "<b>out of memory</b>")
        #expect(answer?.fields.filter { $0.name == "content-type" }.map(\.value) == [type])
    }

    @Test func `an error that an engine tells inside its stream is relayed and counted`() throws {
        let words = "data: {\"error\":{\"message\":\"EngineCore died\",\"code\":500}}\n\n"
        let server = engine { socket, _ in
            socket.send(Wire.stream([Wire.role, Wire.token("a"), words, Wire.done]))
        }
        let gateway = try TestGateway([server.port])
        let answer = gateway.ask(",\"stream\":true")
        #expect(answer?.text.hasSuffix(words + Wire.done) == true)
        #expect(eventually { gateway.records.withLock { $0.count } == 1 })
        #expect(gateway.records.withLock { $0.last?.outcome } == .failed(.engineError))
    }

    @Test func `errors that an engine tells inside its streams take it out`() throws {
        let words = "data: {\"error\":{\"message\":\"EngineCore died\",\"code\":500}}\n\n"
        let servers = [Wire.stream([Wire.role, words, Wire.done]), Self.whole].map { answer in
            engine { socket, _ in socket.send(answer) }
        }
        let ports = servers.map(\.port)
        let gateway = try TestGateway(
            ports, budget: TestGateway.budget(ports, engine: ", limits: {concurrentRequests: 1}"))
        let isOut = {
            gateway.gateway.core.inspect {
                $0.gauges(of: EndpointID(raw: 0)).map { !$0.isOpen || $0.isHalfOpen } == true
            }
        }
        // One that has failed is chosen only while the other has work; one prompt alone takes no
        // engine out.
        let failed = (0..<40).contains { round in
            let clients = (0..<4).map { _ in gateway.client() }
            for (index, client) in clients.enumerated() {
                let prompt = "\"prompt\":\"prompt \(round) \(index)\""
                client.send(
                    TestGateway.post(
                        "{\"model\":\"m\",\(prompt),\"stream\":true}", path: "/v1/completions"))
            }
            for client in clients { _ = client.message() }
            return isOut()
        }
        #expect(failed)
    }

    private static let whole = Wire.stream([Wire.role, Wire.token("a"), Wire.done])

    @Test func `an engine that declines a request has sent no first token`() throws {
        let server = engine { socket, _ in
            socket.send(Wire.text(400, #"{"error":{"message":"no such role"}}"#))
        }
        let gateway = try TestGateway([server.port])
        #expect(gateway.ask(",\"stream\":true")?.status == 400)
        #expect(eventually { gateway.records.withLock { $0.count } == 1 })
        let record = try #require(gateway.records.withLock { $0.last })
        #expect(record.outcome == .completed(status: 400) && !record.hasFirstToken)
    }

    @Test(
        "a page of metrics that is none stops nothing",
        arguments: [
            Page("html", "<html>no metrics here</html>"), Page("empty lines", "\n\n\n"),
            Page("a name alone", "vllm:num_requests_running"),
            Page("half a label", "vllm:num_requests_running{a=\""),
            Page("an endless line", String(repeating: "x", count: 5 << 20)),
            Page("one metric without end", String(repeating: running + " 1\n", count: 5_000)),
            Page("two readings", running + " 1\n" + running + " 99999999\n"),
        ])
    func metrics(_ page: Page) throws {
        let server = engine(metrics: page.text) { socket, _ in
            socket.send(Wire.text(200, Wire.answer))
        }
        // The gateway of a test lives on: it must not read such pages for ever.
        defer { server.stop() }
        let gateway = try TestGateway([server.port])
        #expect(eventually { server.requests(to: "/metrics").count > 2 })
        for _ in 0..<3 { #expect(gateway.ask()?.status == 200) }
    }
}
