internal import CUV
import Glibc

/// A numeric IP address and port.
package struct SocketAddress: Sendable, Equatable, CustomStringConvertible {
    package var host: String
    package var port: UInt16

    /// Creates an address from a literal IPv4 or IPv6 address.
    package init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// Parses `ADDRESS:PORT`, `[ADDRESS]:PORT` or `:PORT` (loopback); `nil` when it is none.
    package init?(parsing text: String) {
        guard let colon = text.lastIndex(of: ":"),
            let port = UInt16(text[text.index(after: colon)...])
        else { return nil }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        if host.isEmpty || host == "localhost" { host = "127.0.0.1" }
        self.init(host: host, port: port)
        guard self.storage() != nil else { return nil }
    }

    package var description: String {
        self.host.contains(":") ? "[\(self.host)]:\(self.port)" : "\(self.host):\(self.port)"
    }

    /// Whether only this machine can reach the address.
    package var isLoopback: Bool {
        self.host.hasPrefix("127.") || self.host == "::1"
    }

    func storage() -> sockaddr_storage? {
        var storage = sockaddr_storage()
        let status = withUnsafeMutableBytes(of: &storage) { raw -> Int32 in
            guard let base = raw.baseAddress else { return -1 }
            if self.host.contains(":") {
                return uv_ip6_addr(
                    self.host, Int32(self.port), base.assumingMemoryBound(to: sockaddr_in6.self))
            }
            return uv_ip4_addr(
                self.host, Int32(self.port), base.assumingMemoryBound(to: sockaddr_in.self))
        }
        return status == 0 ? storage : nil
    }

    /// Calls `body` with the address as the C library wants it.
    func withSockaddr<R>(_ body: (UnsafePointer<sockaddr>) -> R) -> R? {
        guard var storage = self.storage() else { return nil }
        return withUnsafeBytes(of: &storage) { raw in
            raw.baseAddress.map { body($0.assumingMemoryBound(to: sockaddr.self)) }
        }
    }

    /// Reads an address back from the C library's form.
    init?(_ storage: sockaddr_storage) {
        var storage = storage
        let family = Int32(storage.ss_family)
        var text = [CChar](repeating: 0, count: 64)
        let result = withUnsafeBytes(of: &storage) { raw -> (Int32, UInt16) in
            guard let base = raw.baseAddress else { return (-1, 0) }
            if family == AF_INET6 {
                let address = base.assumingMemoryBound(to: sockaddr_in6.self)
                return (
                    uv_ip6_name(address, &text, text.count),
                    UInt16(bigEndian: address.pointee.sin6_port)
                )
            }
            let address = base.assumingMemoryBound(to: sockaddr_in.self)
            return (
                uv_ip4_name(address, &text, text.count),
                UInt16(bigEndian: address.pointee.sin_port)
            )
        }
        guard result.0 == 0 else { return nil }
        self.host = String(
            decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        self.port = result.1
    }
}

extension SocketAddress {
    /// The first address of `host`; blocks while a name is looked up. `nil` when it has none.
    package static func resolve(host: String, port: UInt16) -> SocketAddress? {
        let literal = SocketAddress(host: host, port: port)
        if literal.storage() != nil { return literal }
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(port), &hints, &found) == 0, let found else { return nil }
        defer { freeaddrinfo(found) }
        var storage = sockaddr_storage()
        withUnsafeMutableBytes(of: &storage) { raw in
            raw.copyMemory(
                from: UnsafeRawBufferPointer(
                    start: found.pointee.ai_addr, count: Int(found.pointee.ai_addrlen)))
        }
        return SocketAddress(storage)
    }
}
