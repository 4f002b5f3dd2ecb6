import EventLoop
import Foundation
import Gateway
import TestSockets
import Testing

/// A client as the SDKs are: it keeps its connection, and a kept one that ends before any byte of
/// the answer was dead before the request: it asks once more on a fresh one.
final class CarefulClients: Sendable {
    struct Count: Sendable {
        /// Ids of requests, by what became of them.
        var answered: Set<String> = []
        /// A connection ended inside an answer.
        var cut: [String] = []
        /// A connection ended before any byte of the answer.
        var unanswered: Set<String> = []
        var sent = 0
    }

    let count = Locked(Count())
    private let stopped = Locked(false)
    private let group = DispatchGroup()

    init(_ size: Int, port: UInt16, more: String) {
        for client in 0..<size {
            self.group.enter()
            Thread.detachNewThread { [self] in
                self.ask(port, client, more)
                self.group.leave()
            }
        }
    }

    private func ask(_ port: UInt16, _ client: Int, _ more: String) {
        var connection = RawSocket.connected(to: port)
        var number = 0
        while let socket = connection, !self.stopped.withLock({ $0 }) {
            number += 1
            let id = "client-\(client)-\(number)"
            self.count.withLock { $0.sent += 1 }
            socket.send(TestGateway.chat(more, fields: "X-Request-Id: \(id)\r\n"))
            let answer = socket.message()
            let isWhole = answer?.isWhole == true
            self.count.withLock {
                if answer == nil {
                    $0.unanswered.insert(id)
                } else if isWhole {
                    $0.answered.insert(id)
                } else {
                    $0.cut.append(id)
                }
            }
            if !isWhole || answer?["connection"] == "close" {
                connection = RawSocket.connected(to: port)
            }
        }
    }

    /// Waits until `answers` have come in all.
    func wait(answers: Int) -> Bool {
        eventually { self.count.withLock { $0.answered.count } >= answers }
    }

    func stop() -> Count {
        self.stopped.withLock { $0 = true }
        self.group.wait()
        return self.count.withLock { $0 }
    }
}

@Suite struct DrainTests {
    private func check(loops: Int, more: String, engine server: RawServer) throws {
        let gateway = try TestGateway([server.port], loops: loops)
        let clients = CarefulClients(12, port: gateway.gateway.address.port, more: more)
        #expect(clients.wait(answers: 200))
        #expect(gateway.gateway.drain(timeoutNanos: 10_000_000_000))
        let count = clients.stop()
        // What the gateway read to its end is in its records, and nothing else is.
        let accepted = gateway.records.withLock { records in
            records.map { String(decoding: $0.requestID, as: UTF8.self) }
        }
        let unanswered = Set(accepted).subtracting(count.answered)
        #expect(unanswered.isEmpty, "accepted and not answered: \(unanswered.sorted())")
        #expect(count.cut.isEmpty)
        // Every answer is of an accepted request, and each was given once.
        #expect(count.answered.isSubset(of: accepted) && Set(accepted).count == accepted.count)
        #expect(count.answered.count + count.unanswered.count == count.sent)
        // A client loses at most the one request it sent while its connection was being closed.
        #expect(count.unanswered.count <= 12 && count.unanswered.isDisjoint(with: accepted))
    }

    @Test("each request that was accepted before a drain is answered", arguments: [1, 2])
    func whole(loops: Int) throws {
        let server = engine { socket, _ in socket.send(Wire.text(200, Wire.answer)) }
        try self.check(loops: loops, more: ",\"max_tokens\":1", engine: server)
    }

    @Test func `each stream that was accepted before a drain comes to its end`() throws {
        let events = [Wire.role, Wire.token("a"), Wire.token("b"), Wire.done]
        let server = engine { socket, _ in
            socket.send(Wire.streamHead)
            for event in events where !socket.send(Wire.chunk(event)) { return false }
            return socket.send(Wire.lastChunk)
        }
        try self.check(loops: 2, more: ",\"max_tokens\":2,\"stream\":true", engine: server)
    }

    @Test func `a drain that is announced ends connections behind their answers`() throws {
        let server = engine { socket, request in
            guard request.text.contains("\"stream\":true") else {
                return socket.send(Wire.text(200, Wire.answer))
            }
            return socket.send(Wire.stream([Wire.role, Wire.token("a"), Wire.done]))
        }
        let gateway = try TestGateway([server.port])
        let kept = gateway.client()
        kept.send(TestGateway.chat())
        #expect(kept.message()?["connection"] == nil)
        gateway.gateway.core.closeBehindAnswers()
        // The loop hears of it in its own time: until then connections stay.
        #expect(eventually { gateway.ask()?["connection"] == "close" })
        kept.send(TestGateway.chat())
        let last = kept.message()
        #expect(last?.status == 200 && last?["connection"] == "close" && kept.ends())
        let stream = gateway.client()
        stream.send(TestGateway.chat(",\"stream\":true"))
        let answer = stream.message()
        #expect(answer?.isWhole == true && answer?["connection"] == "close" && stream.ends())
        let list = gateway.client()
        list.send("GET /v1/models HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(list.message()?["connection"] == "close" && list.ends())
    }
}
