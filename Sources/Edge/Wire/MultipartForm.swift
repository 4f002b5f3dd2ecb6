/// The parts of a `multipart/form-data` body (RFC 7578), as far as the request path needs them.
package enum MultipartForm {
    /// What became of looking for a field.
    package enum Field: Equatable {
        case absent
        case value(ByteRange)
        /// Written twice, or the form is broken: two readers may see two things.
        case ambiguous
    }

    /// The value of the field `model` in the form in `body`; `contentType` names its boundary.
    package static func model(
        _ bytes: Span<UInt8>, contentType: ByteRange, body: ByteRange
    ) -> Field {
        guard let delimiter = Self.delimiter(bytes, contentType),
            var at = Self.find(delimiter, bytes, from: body.start, to: body.end)
        else { return .ambiguous }
        var found = Field.absent
        while true {
            // Two hyphens behind a delimiter end the form, a line end begins a part.
            at += delimiter.count
            guard at + 1 < body.end else { return .ambiguous }
            if bytes[at] == 0x2D, bytes[at + 1] == 0x2D { return found }
            guard bytes[at] == Bytes.carriageReturn, bytes[at + 1] == Bytes.lineFeed,
                let blank = Bytes.find(
                    "\r\n\r\n", in: bytes, ByteRange(start: at, end: body.end)),
                let name = Self.name(bytes, ByteRange(start: at + 2, end: blank + 2)),
                let next = Self.find(delimiter, bytes, from: blank + 4, to: body.end),
                // Some readers would see a part without content here, and some would read on.
                next > blank + 4
            else { return .ambiguous }
            if Bytes.equals(bytes, name, "model") {
                guard found == .absent else { return .ambiguous }
                // The line end before a delimiter belongs to it.
                found = .value(ByteRange(start: blank + 4, end: next - 2))
            }
            at = next
        }
    }

    /// `--` and the boundary parameter of a content type; `nil` without one.
    private static func delimiter(_ bytes: Span<UInt8>, _ type: ByteRange) -> [UInt8]? {
        // RFC 2046 5.1.1 allows 1 to 70 characters.
        guard
            case .value(let boundary) = FieldParameters.value(
                of: "boundary", word: "multipart/form-data", bytes, type),
            (1...70).contains(boundary.count)
        else { return nil }
        var delimiter: [UInt8] = [0x2D, 0x2D]
        for index in boundary.start..<boundary.end { delimiter.append(bytes[index]) }
        return delimiter
    }

    /// The next delimiter that begins a line, or stands at `start`.
    private static func find(
        _ delimiter: [UInt8], _ bytes: Span<UInt8>, from start: Int, to end: Int
    ) -> Int? {
        var at = start
        while let dash = Bytes.firstIndex(of: 0x2D, in: bytes, from: at, to: end) {
            if dash + delimiter.count > end { return nil }
            var index = 0
            while index < delimiter.count, bytes[dash + index] == delimiter[index] { index += 1 }
            let beginsLine =
                dash == start
                || dash >= start + 2 && bytes[dash - 2] == Bytes.carriageReturn
                    && bytes[dash - 1] == Bytes.lineFeed
            if index == delimiter.count, beginsLine { return dash }
            at = dash + 1
        }
        return nil
    }

    /// The name of the part with the header lines in `head`; `nil` unless one line alone tells it.
    private static func name(_ bytes: Span<UInt8>, _ head: ByteRange) -> ByteRange? {
        var found: ByteRange?
        var start = head.start
        while start < head.end {
            var end = start
            while end < head.end, Bytes.isFieldValue(bytes[end]) { end += 1 }
            // Nothing but a whole line end ends a line, and no line goes on in the next.
            guard end + 1 < head.end, bytes[end] == Bytes.carriageReturn,
                bytes[end + 1] == Bytes.lineFeed, Bytes.isToken(bytes[start]),
                let colon = Bytes.firstIndex(of: Bytes.colon, in: bytes, from: start, to: end)
            else { return nil }
            let field = ByteRange(start: start, end: colon)
            if Bytes.equalsIgnoringCase(bytes, field, "content-disposition") {
                guard found == nil,
                    case .value(let name) = FieldParameters.value(
                        of: "name", word: "form-data", bytes, ByteRange(start: colon + 1, end: end))
                else { return nil }
                found = name
            }
            start = end + 2
        }
        return found
    }
}
