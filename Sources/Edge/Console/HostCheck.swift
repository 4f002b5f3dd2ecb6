import EventLoop

/// Which `Host` a browser may name to reach the console: without this a page of another site could
/// bind its own name to this address and read what is shown.
struct HostCheck: Sendable {
    private let listen: SocketAddress

    init(listen: SocketAddress) {
        self.listen = listen
    }

    /// Whether `host`, with or without a port, is a name of this listener.
    ///
    /// Loopback and the listen address; where that is every address, any literal one: a literal
    /// cannot be bound to something else. The port is not compared: tunnels change it.
    func allows(_ host: String) -> Bool {
        let name = Self.withoutPort(host)
        if name == "localhost" || name == self.listen.host { return true }
        let address = SocketAddress(parsing: name.contains(":") ? "[\(name)]:1" : "\(name):1")
        guard let address else { return false }
        if address.isLoopback { return true }
        return self.listen.host == "0.0.0.0" || self.listen.host == "::"
    }

    private static func withoutPort(_ host: String) -> String {
        if host.hasPrefix("["), let close = host.firstIndex(of: "]") {
            return String(host[host.index(after: host.startIndex)..<close])
        }
        guard let colon = host.lastIndex(of: ":") else { return host.lowercased() }
        return host[..<colon].lowercased()
    }
}
