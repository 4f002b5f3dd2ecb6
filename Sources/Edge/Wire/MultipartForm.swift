/// The parts of a `multipart/form-data` body (RFC 7578), as far as the request path needs them.
package enum MultipartForm {
    /// What became of looking for a field.
    package enum Field: Equatable {
        case absent
        case value(ByteRange)
        /// Written twice, or the form is broken: two readers may see two things.
        case ambiguous
    }

    /// What the parts of a form hold.
    package struct Parts: Equatable {
        /// The value of the field `model`; `nil` without one.
        package var model: ByteRange?
        /// Bytes in parts that are no files.
        package var textBytes = 0
        /// Parts with a file name.
        package var files = 0
    }

    /// The parts of the form in `body`, whose boundary `contentType` names; `nil` where the form is
    /// broken or ambiguous.
    package static func read(
        _ bytes: Span<UInt8>, contentType: ByteRange, body: ByteRange
    ) -> Parts? {
        guard let delimiter = Self.delimiter(bytes, contentType),
            var at = Self.find(delimiter, bytes, from: body.start, to: body.end)
        else { return nil }
        var parts = Parts()
        while true {
            // Two hyphens behind a delimiter end the form, a line end begins a part.
            at += delimiter.count
            guard at + 1 < body.end else { return nil }
            if bytes[at] == 0x2D, bytes[at + 1] == 0x2D { return parts }
            guard bytes[at] == Bytes.carriageReturn, bytes[at + 1] == Bytes.lineFeed,
                let blank = Bytes.find(
                    "\r\n\r\n", in: bytes, ByteRange(start: at, end: body.end)),
                let head = Self.head(bytes, ByteRange(start: at + 2, end: blank + 2)),
                let next = Self.find(delimiter, bytes, from: blank + 4, to: body.end),
                // Some readers would see a part without content here, and some would read on.
                next > blank + 4
            else { return nil }
            // The line end before a delimiter belongs to it.
            let value = ByteRange(start: blank + 4, end: next - 2)
            if Bytes.equals(bytes, head.name, "model") {
                guard parts.model == nil else { return nil }
                parts.model = value
            }
            if head.isFile { parts.files += 1 } else { parts.textBytes += value.count }
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

    /// The next delimiter that begins a line, or stands at `start`; `nil` also where one stands
    /// behind a line feed alone, which only some readers take for a line's end.
    ///
    /// - Complexity: O(bytes): a delimiter holds no line end, so that no byte is compared twice.
    private static func find(
        _ delimiter: [UInt8], _ bytes: Span<UInt8>, from start: Int, to end: Int
    ) -> Int? {
        if Self.stands(delimiter, bytes, at: start, to: end) { return start }
        var at = start
        while let line = Bytes.find("\n--", in: bytes, ByteRange(start: at, end: end)) {
            if Self.stands(delimiter, bytes, at: line + 1, to: end) {
                let isWhole = line > start && bytes[line - 1] == Bytes.carriageReturn
                return isWhole ? line + 1 : nil
            }
            at = line + 1
        }
        return nil
    }

    private static func stands(
        _ delimiter: [UInt8], _ bytes: Span<UInt8>, at start: Int, to end: Int
    ) -> Bool {
        guard start + delimiter.count <= end else { return false }
        var index = 0
        while index < delimiter.count, bytes[start + index] == delimiter[index] { index += 1 }
        return index == delimiter.count
    }

    /// What the header lines of a part say of it.
    private struct Head {
        var name: ByteRange
        var isFile: Bool
    }

    /// The name of the part with the header lines in `head`; `nil` unless one line alone tells it.
    private static func head(_ bytes: Span<UInt8>, _ head: ByteRange) -> Head? {
        var found: Head?
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
                let value = ByteRange(start: colon + 1, end: end)
                guard found == nil,
                    case .value(let name) = FieldParameters.value(
                        of: "name", word: "form-data", bytes, value)
                else { return nil }
                let file = FieldParameters.value(of: "filename", word: "form-data", bytes, value)
                found = Head(name: name, isFile: file != .absent)
            }
            start = end + 2
        }
        return found
    }
}
