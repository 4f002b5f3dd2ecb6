/// Decodes the rows of a Mooncake trace: a flat JSON object a line.
struct MooncakeDecoder {
    /// The fields that are read; each must be there once, `hash_ids` may be absent.
    private struct Row {
        var timestamp: UInt64?
        var input: UInt64?
        var output: UInt64?
        var hashes: [UInt64]?
    }

    func decode(_ bytes: ArraySlice<UInt8>, line: Int) throws(TraceFault) -> Arrival {
        var cursor = FlatJSON(bytes: bytes, line: line)
        var row = Row()
        try cursor.expect("{", "a JSON object")
        if !cursor.take("}") {
            repeat {
                let key = try cursor.string()
                try cursor.expect(":", "\":\" after a name")
                try read(key, &cursor, into: &row, line: line)
            } while cursor.take(",")
            try cursor.expect("}", "\",\" or \"}\" after a value")
        }
        try cursor.expectEnd()
        guard let timestamp = row.timestamp else { throw missing("timestamp", line) }
        guard let input = row.input else { throw missing("input_length", line) }
        guard let output = row.output else { throw missing("output_length", line) }
        var arrival = try Arrival.checked(
            atNanos: timestamp, input: input, output: output, inputName: "input_length",
            outputName: "output_length", line: line)
        arrival.prefixHashes = row.hashes ?? []
        return arrival
    }

    private func read(
        _ key: ArraySlice<UInt8>, _ cursor: inout FlatJSON, into row: inout Row, line: Int
    ) throws(TraceFault) {
        if key.elementsEqual("timestamp".utf8) {
            guard row.timestamp == nil else { throw twice("timestamp", line) }
            // Milliseconds, perhaps with a fraction.
            row.timestamp = try cursor.number("timestamp", "milliseconds, zero or more") {
                FieldParsing.decimal($0, scale: 1_000_000)
            }
        } else if key.elementsEqual("input_length".utf8) {
            guard row.input == nil else { throw twice("input_length", line) }
            row.input = try cursor.tokens("input_length")
        } else if key.elementsEqual("output_length".utf8) {
            guard row.output == nil else { throw twice("output_length", line) }
            row.output = try cursor.tokens("output_length")
        } else if key.elementsEqual("hash_ids".utf8) {
            guard row.hashes == nil else { throw twice("hash_ids", line) }
            row.hashes = try cursor.hashes("hash_ids")
        } else {
            try cursor.skipScalar()
        }
    }

    private func missing(_ name: String, _ line: Int) -> TraceFault {
        TraceFault(line: line, message: "the row lacks \(name)")
    }

    private func twice(_ name: String, _ line: Int) -> TraceFault {
        TraceFault(line: line, message: "\(name) is there twice")
    }
}
