/// Decodes the rows of a CSV trace.
///
/// A field may stand in double quotes, so that it can hold commas; quotes inside quotes and line
/// breaks inside fields are refused.
struct CSVDecoder {
    enum Dialect {
        case azure
        case plain
    }

    /// What a column means here.
    private enum Column: Int, CaseIterable {
        case arrival, input, output, tenant, serviceClass, prefix
        static let required: [Column] = [.arrival, .input, .output]
    }

    private let dialect: Dialect
    /// The position of each column in a row; nil when the trace lacks it.
    private var positions = [Int?](repeating: nil, count: Column.allCases.count)
    private var width = 0

    init(dialect: Dialect) {
        self.dialect = dialect
    }

    mutating func readHeader(_ bytes: ArraySlice<UInt8>, line: Int) throws(TraceFault) {
        let fields = try split(bytes, line: line)
        for (position, field) in fields.enumerated() {
            let given = FieldParsing.trimmed(field)
            guard
                let column = Column.allCases.first(where: {
                    name($0)?.utf8.elementsEqual(given) == true
                })
            else {
                if dialect == .azure { continue }
                throw TraceFault(
                    line: line,
                    message: "column \"\(FieldParsing.excerpt(given))\" is not known; the columns "
                        + "are arrival_s, input_tokens, output_tokens, tenant, class, prefix")
            }
            if positions[column.rawValue] != nil {
                throw TraceFault(
                    line: line, message: "column \(FieldParsing.excerpt(given)) is there twice")
            }
            positions[column.rawValue] = position
        }
        for column in Column.required where positions[column.rawValue] == nil {
            throw TraceFault(
                line: line, message: "the header lacks the column \(name(column) ?? "")")
        }
        width = fields.count
    }

    func decode(_ bytes: ArraySlice<UInt8>, line: Int) throws(TraceFault) -> Arrival {
        let fields = try split(bytes, line: line)
        guard fields.count == width else {
            throw TraceFault(
                line: line,
                message: "\(fields.count) fields where the header has \(width) columns")
        }
        var arrival = try Arrival.checked(
            atNanos: try time(fields, line: line), input: try tokens(.input, fields, line: line),
            output: try tokens(.output, fields, line: line), inputName: name(.input) ?? "",
            outputName: name(.output) ?? "", line: line)
        arrival.tenant = try text(.tenant, fields, line: line)
        arrival.serviceClass = try text(.serviceClass, fields, line: line)
        if let prefix = field(.prefix, fields) {
            for word in prefix.split(whereSeparator: FieldParsing.isBlank) {
                guard let hash = FieldParsing.integer(word) else {
                    throw bad(.prefix, word, "an unsigned 64-bit integer", line: line)
                }
                arrival.prefixHashes.append(hash)
            }
        }
        return arrival
    }

    private func name(_ column: Column) -> String? {
        switch (dialect, column) {
        case (.azure, .arrival): "TIMESTAMP"
        case (.azure, .input): "ContextTokens"
        case (.azure, .output): "GeneratedTokens"
        case (.azure, _): nil
        case (.plain, .arrival): "arrival_s"
        case (.plain, .input): "input_tokens"
        case (.plain, .output): "output_tokens"
        case (.plain, .tenant): "tenant"
        case (.plain, .serviceClass): "class"
        case (.plain, .prefix): "prefix"
        }
    }

    private func field(_ column: Column, _ fields: [ArraySlice<UInt8>]) -> ArraySlice<UInt8>? {
        positions[column.rawValue].map { FieldParsing.trimmed(fields[$0]) }
    }

    private func time(_ fields: [ArraySlice<UInt8>], line: Int) throws(TraceFault) -> UInt64 {
        let bytes = field(.arrival, fields) ?? []
        let nanos: UInt64?
        let expected: String
        switch dialect {
        case .azure:
            nanos = FieldParsing.timestamp(bytes)
            expected = "a time such as 2023-11-16 18:17:03.9799600"
        case .plain:
            nanos = FieldParsing.decimal(bytes, scale: 1_000_000_000)
            expected = "seconds such as 12.5, zero or more"
        }
        guard let nanos else { throw bad(.arrival, bytes, expected, line: line) }
        return nanos
    }

    private func tokens(
        _ column: Column, _ fields: [ArraySlice<UInt8>], line: Int
    ) throws(TraceFault) -> UInt64 {
        let bytes = field(column, fields) ?? []
        guard let count = FieldParsing.integer(bytes) else {
            throw bad(column, bytes, "a whole number of tokens, zero or more", line: line)
        }
        return count
    }

    private func text(
        _ column: Column, _ fields: [ArraySlice<UInt8>], line: Int
    ) throws(TraceFault) -> String? {
        guard let bytes = field(column, fields), !bytes.isEmpty else { return nil }
        guard let text = FieldParsing.text(bytes) else {
            throw bad(column, bytes, "UTF-8 text", line: line)
        }
        return text
    }

    private func bad(
        _ column: Column, _ bytes: ArraySlice<UInt8>, _ expected: String, line: Int
    ) -> TraceFault {
        TraceFault(
            line: line,
            message: "\(name(column) ?? "") is \"\(FieldParsing.excerpt(bytes))\"; "
                + "expected \(expected)")
    }

    private func split(
        _ bytes: ArraySlice<UInt8>, line: Int
    ) throws(TraceFault) -> [ArraySlice<UInt8>] {
        let comma = UInt8(ascii: ",")
        let quote = UInt8(ascii: "\"")
        var fields: [ArraySlice<UInt8>] = []
        fields.reserveCapacity(max(width, 4))
        var rest = bytes
        while true {
            var end = rest.firstIndex(of: comma) ?? rest.endIndex
            var field = rest[..<end]
            if rest.first == quote {
                let body = rest.dropFirst()
                let close = body.firstIndex(of: quote) ?? body.endIndex
                end = min(close + 1, rest.endIndex)
                guard close < body.endIndex, end == rest.endIndex || rest[end] == comma else {
                    throw TraceFault(
                        line: line,
                        message: "a quoted field must end with a quote and a comma; quotes inside "
                            + "it are not read")
                }
                field = body[..<close]
            }
            fields.append(field)
            if end == rest.endIndex { return fields }
            rest = rest[(end + 1)...]
        }
    }
}
