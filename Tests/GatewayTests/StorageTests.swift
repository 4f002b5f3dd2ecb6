import EventLoop
import Foundation
import HTTP
import RequestPath
import TestSockets
import Testing
import Wire

@testable import Gateway

/// The server's events on their way to the gateway's loop, and the connection they came from.
private final class Witness: ServerHandler {
    let gateway: GatewayLoop
    private(set) var connection: ServerConnection?

    init(_ gateway: GatewayLoop) { self.gateway = gateway }

    func serverHead(_ connection: ServerConnection) -> Bool {
        self.connection = connection
        return self.gateway.serverHead(connection)
    }
    func serverRequest(_ connection: ServerConnection) { self.gateway.serverRequest(connection) }
    func serverFault(_ connection: ServerConnection, _ fault: WireFault) {
        self.gateway.serverFault(connection, fault)
    }
    func serverOverflow(_ connection: ServerConnection) {
        self.gateway.serverOverflow(connection)
    }
    func serverGone(_ connection: ServerConnection) { self.gateway.serverGone(connection) }
    func serverClosed(_ connection: ServerConnection) { self.gateway.serverClosed(connection) }
    func serverDrained(_ connection: ServerConnection) { self.gateway.serverDrained(connection) }
}

/// Carries the witness to the test and back to its loop.
// Safety: the witness is touched on the loop's thread alone, by closures of its mailbox.
private struct WitnessBox: @unchecked Sendable {
    let witness: Witness
}

/// What a connection between requests holds on to.
@Suite struct StorageTests {
    /// Bytes of each part of the connection's exchange, and whether it holds a request's bytes.
    private struct Held: Sendable {
        var parts: [Int] = []
        var hasInbound = true
    }

    /// A gateway's loop in front of one engine that is known to be healthy.
    private final class Front: Sendable {
        let port: UInt16
        private let mailbox: Mailbox
        private let box: WitnessBox

        init(_ engine: RawServer) throws {
            let core = GatewayCore(
                config: try TestGateway.config(TestGateway.budget([engine.port])))
            let started = Handover<(UInt16, Mailbox, WitnessBox)>()
            _ = Loop.spawn { loop in
                guard let gateway = try? GatewayLoop(loop, core: core, metrics: LoopMetrics()),
                    let local = SocketAddress(parsing: "127.0.0.1:0")
                else { return }
                let witness = Witness(gateway)
                let server = HTTPServer(loop, handler: witness)
                core.announceEndpoints()
                gateway.step(.probed(.init(raw: 0), healthy: true))
                guard let bound = try? server.listen(local) else { return }
                // Loops are never torn down, nor what lives on them.
                _ = Unmanaged.passRetained(server)
                started.give((bound.port, loop.mailbox, WitnessBox(witness: witness)))
            }
            guard let (port, mailbox, box) = started.take(timeoutNanos: 10_000_000_000) else {
                throw CancellationError()
            }
            (self.port, self.mailbox, self.box) = (port, mailbox, box)
        }

        /// What the last connection holds now.
        func held() -> Held? {
            let answer = Handover<Held>()
            self.mailbox.post { [box = self.box] in
                guard let connection = box.witness.connection,
                    let exchange = connection.context as? Exchange
                else { return }
                answer.give(
                    Held(
                        parts: [
                            exchange.pendingEvent.capacity, exchange.staged.capacity,
                            exchange.collected.capacity, exchange.engineHead.count,
                        ], hasInbound: connection.buffer.bytes.baseAddress != nil))
            }
            return answer.take(timeoutNanos: 10_000_000_000)
        }
    }

    @Test func `a connection between requests holds little of a large request and answer`() throws {
        let goOn = DispatchSemaphore(value: 0)
        let event = Wire.token(String(repeating: "x", count: 900_000))
        let server = engine { socket, request in
            guard request.text.contains("\"stream\":true") else {
                return socket.send(Wire.text(500, String(repeating: "e", count: 15_000)))
            }
            socket.send(Wire.streamHead + Wire.chunk(Wire.role + event))
            goOn.wait()
            return socket.send(Wire.chunk(Wire.done) + Wire.lastChunk)
        }
        let front = try Front(server)
        let client = RawSocket(port: front.port)
        let long = String(repeating: "y", count: 7_000)
        let fields = (0..<8).map { "X-P\($0): \(long)\r\n" }.joined()
        let prompt = ",\"user\":\"\(String(repeating: "u", count: 2_000_000))\""
        client.send(TestGateway.chat(",\"stream\":true" + prompt, fields: fields))
        var taken = 0
        while taken < event.utf8.count { taken += client.receive().count }
        goOn.signal()
        _ = client.receive(until: Wire.lastChunk)
        let behindStream = try #require(front.held())
        client.send(TestGateway.chat(prompt, fields: fields))
        #expect(client.message()?.status == 500)
        let behindError = try #require(front.held())
        for held in [behindStream, behindError] {
            #expect(held.parts.allSatisfy { $0 <= 4_096 } && !held.hasInbound, "\(held)")
        }
    }
}
