import EventLoop
import Foundation
import Gateway
import Glibc
import HTTP
import TestSockets
import Testing

/// Clients that ask one request after another, each on a thread of its own, until they are stopped.
final class Crowd: Sendable {
    struct Count: Sendable {
        var answered = 0
        /// Requests whose connection ended without an answer.
        var lost = 0
        var statuses: [Int: Int] = [:]
    }

    let count = Locked(Count())
    private let stopped = Locked(false)
    private let group = DispatchGroup()

    init(_ size: Int, port: UInt16, request: String) {
        for _ in 0..<size {
            self.group.enter()
            Thread.detachNewThread { [self] in
                self.ask(port, request)
                self.group.leave()
            }
        }
    }

    private func ask(_ port: UInt16, _ request: String) {
        let client = RawSocket(port: port)
        while !self.stopped.withLock({ $0 }) {
            client.send(request)
            guard let answer = client.message(), answer.isWhole else {
                return self.count.withLock { $0.lost += 1 }
            }
            self.count.withLock {
                $0.answered += 1
                $0.statuses[answer.status, default: 0] += 1
            }
            if answer["connection"] == "close" { return }
        }
    }

    /// Waits until `answers` have come in all.
    func wait(answers: Int) -> Bool {
        eventually { self.count.withLock { $0.answered + $0.lost } >= answers }
    }

    /// Ends the asking and returns what was counted.
    func stop() -> Count {
        self.stopped.withLock { $0 = true }
        self.group.wait()
        return self.count.withLock { $0 }
    }
}

@Suite struct LifeTests {
    private func quickEngine() -> RawServer {
        engine { socket, _ in socket.send(Wire.text(200, Wire.answer)) }
    }

    @Test func `reloads under load lose nothing`() throws {
        let (first, second) = (self.quickEngine(), self.quickEngine())
        let gateway = try TestGateway([first.port, second.port], loops: 2)
        let crowd = Crowd(
            8, port: gateway.gateway.address.port, request: TestGateway.chat(",\"max_tokens\":1"))
        for round in 1...20 {
            #expect(crowd.wait(answers: round * 20))
            // One engine leaves, comes back, and the other's limits change.
            let ports = round % 2 == 0 ? [first.port, second.port] : [first.port]
            let budget = TestGateway.budget(
                ports, engine: ", limits: {concurrentRequests: \(64 + round)}")
            gateway.gateway.core.adopt(
                try TestGateway.config(budget, previous: gateway.gateway.core.currentConfig))
        }
        let count = crowd.stop()
        #expect(count.lost == 0 && count.answered >= 400)
        #expect(count.statuses.keys.sorted() == [200], "\(count.statuses)")
    }

    @Test func `a reload that changes an engine's key closes what is kept open with the old one`()
        throws
    {
        let server = self.quickEngine()
        setenv("PLIMSOLL_RELOAD_KEY", "one", 1)
        let budget = TestGateway.budget(
            [server.port], engine: ", auth: {bearerFrom: {env: PLIMSOLL_RELOAD_KEY}}")
        let gateway = try TestGateway([server.port], budget: budget) {
            $0.probeNanos = 3_600_000_000_000
            $0.scrapeNanos = 3_600_000_000_000
        }
        #expect(gateway.ask()?.status == 200)
        #expect(eventually { server.openCount.withLock { $0 } == 1 })
        setenv("PLIMSOLL_RELOAD_KEY", "two", 1)
        let start = monotonicNanos()
        gateway.gateway.core.adopt(
            try TestGateway.config(budget, previous: gateway.gateway.core.currentConfig))
        #expect(eventually { server.openCount.withLock { $0 } == 0 })
        // The engine itself waits ten seconds.
        #expect(monotonicNanos() - start < 5_000_000_000)
        #expect(gateway.ask()?.status == 200)
        let keys = server.requests(to: "/v1/chat/completions").map { $0["authorization"] }
        #expect(keys == ["Bearer one", "Bearer two"])
    }

    @Test func `a drain waits for a stream under way and refuses nothing that waits`() throws {
        let goOn = DispatchSemaphore(value: 0)
        let server = engine { socket, _ in
            socket.send(Wire.streamHead + Wire.chunk(Wire.role + Wire.token("a")))
            goOn.wait()
            return socket.send(Wire.chunk(Wire.done) + Wire.lastChunk)
        }
        let gateway = try TestGateway([server.port])
        let client = gateway.client()
        client.send(TestGateway.chat(",\"stream\":true"))
        let start = client.receive(until: "\"a\"")
        #expect(!gateway.gateway.drain(timeoutNanos: 50_000_000))
        goOn.signal()
        let rest = String(decoding: start + client.receiveAll(), as: UTF8.self)
        #expect(rest.hasSuffix(Wire.chunk(Wire.done) + Wire.lastChunk))
        #expect(gateway.gateway.drain(timeoutNanos: 10_000_000_000))
    }

    @Test func `a drain waits until a slow client has taken its answer`() throws {
        let body = String(repeating: "x", count: 12_000_000)
        let server = engine { socket, _ in
            socket.send(Wire.text(200, body, type: "audio/mpeg"))
        }
        let gateway = try TestGateway([server.port]) { $0.relayBytesMax = 64 << 20 }
        let client = RawSocket(port: gateway.gateway.address.port, receiveBytes: 4_096)
        client.send(TestGateway.chat())
        #expect(eventually { gateway.records.withLock { $0.count == 1 } })
        #expect(!gateway.gateway.drain(timeoutNanos: 300_000_000))
        #expect(client.message()?.body.count == body.utf8.count)
    }

    @Test func `a drain waits for a request whose body is on its way`() throws {
        let server = self.quickEngine()
        let gateway = try TestGateway([server.port])
        let client = gateway.client()
        let request = Array(TestGateway.chat().utf8)
        client.send(Array(request.dropLast(5)))
        // A second connection's answer proves that the first one's bytes were read before.
        #expect(gateway.ask()?.status == 200)
        #expect(!gateway.gateway.drain(timeoutNanos: 300_000_000))
        client.send(Array(request.suffix(5)))
        #expect(client.message()?.status == 200)
    }

    @Test func `an engine behind TLS is reached, verified, and never spoken to plainly`() throws {
        let certificates = try Certificates()
        let plain = self.quickEngine()
        guard let tunnel = try TLSTunnel(certificates, to: plain.port) else {
            try Test.cancel("no python3 to end TLS with")
        }
        defer { tunnel.stop() }
        let budget = TestGateway.budget([tunnel.port], scheme: "https", host: "localhost")
        let trusting = try TLSContext(caFile: certificates.good)
        let gateway = try TestGateway([tunnel.port], budget: budget, tls: trusting)
        for _ in 0..<3 { #expect(gateway.ask()?.text == Wire.answer) }
        let asked = plain.requests.withLock { $0.count }
        let wary = try TestGateway(
            [tunnel.port], budget: budget, ready: 0,
            tls: try TLSContext(caFile: certificates.other))
        #expect(wary.ask()?.status == 503)
        #expect(plain.requests(to: "/v1/chat/completions").count == 3)
        #expect(asked >= 3)
    }

    @Test func `without TLS an https engine is never spoken to`() throws {
        let server = self.quickEngine()
        let budget = TestGateway.budget([server.port], scheme: "https")
        let gateway = try TestGateway([server.port], budget: budget, ready: 0)
        #expect(gateway.ask()?.status == 503)
        #expect(server.openCount.withLock { $0 } == 0)
    }
}
