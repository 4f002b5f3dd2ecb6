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
        guard let boundary = Self.boundary(bytes, contentType) else { return .ambiguous }
        var found = Field.absent
        var at = body.start
        // What precedes the first boundary is no part.
        guard let first = Self.find(boundary, bytes, from: at, to: body.end) else {
            return .ambiguous
        }
        at = first + boundary.count
        while at + 1 < body.end {
            // Two hyphens behind a boundary end the form.
            if bytes[at] == 0x2D, bytes[at + 1] == 0x2D { return found }
            let rest = ByteRange(start: at, end: body.end)
            guard let blank = Bytes.find("\r\n\r\n", in: bytes, rest),
                let next = Self.find(boundary, bytes, from: blank + 4, to: body.end)
            else { return .ambiguous }
            if Self.isModel(bytes, ByteRange(start: at, end: blank + 2)) {
                // The line end before a boundary belongs to the boundary.
                guard found == .absent, next - 2 >= blank + 4, bytes[next - 2] == 0x0D else {
                    return .ambiguous
                }
                found = .value(ByteRange(start: blank + 4, end: next - 2))
            }
            at = next + boundary.count
        }
        return .ambiguous
    }

    /// `--` and the boundary parameter of a content type; `nil` without one.
    private static func boundary(_ bytes: Span<UInt8>, _ type: ByteRange) -> [UInt8]? {
        guard let key = Bytes.find("boundary=", in: bytes, type) else { return nil }
        var start = key + 9
        var end = start
        if start < type.end, bytes[start] == 0x22 {
            start += 1
            end = start
            while end < type.end, bytes[end] != 0x22 { end += 1 }
        } else {
            while end < type.end, bytes[end] != 0x3B, bytes[end] != 0x20 { end += 1 }
        }
        // RFC 2046 5.1.1 allows 1 to 70 characters.
        guard (1...70).contains(end - start) else { return nil }
        var boundary: [UInt8] = [0x2D, 0x2D]
        for index in start..<end { boundary.append(bytes[index]) }
        return boundary
    }

    private static func find(
        _ boundary: [UInt8], _ bytes: Span<UInt8>, from start: Int, to end: Int
    ) -> Int? {
        var at = start
        while let dash = Bytes.firstIndex(of: 0x2D, in: bytes, from: at, to: end) {
            if dash + boundary.count > end { return nil }
            var index = 0
            while index < boundary.count, bytes[dash + index] == boundary[index] { index += 1 }
            if index == boundary.count { return dash }
            at = dash + 1
        }
        return nil
    }

    /// Whether a part's header names the field `model`: `name` as a parameter of its own, not as
    /// the end of `filename`.
    private static func isModel(_ bytes: Span<UInt8>, _ head: ByteRange) -> Bool {
        var at = head.start
        while let name = Bytes.find(
            "name=\"model\"", in: bytes, ByteRange(start: at, end: head.end))
        {
            if name > head.start, bytes[name - 1] == 0x20 || bytes[name - 1] == 0x3B {
                return true
            }
            at = name + 1
        }
        return false
    }
}
