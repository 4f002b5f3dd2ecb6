import Budget

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Why a text is not an engine's address. The message never holds a password.
struct EndpointFault: Error {
    var message: String
    var suggestion: String?
}

extension EngineEndpoint {
    /// Reads `http://host[:port]` or `https://host[:port]`.
    init(parsing text: String) throws(EndpointFault) {
        guard let (scheme, rest) = Self.split(text) else {
            let guess = "http://\(text)"
            let isNear = (try? EngineEndpoint(parsing: guess)) != nil
            throw EndpointFault(
                message: "must begin with http:// or https://", suggestion: isNear ? guess : nil)
        }
        let authority = rest.prefix { !"/?#".contains($0) }
        guard !authority.contains("@") else {
            throw EndpointFault(
                message: "must not hold a user or a password: use engine.auth.bearerFrom")
        }
        guard scheme == "http" || scheme == "https" else {
            throw EndpointFault(
                message: "has the scheme \"\(quoted(scheme))\", which is not http or https",
                suggestion: NearestSpelling.of(scheme, among: ["http", "https"]).map {
                    "\($0)://\(rest)"
                })
        }
        let isTLS = scheme == "https"
        let (host, port) = try Self.hostAndPort(authority)
        self.init(isTLS: isTLS, host: host.lowercased(), port: port ?? (isTLS ? 443 : 80))
        let tail = rest.dropFirst(authority.count)
        guard tail.isEmpty || tail == "/" else {
            throw EndpointFault(
                message: "must not have a path: requests keep their own", suggestion: self.url)
        }
    }

    private static func split(_ text: String) -> (scheme: String, rest: Substring)? {
        let scheme = text.prefix { $0 != ":" }
        let rest = text.dropFirst(scheme.count)
        guard !scheme.isEmpty, rest.hasPrefix("://") else { return nil }
        return (scheme.lowercased(), rest.dropFirst(3))
    }

    private static func hostAndPort(
        _ authority: Substring
    ) throws(EndpointFault) -> (host: String, port: UInt16?) {
        if authority.hasPrefix("[") {
            let host = authority.dropFirst().prefix { $0 != "]" }
            let rest = authority.dropFirst(host.count + 1)
            guard rest.hasPrefix("]"), self.isIPv6(String(host)) else {
                throw EndpointFault(message: "has no valid IPv6 address between [ and ]")
            }
            return (String(host), try self.port(rest.dropFirst()))
        }
        let host = authority.prefix { $0 != ":" }
        guard self.isHost(host) else {
            throw EndpointFault(
                message: "has no valid host name or address: \"\(quoted(String(host)))\"")
        }
        return (String(host), try self.port(authority.dropFirst(host.count)))
    }

    private static func port(_ text: Substring) throws(EndpointFault) -> UInt16? {
        guard !text.isEmpty else { return nil }
        let digits = text.dropFirst()
        guard text.hasPrefix(":"), digits.allSatisfy({ ("0"..."9").contains($0) }),
            let port = UInt16(digits), port > 0
        else {
            throw EndpointFault(
                message: "has the port \"\(quoted(String(digits)))\": it must be from 1 to 65535")
        }
        return port
    }

    private static func isIPv6(_ text: String) -> Bool {
        var address = in6_addr()
        return inet_pton(AF_INET6, text, &address) == 1
    }

    private static func isHost(_ host: Substring) -> Bool {
        guard !host.isEmpty, host.utf8.count <= 253 else { return false }
        let labels = host.split(separator: ".", omittingEmptySubsequences: false)
        if labels.allSatisfy({ $0.allSatisfy { ("0"..."9").contains($0) } }) {
            var address = in_addr()
            return inet_pton(AF_INET, String(host), &address) == 1
        }
        return labels.allSatisfy { label in
            !label.isEmpty && label.utf8.count <= 63 && !label.hasPrefix("-")
                && !label.hasSuffix("-")
                && label.utf8.allSatisfy { byte in
                    byte.isLowerOrDigit || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
                        || (byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z"))
                }
        }
    }
}
