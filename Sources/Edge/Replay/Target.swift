package import EventLoop

/// The server that requests are sent to.
package struct Target: Sendable, Equatable {
    /// TLS, the certificate verified.
    package var isTLS: Bool
    /// A name or an address, without brackets.
    package var host: String
    package var port: UInt16
    /// In front of `/v1/...`; empty or beginning with a slash, never ending with one.
    package var path: String

    /// Reads `http://HOST[:PORT][/PATH]`; a `/v1` at its end is not counted twice.
    ///
    /// Throws a sentence that says what is wrong and shows the right form.
    package init(parsing text: String) throws(ReplayFault) {
        func wrong(_ why: String) -> ReplayFault {
            ReplayFault("the target '\(text)' \(why); write http://127.0.0.1:8080")
        }
        if text.hasPrefix("http://") {
            self.isTLS = false
        } else if text.hasPrefix("https://") {
            self.isTLS = true
        } else {
            throw wrong("does not begin with http:// or https://")
        }
        let rest = text.dropFirst(self.isTLS ? 8 : 7)
        let isPlain = rest.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
        guard isPlain, !rest.contains(where: { "?#@".contains($0) }) else {
            throw wrong("holds a user, a query or a character that no address has")
        }
        let authority = rest.prefix { $0 != "/" }
        var host = authority
        var port: UInt16 = self.isTLS ? 443 : 80
        if let colon = authority.lastIndex(of: ":"), !authority[colon...].contains("]") {
            guard let number = UInt16(authority[authority.index(after: colon)...]), number > 0
            else { throw wrong("has no port from 1 to 65535 behind its colon") }
            port = number
            host = authority[..<colon]
        }
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard !host.isEmpty else { throw wrong("names no host") }
        self.host = String(host)
        self.port = port
        var path = rest[authority.endIndex...]
        while path.hasSuffix("/") { path = path.dropLast() }
        if path.hasSuffix("/v1") { path = path.dropLast(3) }
        self.path = String(path)
    }

    /// A target whose address is known.
    package init(_ address: SocketAddress) {
        self.isTLS = false
        self.host = address.host
        self.port = address.port
        self.path = ""
    }

    /// What a `Host` field says.
    var authority: String {
        let name = self.host.contains(":") ? "[\(self.host)]" : self.host
        return self.port == (self.isTLS ? 443 : 80) ? name : "\(name):\(self.port)"
    }

    /// The address to connect to; blocks while a name is looked up.
    func resolve() throws(ReplayFault) -> SocketAddress {
        guard let address = SocketAddress.resolve(host: self.host, port: self.port) else {
            throw ReplayFault("the target's host '\(self.host)' has no address")
        }
        return address
    }
}

/// Why a replay could not be run, in words for a person.
package struct ReplayFault: Error, Equatable, CustomStringConvertible {
    /// What is wrong, where, and what helps.
    package var message: String

    /// Creates a fault.
    package init(_ message: String) {
        self.message = message
    }

    package var description: String { self.message }
}
