import Glibc

/// A blocking TCP socket on loopback for tests; no read waits longer than a minute.
package final class RawSocket: @unchecked Sendable {
    // Safety: a descriptor that one test thread uses at a time; closing is idempotent by the test.
    package let descriptor: Int32
    private var unread: [UInt8] = []
    private var isOpen = true

    package init(descriptor: Int32) {
        self.descriptor = descriptor
        var limit = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(
            descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(
            descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var on: Int32 = 1
        setsockopt(
            descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    }

    deinit { self.close() }

    /// Connects to a port of this machine; `receiveBytes` bounds the kernel's buffer.
    package convenience init(port: UInt16, receiveBytes: Int32? = nil) {
        let descriptor = RawSocket.open(port, receiveBytes)
        precondition(descriptor >= 0, "nothing listens on port \(port)")
        self.init(descriptor: descriptor)
    }

    /// A connection to a port of this machine; `nil` when nobody listens there (any more).
    package static func connected(to port: UInt16) -> RawSocket? {
        let descriptor = RawSocket.open(port, nil)
        return descriptor >= 0 ? RawSocket(descriptor: descriptor) : nil
    }

    /// A connected descriptor, or -1.
    private static func open(_ port: UInt16, _ receiveBytes: Int32?) -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        if var receiveBytes {
            setsockopt(
                descriptor, SOL_SOCKET, SO_RCVBUF, &receiveBytes,
                socklen_t(MemoryLayout<Int32>.size))
        }
        var address = RawSocket.loopback(port)
        let status = withUnsafeBytes(of: &address) { raw in
            raw.baseAddress.map {
                connect(
                    descriptor, $0.assumingMemoryBound(to: sockaddr.self),
                    socklen_t(MemoryLayout<sockaddr_in>.size))
            } ?? -1
        }
        if status == 0 { return descriptor }
        Glibc.close(descriptor)
        return -1
    }

    static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    /// Sends everything; `false` when the peer is gone.
    @discardableResult
    package func send(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { raw in
                Glibc.send(
                    self.descriptor, raw.baseAddress.map { $0 + sent }, bytes.count - sent,
                    Int32(MSG_NOSIGNAL))
            }
            if count <= 0 { return false }
            sent += count
        }
        return true
    }

    @discardableResult
    package func send(_ text: String) -> Bool { self.send(Array(text.utf8)) }

    /// The next bytes; empty at the end, on a reset, or after ten seconds.
    package func receive(max: Int = 64 << 10) -> [UInt8] {
        if !self.unread.isEmpty {
            defer { self.unread = [] }
            return self.unread
        }
        var block = [UInt8](repeating: 0, count: max)
        let count = recv(self.descriptor, &block, max, 0)
        return count > 0 ? Array(block[..<count]) : []
    }

    /// Everything up to the peer's end.
    package func receiveAll() -> [UInt8] {
        var all: [UInt8] = []
        while true {
            let bytes = self.receive()
            if bytes.isEmpty { return all }
            all += bytes
        }
    }

    /// Reads until `text` has come; returns everything up to and with it, or what came before the
    /// end.
    package func receive(until text: String) -> [UInt8] {
        let wanted = Array(text.utf8)
        var all: [UInt8] = []
        while true {
            if let end = Self.end(of: wanted, in: all) {
                self.unread = Array(all[end...]) + self.unread
                return Array(all[..<end])
            }
            let bytes = self.receive()
            if bytes.isEmpty { return all }
            all += bytes
        }
    }

    /// Behind the first `wanted` in `all`. By hand: the library's search makes generic metadata at
    /// run time, and under the thread sanitizer threads that do so at once wait for each other.
    private static func end(of wanted: [UInt8], in all: [UInt8]) -> Int? {
        guard all.count >= wanted.count else { return nil }
        for start in 0...(all.count - wanted.count) {
            var index = 0
            while index < wanted.count, all[start + index] == wanted[index] { index += 1 }
            if index == wanted.count { return start + index }
        }
        return nil
    }

    package func receive(count: Int) -> [UInt8] {
        var all: [UInt8] = []
        while all.count < count {
            let bytes = self.receive()
            if bytes.isEmpty { return all }
            all += bytes
        }
        self.unread = Array(all[count...])
        return Array(all[..<count])
    }

    /// Whether the peer ends the connection within ten seconds, without another byte.
    package func ends() -> Bool { self.receive().isEmpty }

    package func close() {
        guard self.isOpen else { return }
        self.isOpen = false
        Glibc.close(self.descriptor)
    }

    /// Says that no more will be sent.
    package func finishSending() { shutdown(self.descriptor, Int32(SHUT_WR)) }

    /// Closes with a reset.
    package func reset() {
        var now = linger(l_onoff: 1, l_linger: 0)
        setsockopt(
            self.descriptor, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
        self.close()
    }
}

/// The monotonic clock, in nanoseconds.
package func monotonicNanos() -> UInt64 {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
}
