/// The header fields of one message, as ranges into its bytes; storage is reused between messages.
package final class FieldTable {
    /// One field line.
    package struct Field {
        package var name: ByteRange
        package var value: ByteRange
        package var known: KnownField
    }

    /// A field's place in `places`, from 1 on; 0 where there is none.
    private typealias Place = UInt16

    private static let startFields = 32

    private var storage: UnsafeMutablePointer<Field>
    private var capacity: Int
    private var count = 0
    /// By `KnownField`: where the first such field stands.
    private var places = InlineArray<32, Place>(repeating: 0)

    package init() {
        self.capacity = Self.startFields
        self.storage = .allocate(capacity: self.capacity)
    }

    deinit {
        self.storage.deallocate()
    }

    /// The fields in their order; valid until the table parses another head.
    package var fields: UnsafeBufferPointer<Field> {
        UnsafeBufferPointer(start: self.storage, count: self.count)
    }

    /// The first field known as `known`, which is not `other`.
    package func first(_ known: KnownField) -> Field? {
        let place = Int(self.places[Int(known.rawValue)])
        return place > 0 ? self.storage[place - 1] : nil
    }

    private func append(_ field: Field) {
        if self.count == self.capacity { self.grow() }
        (self.storage + self.count).initialize(to: field)
        self.count &+= 1
        let known = Int(field.known.rawValue)
        if self.places[known] == 0 { self.places[known] = Place(clamping: self.count) }
    }

    private func grow() {
        let larger = UnsafeMutablePointer<Field>.allocate(capacity: self.capacity * 2)
        larger.moveInitialize(from: self.storage, count: self.count)
        self.storage.deallocate()
        self.storage = larger
        self.capacity *= 2
    }

    /// Parses the field lines of `bytes` from `start` up to the empty line that ends at `end`.
    func parse(
        _ bytes: Span<UInt8>, from start: Int, to end: Int, limits: HeadLimits
    ) throws(WireFault) {
        self.count = 0
        self.places = InlineArray(repeating: 0)
        var index = start
        // The scanner has proved that lines end in CRLF and that the last one is empty.
        while index < end - 2 {
            if self.count == limits.fieldsMax { throw .headTooLarge }
            let first = bytes[index]
            if first == Bytes.space || first == Bytes.tab { throw .foldedField }
            let nameStart = index
            Bytes.skipToken(bytes, &index)
            guard index > nameStart, bytes[index] == Bytes.colon else { throw .badFieldName }
            let name = ByteRange(start: nameStart, end: index)
            index &+= 1
            let valueStart = index
            Bytes.skipFieldValue(bytes, &index)
            guard bytes[index] == Bytes.carriageReturn else { throw .badFieldValue }
            let value = Bytes.trimmed(bytes, ByteRange(start: valueStart, end: index))
            index &+= 2
            self.append(
                Field(name: name, value: value, known: KnownField.of(bytes, name)))
        }
    }
}

/// The fields that Plimsoll interprets; every other is relayed untouched.
package enum KnownField: UInt8 {
    case other
    case host, connection, contentLength, transferEncoding, contentType, contentEncoding
    case expect, authorization, te, trailer, upgrade, keepAlive, proxyConnection
    case proxyAuthorization, proxyAuthenticate, acceptEncoding, requestID
    case plimsollClass, plimsollDeadline, plimsollOther, retryCount, retryAfter

    /// Recognises a field name by its length first, so that most names cost one comparison.
    static func of(_ bytes: Span<UInt8>, _ name: ByteRange) -> KnownField {
        func matches(_ literal: StaticString) -> Bool {
            Bytes.equalsIgnoringCase(bytes, name, literal)
        }
        switch name.count {
        case 2: if matches("te") { return .te }
        case 4: if matches("host") { return .host }
        case 6: if matches("expect") { return .expect }
        case 7:
            if matches("trailer") { return .trailer }
            if matches("upgrade") { return .upgrade }
        case 10:
            if matches("connection") { return .connection }
            if matches("keep-alive") { return .keepAlive }
        case 11: if matches("retry-after") { return .retryAfter }
        case 12:
            if matches("content-type") { return .contentType }
            if matches("x-request-id") { return .requestID }
        case 13: if matches("authorization") { return .authorization }
        case 14: if matches("content-length") { return .contentLength }
        case 15: if matches("accept-encoding") { return .acceptEncoding }
        case 16:
            if matches("content-encoding") { return .contentEncoding }
            if matches("proxy-connection") { return .proxyConnection }
            if matches("x-plimsoll-class") { return .plimsollClass }
        case 17: if matches("transfer-encoding") { return .transferEncoding }
        case 18: if matches("proxy-authenticate") { return .proxyAuthenticate }
        case 19: if matches("proxy-authorization") { return .proxyAuthorization }
        case 22: if matches("x-plimsoll-deadline-ms") { return .plimsollDeadline }
        case 23: if matches("x-stainless-retry-count") { return .retryCount }
        default: break
        }
        return .of(prefixed: bytes, name)
    }

    private static func of(prefixed bytes: Span<UInt8>, _ name: ByteRange) -> KnownField {
        guard name.count >= 11 else { return .other }
        let prefix = ByteRange(start: name.start, end: name.start + 11)
        return Bytes.equalsIgnoringCase(bytes, prefix, "x-plimsoll-") ? .plimsollOther : .other
    }
}
