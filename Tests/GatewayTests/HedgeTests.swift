import Foundation
import Gateway
import RequestPath
import TestSockets
import Testing

/// A second try while the first token is late, on real sockets.
@Suite(.timed) struct HedgeTests {
    /// Two engines in front of which the two tries of one request do what a test says.
    private struct Pair {
        let gateway: TestGateway
        let ports: [UInt16]
        /// The engine of each try, in their order.
        let tried: Locked<[UInt16]>

        init(_ tries: @escaping @Sendable (_ nth: Int, RawSocket) -> Bool) throws {
            let tried = Locked<[UInt16]>([])
            let ports = Locked<[UInt16]>([])
            let servers = (0..<2).map { index in
                engine { socket, request in
                    guard request.text.contains("\"late\"") else {
                        return socket.send(Wire.stream([Wire.role, Wire.token("a"), Wire.done]))
                    }
                    let port = ports.withLock { $0[index] }
                    return tries(
                        tried.withLock {
                            $0.append(port); return $0.count
                        }, socket)
                }
            }
            ports.withLock { $0 = servers.map(\.port) }
            self.ports = servers.map(\.port)
            self.tried = tried
            self.gateway = try TestGateway(
                self.ports,
                budget: TestGateway.budget(self.ports, overload: ", hedge: {budget: 50%}"))
            // What earlier requests have earned pays for second tries.
            for _ in 0..<4 { #expect(self.gateway.ask(",\"stream\":true")?.status == 200) }
        }

        func askLate() -> RawMessage? {
            self.gateway.ask(",\"stream\":true,\"user\":\"late\"")
        }

        var last: RequestRecord? { self.gateway.records.withLock { $0.last } }
    }

    private static let answer = Wire.stream([Wire.role, Wire.token("whole"), Wire.done])

    private static func isWhole(_ message: RawMessage?) -> Bool {
        message?.status == 200 && message?.text.contains("whole") == true
            && message?.text.hasSuffix(Wire.done) == true
    }

    @Test func `the second engine answers where the first is silent, which is cancelled`() throws {
        let cancelled = DispatchSemaphore(value: 0)
        let pair = try Pair { nth, socket in
            if nth == 2 { return socket.send(Self.answer) }
            // A head alone says nothing about the first token.
            socket.send(Wire.streamHead)
            if socket.ends() { cancelled.signal() }
            return false
        }
        #expect(Self.isWhole(pair.askLate()))
        #expect(cancelled.wait(timeout: .now() + 60) == .success)
        #expect(eventually { pair.last?.hedge == .won })
        let endpoint = pair.last?.endpoint.map { pair.ports[$0.raw] }
        #expect(endpoint == pair.tried.withLock { $0.last })
        #expect(pair.tried.withLock { Set($0) } == Set(pair.ports))
    }

