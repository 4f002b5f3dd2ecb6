/// A cursor over one line of flat JSON: names, numbers, text, and arrays of whole numbers.
struct FlatJSON {
    private let bytes: ArraySlice<UInt8>
    private let line: Int
    private var position: Int

    init(bytes: ArraySlice<UInt8>, line: Int) {
        self.bytes = bytes
        self.line = line
        position = bytes.startIndex
    }

    /// Skips `mark` and the blanks before it; false, and only the blanks skipped, when it is not
    /// next.
    mutating func take(_ mark: Unicode.Scalar) -> Bool {
        skipBlanks()
        guard position < bytes.endIndex, bytes[position] == UInt8(ascii: mark) else { return false }
        position += 1
        return true
    }

    mutating func expect(_ mark: Unicode.Scalar, _ what: String) throws(TraceFault) {
        guard take(mark) else { throw unexpected(what) }
    }

    mutating func expectEnd() throws(TraceFault) {
        skipBlanks()
        guard position == bytes.endIndex else { throw unexpected("the end of the line") }
    }

    /// A string without its quotes, escapes left as they are: no name that is read needs one.
    mutating func string() throws(TraceFault) -> ArraySlice<UInt8> {
        try expect("\"", "a string")
        let start = position
        while position < bytes.endIndex {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                position += 1
                return bytes[start..<(position - 1)]
            }
            position += byte == UInt8(ascii: "\\") ? 2 : 1
        }
        position = bytes.endIndex
        throw unexpected("the end of a string")
    }

    /// A number, read by `parse`.
    mutating func number(
        _ name: String, _ expected: String, _ parse: (ArraySlice<UInt8>) -> UInt64?
    ) throws(TraceFault) -> UInt64 {
        skipBlanks()
        let word = scalar()
        guard let value = parse(word) else {
            throw TraceFault(
                line: line,
                message: "\(name) is \"\(FieldParsing.excerpt(word))\"; expected \(expected)")
        }
        return value
    }

    /// A count of tokens.
    mutating func tokens(_ name: String) throws(TraceFault) -> UInt64 {
        try number(name, "a whole number of tokens, zero or more", FieldParsing.integer)
    }

    /// An array of unsigned 64-bit integers.
    mutating func hashes(_ name: String) throws(TraceFault) -> [UInt64] {
        try expect("[", "an array for \(name)")
        var values: [UInt64] = []
        if take("]") { return values }
        repeat {
            values.append(
                try number(name, "unsigned 64-bit integers", FieldParsing.integer))
        } while take(",")
        try expect("]", "\",\" or \"]\" in \(name)")
        return values
    }

    /// Skips a value that is not read; nested ones are refused.
    mutating func skipScalar() throws(TraceFault) {
        skipBlanks()
        if position < bytes.endIndex, bytes[position] == UInt8(ascii: "\"") {
            _ = try string()
        } else if scalar().isEmpty {
            throw unexpected("a number, text, true, false or null")
        }
    }

    private mutating func scalar() -> ArraySlice<UInt8> {
        let start = position
        while position < bytes.endIndex {
            switch bytes[position] {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "E"):
                position += 1
            default:
                return bytes[start..<position]
            }
        }
        return bytes[start..<position]
    }

    private mutating func skipBlanks() {
        while position < bytes.endIndex, FieldParsing.isBlank(bytes[position]) { position += 1 }
    }

    private func unexpected(_ what: String) -> TraceFault {
        let found =
            position < bytes.endIndex
            ? "found \"\(FieldParsing.excerpt(bytes[position...]))\""
            : "the line ends (is the file truncated?)"
        return TraceFault(
            line: line,
            message: "expected \(what) at column \(position - bytes.startIndex + 1), but \(found)")
    }
}
