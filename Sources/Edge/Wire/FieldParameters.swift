/// The parameters of a field such as `form-data; name="a"` (RFC 9110 5.6.6), read strictly: what
/// two readers could take apart in two ways is ambiguous.
enum FieldParameters {
    /// The one value of `parameter` in `field`, whose first word is `word`; both in lower case.
    ///
    /// Without its quotes. Ambiguous when it stands twice, is escaped or extended (`name*=`), or
    /// when anything in the field is malformed.
    static func value(
        of parameter: StaticString, word: StaticString, _ bytes: Span<UInt8>, _ field: ByteRange
    ) -> MultipartForm.Field {
        var at = field.start
        while at < field.end, bytes[at] != 0x3B { at += 1 }
        let first = Bytes.trimmed(bytes, ByteRange(start: field.start, end: at))
        guard Bytes.equalsIgnoringCase(bytes, first, word) else { return .ambiguous }
        var found = MultipartForm.Field.absent
        while at < field.end {
            // Behind a semicolon.
            at = Self.skipBlanks(bytes, at + 1, field.end)
            if at == field.end { break }
            let start = at
            while at < field.end, Bytes.isToken(bytes[at]) { at += 1 }
            let name = ByteRange(start: start, end: at)
            guard !name.isEmpty, at < field.end, bytes[at] == 0x3D else { return .ambiguous }
            at += 1
            guard let value = Self.value(bytes, &at, field.end) else { return .ambiguous }
            at = Self.skipBlanks(bytes, at, field.end)
            guard at == field.end || bytes[at] == 0x3B else { return .ambiguous }
            switch Self.match(bytes, name, parameter) {
            case .other: continue
            case .extended: return .ambiguous
            case .same:
                guard found == .absent, !value.isEscaped else { return .ambiguous }
                found = .value(value.range)
            }
        }
        return found
    }

    private enum Match { case same, extended, other }

    /// `name*` and `name*0` say the same parameter in other words (RFC 2231, RFC 8187).
    private static func match(
        _ bytes: Span<UInt8>, _ name: ByteRange, _ parameter: StaticString
    ) -> Match {
        if Bytes.equalsIgnoringCase(bytes, name, parameter) { return .same }
        let count = parameter.utf8CodeUnitCount
        guard name.count > count, bytes[name.start + count] == 0x2A else { return .other }
        let stem = ByteRange(start: name.start, end: name.start + count)
        return Bytes.equalsIgnoringCase(bytes, stem, parameter) ? .extended : .other
    }

    /// A quoted string or a plain word; `nil` where there is none.
    private static func value(
        _ bytes: Span<UInt8>, _ at: inout Int, _ end: Int
    ) -> (range: ByteRange, isEscaped: Bool)? {
        let start = at
        guard at < end, bytes[at] == 0x22 else {
            while at < end, bytes[at] > 0x20, bytes[at] != 0x3B, bytes[at] != 0x22 { at += 1 }
            return at > start ? (ByteRange(start: start, end: at), false) : nil
        }
        at += 1
        var isEscaped = false
        while at < end, bytes[at] != 0x22 {
            if bytes[at] == 0x5C {
                isEscaped = true
                at += 1
            }
            at += 1
        }
        guard at < end else { return nil }
        at += 1
        return (ByteRange(start: start + 1, end: at - 1), isEscaped)
    }

    private static func skipBlanks(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Int {
        var at = start
        while at < end, bytes[at] == Bytes.space || bytes[at] == Bytes.tab { at += 1 }
        return at
    }
}
