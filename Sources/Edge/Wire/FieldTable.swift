/// The header fields of one message, as ranges into its bytes; storage is reused between messages.
package struct FieldTable {
    /// One field line.
    package struct Field {
        package var name: ByteRange
        package var value: ByteRange
        package var known: KnownField
    }

    package private(set) var fields: [Field] = []

    package init() {
        self.fields.reserveCapacity(32)
    }

    /// The first field known as `known`.
    package func first(_ known: KnownField) -> Field? {
        for field in self.fields where field.known == known { return field }
        return nil
    }

    mutating func removeAll() {
        self.fields.removeAll(keepingCapacity: true)
    }

    /// Parses the field lines of `bytes` from `start` up to the empty line that ends at `end`.
    mutating func parse(
        _ bytes: Span<UInt8>, from start: Int, to end: Int, limits: HeadLimits
    ) throws(WireFault) {
        self.removeAll()
        var index = start
        // The scanner has proved that lines end in CRLF and that the last one is empty.
        while index < end - 2 {
            if self.fields.count == limits.fieldsMax { throw .headTooLarge }
            let first = bytes[index]
            if first == Bytes.space || first == Bytes.tab { throw .foldedField }
            let nameStart = index
            while Bytes.isToken(bytes[index]) { index &+= 1 }
            guard index > nameStart, bytes[index] == Bytes.colon else { throw .badFieldName }
            let name = ByteRange(start: nameStart, end: index)
            index &+= 1
            let valueStart = index
            while Bytes.isFieldValue(bytes[index]) { index &+= 1 }
            guard bytes[index] == Bytes.carriageReturn else { throw .badFieldValue }
            let value = Bytes.trimmed(bytes, ByteRange(start: valueStart, end: index))
            index &+= 2
            self.fields.append(
                Field(name: name, value: value, known: KnownField.of(bytes, name)))
        }
    }
}

/// The fields that Plimsoll interprets; every other is relayed untouched.
package enum KnownField: UInt8 {
    case other
    case host, connection, contentLength, transferEncoding, contentType, contentEncoding
    case expect, authorization, te, trailer, upgrade, keepAlive, proxyConnection
    case proxyAuthorization, proxyAuthenticate, acceptEncoding, requestID, traceparent
    case plimsollClass, plimsollDeadline, plimsollOther, retryCount, server, date, retryAfter

    /// Recognises a field name by its length first, so that most names cost one comparison.
    static func of(_ bytes: Span<UInt8>, _ name: ByteRange) -> KnownField {
        func matches(_ literal: StaticString) -> Bool {
            Bytes.equalsIgnoringCase(bytes, name, literal)
        }
        switch name.count {
        case 2: return matches("te") ? .te : .other
        case 4: return matches("host") ? .host : matches("date") ? .date : .other
        case 6:
            return matches("expect") ? .expect : matches("server") ? .server : .other
        case 7: return matches("trailer") ? .trailer : matches("upgrade") ? .upgrade : .other
        case 10: return matches("connection") ? .connection
            : matches("keep-alive") ? .keepAlive : .other
        case 11: return matches("traceparent") ? .traceparent
            : matches("retry-after") ? .retryAfter : .other
        case 12: return matches("content-type") ? .contentType
            : matches("x-request-id") ? .requestID : .other
        case 13: return matches("authorization") ? .authorization : .other
        case 14: return matches("content-length") ? .contentLength : .other
        case 15: return matches("accept-encoding") ? .acceptEncoding : .other
        case 16: return matches("content-encoding") ? .contentEncoding
            : matches("proxy-connection") ? .proxyConnection
            : matches("x-plimsoll-class") ? .plimsollClass : .other
        case 17: return matches("transfer-encoding") ? .transferEncoding : .other
        case 18: return matches("proxy-authenticate") ? .proxyAuthenticate
            : .of(prefixed: bytes, name)
        case 19: return matches("proxy-authorization") ? .proxyAuthorization
            : .of(prefixed: bytes, name)
        case 22: return matches("x-plimsoll-deadline-ms") ? .plimsollDeadline
            : .of(prefixed: bytes, name)
        case 23: return matches("x-stainless-retry-count") ? .retryCount
            : .of(prefixed: bytes, name)
        default: return .of(prefixed: bytes, name)
        }
    }

    private static func of(prefixed bytes: Span<UInt8>, _ name: ByteRange) -> KnownField {
        guard name.count > 11 else { return .other }
        let prefix = ByteRange(start: name.start, end: name.start + 11)
        return Bytes.equalsIgnoringCase(bytes, prefix, "x-plimsoll-") ? .plimsollOther : .other
    }
}
