/// One parsed response head; ranges point into the bytes it was parsed from.
///
/// A class, so that a loop's one head is passed on without copying.
package final class ResponseHead {
    package private(set) var status = 0
    package private(set) var reason = ByteRange.empty
    package private(set) var framing = BodyFraming.none
    /// Whether the connection may carry another request after this response.
    package private(set) var keepAlive = true
    package let table = FieldTable()

    package init() {}

    /// Parses the head in `bytes[0..<end]`; `end` comes from `HeadScanner`.
    ///
    /// `toHead`: the request was HEAD, so that no body follows whatever the fields say.
    package func parse(
        _ bytes: Span<UInt8>, end: Int, toHead: Bool, limits: HeadLimits
    ) throws(WireFault) {
        guard end >= 14, Bytes.equals(bytes, ByteRange(start: 0, end: 7), "HTTP/1."),
            bytes[7] == 0x31 || bytes[7] == 0x30, bytes[8] == Bytes.space,
            let status = Bytes.decimal(bytes, ByteRange(start: 9, end: 12)),
            (100...599).contains(status)
        else { throw .badStatusLine }
        self.status = Int(status)
        var index = 12
        if bytes[index] == Bytes.space {
            index += 1
        } else if bytes[index] != Bytes.carriageReturn {
            throw .badStatusLine
        }
        let reasonStart = index
        Bytes.skipFieldValue(bytes, &index)
        guard bytes[index] == Bytes.carriageReturn else { throw .badStatusLine }
        self.reason = ByteRange(start: reasonStart, end: index)
        try self.table.parse(bytes, from: index + 2, to: end, limits: limits)
        try self.interpret(bytes, minorVersion: bytes[7] &- 0x30, toHead: toHead)
    }

    private func interpret(
        _ bytes: Span<UInt8>, minorVersion: UInt8, toHead: Bool
    ) throws(WireFault) {
        var length = LengthFields()
        var closes = false
        var keeps = minorVersion == 1
        for field in self.table.fields {
            switch field.known {
            case .connection:
                closes = closes || Bytes.listContains(bytes, field.value, "close")
                keeps = keeps || Bytes.listContains(bytes, field.value, "keep-alive")
            case .contentLength, .transferEncoding: try length.take(bytes, field)
            default: break
            }
        }
        // A peer that frames chunks in a version without them is not to be trusted (RFC 9112 6.1).
        if length.chunked, minorVersion == 0 { throw .badTransferCoding }
        let hasNoBody = toHead || self.status < 200 || self.status == 204 || self.status == 304
        let framing = try length.framing(none: .untilClose)
        self.framing = hasNoBody ? .none : framing
        self.keepAlive = keeps && !closes && self.framing != .untilClose
    }
}
