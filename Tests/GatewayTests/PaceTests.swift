import EventLoop
import Foundation
import Gateway
import Glibc
import HTTP
import TestSockets
import Testing

private let milliseconds: UInt64 = 1_000_000

/// Clients that read at a pace of their own.
@Suite struct PaceTests {
    /// An engine that streams pieces of 16,000 bytes as fast as they are taken, each of one letter,
    /// and then waits for `goOn` before it ends.
    private struct Fountain: Sendable {
        static let pieceBytes = 16_000
        let sent = Locked(0)
        let goOn = DispatchSemaphore(value: 0)
        let pieces: Int

        func serve(_ socket: RawSocket) -> Bool {
            socket.send(
                "HTTP/1.1 200 OK\r\ncontent-type: audio/mpeg\r\n"
                    + "content-length: \(Self.pieceBytes * self.pieces + 1)\r\n\r\n")
            for index in 0..<self.pieces {
                guard socket.send(Self.piece(index)) else { return false }
                self.sent.withLock { $0 += 1 }
            }
            self.goOn.wait()
            return socket.send([0x21])
        }

        static func piece(_ index: Int) -> [UInt8] {
            [UInt8](repeating: UInt8(truncatingIfNeeded: index), count: Self.pieceBytes)
        }
    }

    /// Looks every 100 ms until nothing more is taken.
    private func rest(of fountain: Fountain) -> Int {
        var before = -1
        while before != fountain.sent.withLock({ $0 }) {
            before = fountain.sent.withLock { $0 }
            var moment = pollfd(fd: -1, events: 0, revents: 0)
            poll(&moment, 1, 100)
        }
        return before
    }

    @Test func `an engine behind TLS that was held back goes on where it stopped`() throws {
        // More than the buffers of every socket on the way take.
        let pieces = 3_000
        let fountain = Fountain(pieces: pieces)
        let plain = engine { socket, request in
            request.text.contains("max_tokens")
                ? socket.send(Wire.text(200, Wire.answer)) : fountain.serve(socket)
        }
        let certificates = try Certificates()
        guard let tunnel = try TLSTunnel(certificates, to: plain.port) else {
            try Test.cancel("no python3 to end TLS with")
        }
        defer { tunnel.stop() }
        let gateway = try TestGateway(
            [tunnel.port],
            budget: TestGateway.budget([tunnel.port], scheme: "https", host: "localhost"),
            tls: try TLSContext(caFile: certificates.good))
        let client = RawSocket(port: gateway.gateway.address.port, receiveBytes: 65_536)
        client.send(TestGateway.chat())
        _ = client.receive(until: "\r\n\r\n")
        #expect(self.rest(of: fountain) < pieces)
        for index in 0..<pieces {
            let piece = client.receive(count: Fountain.pieceBytes)
            guard piece == Fountain.piece(index) else {
                Issue.record("piece \(index) of \(piece.count) bytes is not what was sent")
                return
            }
        }
        fountain.goOn.signal()
        #expect(client.receive(count: 1) == [0x21])
        // The connection to the engine is whole: it serves the next request.
        client.send(TestGateway.chat(",\"max_tokens\":1"))
        #expect(client.message()?.text == Wire.answer)
        #expect(gateway.records.withLock { $0.map(\.attempts) } == [1, 1])
    }

    @Test(.timed)
    func `a client that reads slowly is served, one that has stopped is closed`() throws {
        let pieces = 700
        let fountain = Fountain(pieces: pieces)
        let server = engine { socket, _ in fountain.serve(socket) }
        let gateway = try TestGateway([server.port]) {
            // All of it waits at the gateway: nothing but the reading tells the two apart.
            $0.relayBytesMax = 64 << 20
            $0.server.writeNanosMax = 400 * milliseconds
            $0.sweepMillis = 50
        }
        let port = gateway.gateway.address.port
        let stopped = RawSocket(port: port, receiveBytes: 65_536)
        stopped.send(TestGateway.chat(fields: "X-Request-Id: stopped\r\n"))
        _ = stopped.receive(until: "\r\n\r\n")
        let slow = RawSocket(port: port, receiveBytes: 65_536)
        slow.send(TestGateway.chat(fields: "X-Request-Id: slow\r\n"))
        _ = slow.receive(until: "\r\n\r\n")
        let begun = monotonicNanos()
        var moment = pollfd(fd: -1, events: 0, revents: 0)
        for index in 0..<pieces {
            let piece = slow.receive(count: Fountain.pieceBytes)
            guard piece == Fountain.piece(index) else {
                Issue.record("cut in piece \(index)")
                break
            }
            // The client's own pace: more than twice the time that a stopped one is given.
            poll(&moment, 1, 1)
        }
        #expect(monotonicNanos() - begun > 800 * milliseconds)
        #expect(eventually { gateway.records.withLock { $0.count == 1 } })
        fountain.goOn.signal()
        fountain.goOn.signal()
        #expect(slow.receive(count: 1) == [0x21])
        #expect(eventually { gateway.records.withLock { $0.count == 2 } })
        let outcomes = gateway.records.withLock { records in
            records.map { String(decoding: $0.requestID, as: UTF8.self) + " \($0.outcome)" }
        }
        #expect(outcomes == ["stopped abandoned", "slow completed(status: 200)"])
        #expect(stopped.receiveAll().count < Fountain.pieceBytes * pieces)
    }
}
