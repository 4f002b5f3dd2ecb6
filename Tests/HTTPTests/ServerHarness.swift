import EventLoop
import Foundation
import Glibc
import HTTP
import TestSockets
import Time
import Wire

/// A request as the handler saw it.
struct Seen: Sendable, Equatable {
    var method: String
    var target: String
    var body: String
}

/// What one test's server does, and what it saw.
final class Behaviour: Sendable {
    let seen = Locked<[Seen]>([])
    let faults = Locked<[WireFault]>([])
    let goneAt = Locked<[UInt64]>([])
    let pendingBytesMax = Locked(0)
    let port = Locked<UInt16>(0)
    let serve: @Sendable (ServerConnection, Seen) -> Void
    let takesHead: Bool

    init(
        takesHead: Bool = true, _ serve: @escaping @Sendable (ServerConnection, Seen) -> Void
    ) {
        self.takesHead = takesHead
        self.serve = serve
    }

    /// Says back what came.
    static func echo() -> Behaviour {
        Behaviour { connection, seen in
            connection.respond(
                status: 200, body: Array("\(seen.method) \(seen.target) \(seen.body)".utf8))
        }
    }

    static func silent() -> Behaviour { Behaviour { _, _ in } }
}

/// Runs an HTTP server on a loop and a thread of its own, as long as the process lives.
func startServer(
    _ behaviour: Behaviour, limits: ServerLimits = ServerLimits(), bufferedBytes: Int = 1 << 30
) throws -> UInt16 {
    let ready = DispatchSemaphore(value: 0)
    _ = Loop.spawn { loop in
        let handler = TestHandler(
            behaviour, loop: loop, limits: limits, bufferedBytes: bufferedBytes)
        let address = try? handler.server?.listen(SocketAddress(host: "127.0.0.1", port: 0))
        behaviour.port.withLock { $0 = address?.port ?? 0 }
        // Loops are never torn down, nor what lives on them.
        _ = Unmanaged.passRetained(handler)
        ready.signal()
    }
    ready.wait()
    return behaviour.port.withLock { $0 }
}

/// The handler behind a behaviour.
private final class TestHandler: ServerHandler {
    private let behaviour: Behaviour
    private(set) var server: HTTPServer?

    init(_ behaviour: Behaviour, loop: Loop, limits: ServerLimits, bufferedBytes: Int) {
        self.behaviour = behaviour
        self.server = HTTPServer(
            loop, handler: self, limits: limits, buffered: BufferedBytes(max: bufferedBytes))
    }

    func serverHead(_ connection: ServerConnection) -> Bool {
        if self.behaviour.takesHead { return true }
        connection.respond(status: 401, body: Array("no".utf8))
        return false
    }

    func serverRequest(_ connection: ServerConnection) {
        let bytes = connection.buffer.bytes
        func text(_ range: ByteRange) -> String {
            String(decoding: bytes[range.start..<range.end], as: UTF8.self)
        }
        let seen = Seen(
            method: text(connection.head.methodRange), target: text(connection.head.target),
            body: text(connection.bodyRange))
        self.behaviour.seen.withLock { $0.append(seen) }
        if seen.target == "/drain" { self.server?.drain() }
        self.behaviour.serve(connection, seen)
        let pending = connection.stream.pendingBytes
        self.behaviour.pendingBytesMax.withLock { $0 = max($0, pending) }
    }

    func serverFault(_ connection: ServerConnection, _ fault: WireFault) {
        self.behaviour.faults.withLock { $0.append(fault) }
        connection.respond(status: fault.status, body: Array("\(fault)".utf8))
    }

    func serverOverflow(_ connection: ServerConnection) {
        connection.respond(status: 503, body: Array("full".utf8))
    }

    func serverGone(_ connection: ServerConnection) {
        self.behaviour.goneAt.withLock { $0.append(monotonicNanos()) }
    }

    func serverClosed(_ connection: ServerConnection) {}
    func serverDrained(_ connection: ServerConnection) {}
}

/// Asks until `condition` holds, for at most a minute.
func eventually(_ condition: () -> Bool) -> Bool {
    let end = monotonicNanos() + 60_000_000_000
    while monotonicNanos() < end {
        if condition() { return true }
        usleep(1000)
    }
    return condition()
}
