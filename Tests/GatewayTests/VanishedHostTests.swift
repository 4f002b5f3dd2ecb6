import Foundation
import Gateway
import Glibc
import RequestPath
import TestSockets
import Testing

/// Hosts that answer nothing any more, not even that nobody listens.
@Suite struct VanishedHostTests {
    @Test func `a host that vanished fails its requests soon, and its probes take it out`() throws {
        let hole = Hole()
        let server = engine { socket, _ in socket.send(Wire.text(200, Wire.answer)) }
        let ports = [hole.port, server.port]
        let gateway = try TestGateway(ports) {
            $0.connectNanosMax = 200_000_000
            $0.probeNanos = 20_000_000
        }
        hole.vanish()
        #expect(
            eventually {
                gateway.gateway.core.inspect {
                    $0.gauges(of: EndpointID(raw: 0))?.isOpen == false
                }
            })
        #expect(gateway.ask()?.status == 200)
    }

    @Test func `a connection that is not made in time is a failed try`() throws {
        let hole = Hole()
        let gateway = try TestGateway([hole.port]) {
            $0.connectNanosMax = 200_000_000
            $0.probeNanos = 3_600_000_000_000
        }
        hole.vanish()
        // Its deadline of thirty seconds would be a 504.
        #expect(gateway.ask(",\"stream\":true")?.status == 502)
    }
}

/// A healthy engine until it vanishes: from then on the kernel drops what wants to connect.
private final class Hole: Sendable {
    let port: UInt16
    private let listener: Int32
    private let isGone = Locked(false)
    private let held = Locked<[Int32]>([])

    init() {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = Self.loopback(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutableBytes(of: &address) { raw in
            guard let base = raw.baseAddress?.assumingMemoryBound(to: sockaddr.self) else { return }
            _ = bind(listener, base, length)
            _ = getsockname(listener, base, &length)
        }
        precondition(listen(listener, 0) == 0, "loopback takes no listener")
        self.listener = listener
        self.port = UInt16(bigEndian: address.sin_port)
        Thread.detachNewThread { [self] in
            while !self.isGone.withLock({ $0 }) {
                let descriptor = accept(listener, nil, nil)
                guard descriptor >= 0 else { return }
                let socket = RawSocket(descriptor: descriptor)
                while let request = socket.message() {
                    let status = request.path == "/health" ? 200 : 404
                    guard socket.send(Wire.text(status, "")) else { break }
                }
            }
        }
    }

    /// Accepts no more and fills the queue of those that wait to be.
    func vanish() {
        self.isGone.withLock { $0 = true }
        let isFull = eventually {
            let descriptor = socket(
                AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
            self.held.withLock { $0.append(descriptor) }
            var address = Self.loopback(self.port)
            withUnsafeBytes(of: &address) { raw in
                guard let base = raw.baseAddress else { return }
                _ = connect(
                    descriptor, base.assumingMemoryBound(to: sockaddr.self),
                    socklen_t(MemoryLayout<sockaddr_in>.size))
            }
            var moment = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            return poll(&moment, 1, 100) == 0
        }
        #expect(isFull, "the kernel takes more connections than were asked for")
    }

    private static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }
}