    @Test func `the first engine answers after all and the second is cancelled`() throws {
        let hedged = DispatchSemaphore(value: 0)
        let cancelled = DispatchSemaphore(value: 0)
        let pair = try Pair { nth, socket in
            if nth == 1 {
                #expect(hedged.wait(timeout: .now() + 60) == .success)
                return socket.send(Self.answer)
            }
            hedged.signal()
            if socket.ends() { cancelled.signal() }
            return false
        }
        #expect(Self.isWhole(pair.askLate()))
        #expect(cancelled.wait(timeout: .now() + 60) == .success)
        #expect(eventually { pair.last?.hedge == .lost })
        // Neither try was a fault: both engines go on.
        for _ in 0..<4 { #expect(pair.gateway.ask(",\"stream\":true")?.status == 200) }
    }

    @Test(
        "a try that breaks leaves the other to answer",
        arguments: [(broken: 1, answers: 2), (broken: 2, answers: 1)])
    func oneBreaks(_ tries: (broken: Int, answers: Int)) throws {
        let hedged = DispatchSemaphore(value: 0)
        let broke = DispatchSemaphore(value: 0)
        let pair = try Pair { nth, socket in
            if nth == 2 { hedged.signal() }
            if nth == 1 { #expect(hedged.wait(timeout: .now() + 60) == .success) }
            if nth == tries.broken {
                socket.send(nth == 1 ? Wire.streamHead : Wire.text(500, "{}"))
                socket.close()
                broke.signal()
                return false
            }
            #expect(broke.wait(timeout: .now() + 60) == .success)
            return socket.send(Self.answer)
        }
        #expect(Self.isWhole(pair.askLate()))
        #expect(pair.tried.withLock { $0.count } == 2)
        #expect(eventually { pair.last?.hedge == (tries.broken == 1 ? .won : .lost) })
    }

    @Test func `a second engine that declines leaves the first to answer`() throws {
        let declined = DispatchSemaphore(value: 0)
        let pair = try Pair { nth, socket in
            if nth == 2 {
                socket.send(Wire.text(429, #"{"error":{"message":"too many"}}"#))
                if socket.ends() { declined.signal() }
                return false
            }
            #expect(declined.wait(timeout: .now() + 60) == .success)
            return socket.send(Self.answer)
        }
        #expect(Self.isWhole(pair.askLate()))
        #expect(eventually { pair.last?.hedge == .lost })
    }

    private static func isFirst(_ tries: Locked<Int>) -> Bool {
        tries.withLock { count in
            count += 1
            return count == 1
        }
    }

    @Test func `the second try of a request that was cut says so when it answers`() throws {
        let goOn = DispatchSemaphore(value: 0)
        let tries = Locked(0)
        let usage = #"data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":400}}"#
        let servers = (0..<2).map { _ in
            engine { socket, request in
                if request.text.contains("hold") { _ = goOn.wait(timeout: .now() + 60) }
                if request.text.contains("late"), Self.isFirst(tries) {
                    return !socket.ends()
                }
                return socket.send(
                    Wire.stream([Wire.role, Wire.token("whole"), usage + "\n\n", Wire.done]))
            }
        }
        let ports = servers.map(\.port)
        let gateway = try TestGateway(
            ports,
            budget: TestGateway.budget(
                ports, overload: ", hedge: {budget: 50%}, degrade: [{cap: {outputTokens: 16}}]"))
        for _ in 0..<6 { #expect(gateway.ask(",\"stream\":true")?.status == 200) }
        // What has next to no time is late behind anything: the ladder climbs, and stays for long.
        let held = (0..<2).map { _ in gateway.client() }
        for client in held { client.send(TestGateway.chat(",\"stream\":true,\"user\":\"hold\"")) }
        #expect(
            eventually {
                servers.reduce(0) { sum, server in
                    let asked = server.requests(to: "/v1/chat/completions")
                    return sum + asked.count { $0.text.contains("hold") }
                } >= 2
            })
        _ = gateway.ask(",\"stream\":true", fields: "x-plimsoll-deadline-ms: 1\r\n")
        // Each of the two may have been asked for a second time.
        for _ in 0..<4 { goOn.signal() }
        for client in held { #expect(client.message()?.status == 200) }
        let message = gateway.ask(",\"stream\":true,\"user\":\"late\"")
        #expect(Self.isWhole(message) && tries.withLock { $0 } == 2)
        #expect(message?["x-plimsoll-degraded"] == "cap=16")
    }

    @Test func `a client that leaves ends both tries`() throws {
        let hedged = DispatchSemaphore(value: 0)
        let ended = DispatchSemaphore(value: 0)
        let pair = try Pair { nth, socket in
            if nth == 2 { hedged.signal() }
            if socket.ends() { ended.signal() }
            return false
        }
        let client = pair.gateway.client()
        client.send(TestGateway.chat(",\"stream\":true,\"user\":\"late\""))
        #expect(hedged.wait(timeout: .now() + 60) == .success)
        client.close()
        for _ in 0..<2 { #expect(ended.wait(timeout: .now() + 60) == .success) }
        #expect(eventually { pair.last?.outcome == .abandoned })
    }
}
