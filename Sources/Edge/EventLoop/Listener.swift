internal import CUV
import Glibc

/// Accepts TCP connections on one loop. Several loops listen on one port by `SO_REUSEPORT`.
package final class Listener {
    private let tcp: UnsafeMutablePointer<uv_tcp_t>
    private let loop: Loop
    private let accepted: (Stream) -> Void
    private let delegate: any StreamDelegate
    private var isClosed = false
    /// The bound address; its port is the real one when 0 was asked for.
    package private(set) var address: SocketAddress

    /// Binds and listens.
    ///
    /// `accepted` gets each connection, not yet reading; `delegate` only holds its place until
    /// then.
    package init(
        _ loop: Loop, address: SocketAddress, delegate: any StreamDelegate,
        accepted: @escaping (Stream) -> Void
    ) throws(StreamError) {
        self.loop = loop
        self.address = address
        self.accepted = accepted
        self.delegate = delegate
        self.tcp = .allocate(capacity: 1)
        let family = UInt32(address.host.contains(":") ? AF_INET6 : AF_INET)
        try Self.check(uv_tcp_init_ex(loop.uv, self.tcp, family))
        self.tcp.pointee.data = Unmanaged.passRetained(self).toOpaque()
        var descriptor: uv_os_fd_t = -1
        try Self.check(uv_fileno(self.handle, &descriptor))
        var on: Int32 = 1
        setsockopt(
            descriptor, SOL_SOCKET, SO_REUSEPORT, &on, socklen_t(MemoryLayout<Int32>.size))
        let bound = address.withSockaddr { uv_tcp_bind(self.tcp, $0, 0) }
        try Self.check(bound ?? UV_EINVAL.rawValue)
        try Self.check(
            uv_listen(self.stream, 4096) { server, status in
                guard let data = server?.pointee.data, status == 0 else { return }
                Unmanaged<Listener>.fromOpaque(data).takeUnretainedValue().accept()
            })
        self.address = try self.boundAddress()
    }

    /// Throws when another process holds the address: with `SO_REUSEPORT` alone it would share it.
    package static func probe(_ address: SocketAddress) throws(StreamError) {
        guard address.port != 0 else { return }
        let family = address.host.contains(":") ? AF_INET6 : AF_INET
        let descriptor = socket(family, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw StreamError(uv: -errno) }
        defer { Glibc.close(descriptor) }
        var on: Int32 = 1
        setsockopt(
            descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        let length = socklen_t(
            family == AF_INET6
                ? MemoryLayout<sockaddr_in6>.size : MemoryLayout<sockaddr_in>.size)
        let status = address.withSockaddr { bind(descriptor, $0, length) == 0 ? 0 : -errno }
        try Self.check(status ?? UV_EINVAL.rawValue)
    }

    /// Stops listening; accepted connections live on, and those that wait are accepted first.
    package func close() {
        guard !self.isClosed else { return }
        self.isClosed = true
        self.acceptWaiting()
        uv_close(self.handle) { handle in
            guard let data = handle?.pointee.data else { return }
            Unmanaged<Listener>.fromOpaque(data).release()
            UnsafeMutableRawPointer(handle)?.deallocate()
        }
    }

    private var stream: UnsafeMutablePointer<uv_stream_t> {
        UnsafeMutableRawPointer(self.tcp).assumingMemoryBound(to: uv_stream_t.self)
    }
    private var handle: UnsafeMutablePointer<uv_handle_t> {
        UnsafeMutableRawPointer(self.tcp).assumingMemoryBound(to: uv_handle_t.self)
    }

    private func accept() {
        self.loop.refresh()
        let stream = Stream(self.loop, delegate: self.delegate)
        guard stream.accept(from: self.stream) else { return stream.close() }
        self.accepted(stream)
    }

    /// What has reached the backlog would be reset with it.
    private func acceptWaiting() {
        var descriptor: uv_os_fd_t = -1
        guard uv_fileno(self.handle, &descriptor) == 0 else { return }
        while true {
            let accepted = Glibc.accept(descriptor, nil, nil)
            if accepted < 0 {
                if errno == EINTR || errno == ECONNABORTED { continue }
                return
            }
            _ = fcntl(accepted, F_SETFD, FD_CLOEXEC)
            let stream = Stream(self.loop, delegate: self.delegate)
            if stream.open(accepted) {
                self.accepted(stream)
            } else {
                Glibc.close(accepted)
                stream.close()
            }
        }
    }

    private func boundAddress() throws(StreamError) -> SocketAddress {
        var storage = sockaddr_storage()
        var length = Int32(MemoryLayout<sockaddr_storage>.size)
        let status = withUnsafeMutableBytes(of: &storage) { raw -> Int32 in
            guard let base = raw.baseAddress else { return -1 }
            return uv_tcp_getsockname(
                self.tcp, base.assumingMemoryBound(to: sockaddr.self), &length)
        }
        try Self.check(status)
        guard let address = SocketAddress(storage) else {
            throw StreamError(code: .other, message: "the bound address cannot be read")
        }
        return address
    }

    private static func check(_ status: Int32) throws(StreamError) {
        if status < 0 { throw StreamError(uv: status) }
    }
}
