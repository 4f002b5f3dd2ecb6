import Foundation
import Glibc

/// A server of blocking sockets whose every byte the test decides: the broken peers of the tests.
package final class RawServer: Sendable {
    package let port: UInt16
    /// Requests read so far, in order.
    package let requests = Locked<[RawMessage]>([])
    /// Connections open now.
    package let openCount = Locked(0)
    private let listener: Int32

    /// `serve` answers one request; `false` closes its connection.
    ///
    /// `readsBodies`: otherwise it is asked as soon as a head is there.
    package init(
        readsBodies: Bool = true, _ serve: @escaping @Sendable (RawSocket, RawMessage) -> Bool
    ) {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = RawSocket.loopback(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutableBytes(of: &address) { raw in
            guard let base = raw.baseAddress?.assumingMemoryBound(to: sockaddr.self) else { return }
            _ = bind(listener, base, length)
            _ = getsockname(listener, base, &length)
        }
        precondition(listen(listener, 512) == 0, "loopback takes no listener")
        self.listener = listener
        self.port = UInt16(bigEndian: address.sin_port)
        Thread.detachNewThread { [self] in
            // Only this thread closes the listener: its number would soon be another's.
            defer { Glibc.close(listener) }
            while true {
                let descriptor = accept(listener, nil, nil)
                guard descriptor >= 0 else { return }
                let socket = RawSocket(descriptor: descriptor)
                Thread.detachNewThread { self.converse(socket, readsBodies, serve) }
            }
        }
    }

    private func converse(
        _ socket: RawSocket, _ readsBodies: Bool,
        _ serve: @Sendable (RawSocket, RawMessage) -> Bool
    ) {
        self.openCount.withLock { $0 += 1 }
        defer {
            socket.close()
            self.openCount.withLock { $0 -= 1 }
        }
        while let request = socket.message(toHead: !readsBodies) {
            guard request.startLine.hasSuffix(" HTTP/1.1") else { return }
            self.requests.withLock { $0.append(request) }
            guard serve(socket, request) else { return }
        }
    }

    /// Requests to one path.
    package func requests(to path: String) -> [RawMessage] {
        self.requests.withLock { $0.filter { $0.path == path } }
    }

    /// Stops listening: connections are refused from here on.
    package func stop() {
        shutdown(self.listener, Int32(SHUT_RDWR))
    }
}
