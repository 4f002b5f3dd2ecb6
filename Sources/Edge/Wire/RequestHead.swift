/// Request methods; those that Plimsoll treats apart have a case.
package enum Method: UInt8 {
    case get, head, post, put, delete, patch, options, connect, trace, other
}

/// How the end of a message body is found (RFC 9112 6.3).
package enum BodyFraming: Equatable {
    case none
    case length(UInt64)
    case chunked
    /// Only of responses: the body lasts until the connection closes.
    case untilClose
}

/// One parsed request head; ranges point into the bytes it was parsed from.
///
/// A class, so that a loop's one head is passed on without copying.
package final class RequestHead {
    package private(set) var method = Method.get
    package private(set) var methodRange = ByteRange.empty
    /// Path and query, in origin form.
    package private(set) var target = ByteRange.empty
    /// Host and port, from an absolute target or the Host field.
    package private(set) var host = ByteRange.empty
    /// Minor version of HTTP/1: 0 or 1.
    package private(set) var minorVersion = 1
    package private(set) var framing = BodyFraming.none
    /// Whether the connection may carry another request after this one.
    package private(set) var keepAlive = true
    /// The client waits for `100 Continue` before it sends the body.
    package private(set) var expectsContinue = false
    package let table = FieldTable()

    package init() {}

    /// Parses the head in `bytes[0..<end]`; `end` comes from `HeadScanner`.
    package func parse(
        _ bytes: Span<UInt8>, end: Int, limits: HeadLimits
    ) throws(WireFault) {
        let fieldsStart = try self.parseRequestLine(bytes, end: end, limits: limits)
        try self.table.parse(bytes, from: fieldsStart, to: end, limits: limits)
        try self.interpret(bytes)
    }

    /// The path without its query.
    package func path(_ bytes: Span<UInt8>) -> ByteRange {
        var end = self.target.start
        while end < self.target.end, bytes[end] != 0x3F { end += 1 }
        return ByteRange(start: self.target.start, end: end)
    }

    private func parseRequestLine(
        _ bytes: Span<UInt8>, end: Int, limits: HeadLimits
    ) throws(WireFault) -> Int {
        var index = 0
        while Bytes.isToken(bytes[index]) { index &+= 1 }
        guard index > 0, bytes[index] == Bytes.space else { throw .badRequestLine }
        self.methodRange = ByteRange(start: 0, end: index)
        self.method = Self.method(bytes, self.methodRange)
        index &+= 1
        let targetStart = index
        while bytes[index] > 0x20, bytes[index] < 0x7F { index &+= 1 }
        guard index > targetStart, bytes[index] == Bytes.space else { throw .badRequestLine }
        guard index - targetStart <= limits.targetBytesMax else { throw .targetTooLong }
        self.target = ByteRange(start: targetStart, end: index)
        index &+= 1
        guard index + 10 <= end,
            Bytes.equals(bytes, ByteRange(start: index, end: index + 5), "HTTP/")
        else { throw .badRequestLine }
        switch (bytes[index + 5], bytes[index + 6], bytes[index + 7]) {
        case (0x31, 0x2E, 0x31): self.minorVersion = 1
        case (0x31, 0x2E, 0x30): self.minorVersion = 0
        case (0x30...0x39, 0x2E, 0x30...0x39): throw .badVersion
        default: throw .badRequestLine
        }
        guard bytes[index + 8] == Bytes.carriageReturn else { throw .badRequestLine }
        return index + 10
    }

    private static func method(_ bytes: Span<UInt8>, _ range: ByteRange) -> Method {
        switch range.count {
        case 3 where Bytes.equals(bytes, range, "GET"): .get
        case 3 where Bytes.equals(bytes, range, "PUT"): .put
        case 4 where Bytes.equals(bytes, range, "POST"): .post
        case 4 where Bytes.equals(bytes, range, "HEAD"): .head
        case 5 where Bytes.equals(bytes, range, "PATCH"): .patch
        case 5 where Bytes.equals(bytes, range, "TRACE"): .trace
        case 6 where Bytes.equals(bytes, range, "DELETE"): .delete
        case 7 where Bytes.equals(bytes, range, "OPTIONS"): .options
        case 7 where Bytes.equals(bytes, range, "CONNECT"): .connect
        default: .other
        }
    }

    private func interpret(_ bytes: Span<UInt8>) throws(WireFault) {
        var length = LengthFields()
        var hosts = 0
        var closes = false
        var keeps = self.minorVersion == 1
        self.expectsContinue = false
        for field in self.table.fields {
            switch field.known {
            case .host:
                hosts += 1
                self.host = field.value
            case .connection:
                closes = closes || Bytes.listContains(bytes, field.value, "close")
                keeps = keeps || Bytes.listContains(bytes, field.value, "keep-alive")
            case .expect:
                self.expectsContinue =
                    self.minorVersion == 1
                    && Bytes.equalsIgnoringCase(bytes, field.value, "100-continue")
            case .contentLength, .transferEncoding:
                try length.take(bytes, field)
            default: break
            }
        }
        self.keepAlive = keeps && !closes
        if hosts > 1 { throw .repeatedHost }
        if hosts == 0 {
            guard self.minorVersion == 0 else { throw .missingHost }
            self.host = .empty
        }
        try self.resolveTarget(bytes)
        try Self.checkHost(bytes, self.host)
        if length.chunked, self.minorVersion == 0 { throw .badTransferCoding }
        self.framing = try length.framing(none: BodyFraming.none)
    }

    /// Accepts absolute form by RFC 9112 3.2.2: its authority replaces the Host field.
    private func resolveTarget(_ bytes: Span<UInt8>) throws(WireFault) {
        let start = self.target.start
        if bytes[start] == 0x2F { return }
        if self.method == .connect { return }
        if self.method == .options, self.target.count == 1, bytes[start] == 0x2A { return }
        let schemes: (StaticString, StaticString) = ("http://", "https://")
        let afterScheme: Int
        if Self.hasPrefix(bytes, self.target, schemes.0) {
            afterScheme = start + 7
        } else if Self.hasPrefix(bytes, self.target, schemes.1) {
            afterScheme = start + 8
        } else {
            throw .badRequestLine
        }
        var slash = afterScheme
        while slash < self.target.end, bytes[slash] != 0x2F, bytes[slash] != 0x3F { slash += 1 }
        // An empty host is refused (RFC 9110 4.2.1).
        guard slash > afterScheme, bytes[afterScheme] != Bytes.colon else { throw .badHost }
        // Without a path there is no range to point at that says "/": such a target names nothing.
        guard slash < self.target.end, bytes[slash] == 0x2F else { throw .badRequestLine }
        self.host = ByteRange(start: afterScheme, end: slash)
        self.target.start = slash
    }

    private static func hasPrefix(
        _ bytes: Span<UInt8>, _ range: ByteRange, _ literal: StaticString
    ) -> Bool {
        let count = literal.utf8CodeUnitCount
        guard range.count >= count else { return false }
        let prefix = ByteRange(start: range.start, end: range.start + count)
        return Bytes.equalsIgnoringCase(bytes, prefix, literal)
    }

    /// Refuses what could smuggle a path, a userinfo or a second host into the authority.
    private static func checkHost(_ bytes: Span<UInt8>, _ host: ByteRange) throws(WireFault) {
        for index in host.start..<host.end {
            switch bytes[index] {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: continue
            case 0x2D, 0x2E, 0x3A, 0x5B, 0x5D, 0x5F, 0x7E, 0x25: continue
            default: throw .badHost
            }
        }
    }
}

/// Collects Content-Length and Transfer-Encoding and applies RFC 9112 6.3 strictly.
struct LengthFields {
    private var length: UInt64?
    private(set) var chunked = false

    mutating func take(
        _ bytes: Span<UInt8>, _ field: FieldTable.Field
    ) throws(WireFault) {
        if field.known == .transferEncoding {
            guard !self.chunked, Bytes.equalsIgnoringCase(bytes, field.value, "chunked") else {
                throw .badTransferCoding
            }
            self.chunked = true
            return
        }
        // A list of equal lengths is one too many: a strict peer sends one.
        guard let value = Bytes.decimal(bytes, field.value), self.length == nil else {
            throw .badContentLength
        }
        self.length = value
    }

    func framing(none: BodyFraming) throws(WireFault) -> BodyFraming {
        if self.chunked {
            if self.length != nil { throw .conflictingLength }
            return .chunked
        }
        guard let length = self.length else { return none }
        return .length(length)
    }
}
