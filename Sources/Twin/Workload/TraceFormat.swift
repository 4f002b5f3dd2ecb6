/// The trace formats that are read.
package enum TraceFormat: String, Hashable, Sendable, CaseIterable {
    /// Azure LLM inference traces: CSV with `TIMESTAMP,ContextTokens,GeneratedTokens`; other
    /// columns are ignored.
    case azure
    /// Mooncake traces: a JSON object a line with `timestamp` (ms), `input_length`,
    /// `output_length` and `hash_ids` (512 tokens each); other fields are ignored.
    case mooncake
    /// Plain CSV with `arrival_s,input_tokens,output_tokens` and optional `tenant`, `class`,
    /// `prefix` (block hashes separated by blanks), in any order; no other columns.
    case csv
}

/// Reads a trace row by row in constant memory.
///
/// Times are as the trace has them: nanoseconds since 1970 for `azure`, since its zero otherwise.
/// They may not go back, and a trace without a single row is a fault.
package struct TraceReader {
    private var lines: LineReader
    private var decoder: Decoder
    private var isStarted = false
    private var lastNanos: UInt64 = 0
    private var rows: UInt64 = 0

    private enum Decoder {
        case csv(CSVDecoder)
        case mooncake(MooncakeDecoder)
    }

    /// Opens a trace of this format.
    package init(format: TraceFormat, source: @escaping ChunkSource) {
        lines = LineReader(source: source)
        switch format {
        case .azure: decoder = .csv(CSVDecoder(dialect: .azure))
        case .csv: decoder = .csv(CSVDecoder(dialect: .plain))
        case .mooncake: decoder = .mooncake(MooncakeDecoder())
        }
    }

    /// The next request; nil at the end. After a fault it must not be called again.
    package mutating func next() throws(TraceFault) -> Arrival? {
        if !isStarted {
            isStarted = true
            try readHeader()
        }
        guard let line = try lines.next() else {
            if rows > 0 { return nil }
            throw TraceFault(line: 0, message: "the trace holds no requests")
        }
        let number = lines.lineNumber
        let arrival: Arrival
        switch decoder {
        case .csv(let rows): arrival = try rows.decode(line, line: number)
        case .mooncake(let rows): arrival = try rows.decode(line, line: number)
        }
        guard arrival.atNanos >= lastNanos else {
            throw TraceFault(
                line: number,
                message: "this request arrives before the one above; sort the trace by time")
        }
        lastNanos = arrival.atNanos
        rows += 1
        return arrival
    }

    private mutating func readHeader() throws(TraceFault) {
        guard case .csv(var rows) = decoder else { return }
        guard let header = try lines.next() else {
            throw TraceFault(line: 0, message: "the trace is empty; a header line was expected")
        }
        try rows.readHeader(header, line: lines.lineNumber)
        decoder = .csv(rows)
    }
}

extension Arrival {
    /// Checks the lengths a row claims and makes the arrival.
    static func checked(
        atNanos: UInt64, input: UInt64, output: UInt64, inputName: String, outputName: String,
        line: Int
    ) throws(TraceFault) -> Arrival {
        for (name, value) in [(inputName, input), (outputName, output)]
        where value > UInt64(tokensMax) {
            throw TraceFault(
                line: line, message: "\(name) is \(value); more than \(tokensMax) is not believed")
        }
        if input == 0 {
            throw TraceFault(line: line, message: "\(inputName) is 0; a prompt has a token or more")
        }
        return Arrival(atNanos: atNanos, inputTokens: Int(input), outputTokens: Int(output))
    }
}
