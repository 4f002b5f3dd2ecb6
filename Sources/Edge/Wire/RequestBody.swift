import CSimdjson

/// What the request path reads from the JSON body of a request, in place and in one pass.
///
/// Every field that is interpreted stands once and is spelled plainly: two readings of one body are
/// two requests. Everything else is for the engine.
///
/// A class, so that it is used again for the next request and read without copying.
package final class RequestBody {
    /// Why a body is refused with a 400.
    package enum Fault: Error, Equatable {
        case notJSON
        case notAnObject
        case trailingContent
        case duplicateField(String)
        case escapedField(String)
        case wrongType(String)
        case tooLarge

        package var message: String {
            switch self {
            case .notJSON: "the body is not valid JSON"
            case .notAnObject: "the body is not a JSON object"
            case .trailingContent: "there is content behind the JSON object"
            case .duplicateField(let name): "the field '\(name)' is repeated"
            case .escapedField(let name): "the field name '\(name)' is spelled with escapes"
            case .wrongType(let name): "the field '\(name)' has the wrong type"
            case .tooLarge: "the body is too large to scan"
            }
        }

        /// The field at fault, for the `param` of an OpenAI error.
        package var field: String? {
            switch self {
            case .duplicateField(let name), .escapedField(let name), .wrongType(let name): name
            default: nil
            }
        }
    }

    /// In the order of the shim's field numbers.
    private static let names = [
        "model", "stream", "stream_options", "max_tokens", "max_completion_tokens",
        "max_output_tokens", "n", "best_of", "messages", "prompt", "input", "instructions",
        "tools", "response_format", "text", "store", "system",
    ]

    private var scan = csimdjson_body()

    package init() { self.reset() }

    /// The raw string of `model` between its quotes; `nil` when absent.
    package var model: ByteRange? {
        guard let range = self.range(CSIMDJSON_MODEL), range.count >= 2 else { return nil }
        return ByteRange(start: range.start + 1, end: range.end - 1)
    }
    package var isStreaming: Bool { self.scan.stream == 1 }
    /// The client itself wrote whether it wants the usage chunk.
    package var writesIncludeUsage: Bool { self.scan.include_usage >= 0 }
    /// The client asks for the usage chunk.
    package var wantsUsage: Bool { self.scan.include_usage == 1 }
    package var isStored: Bool { self.scan.store != 0 }
    package var hasTools: Bool { self.scan.has_tools != 0 }
    package var hasResponseFormat: Bool { self.scan.has_response_format != 0 }
    /// Bytes of prompt text in UTF-8, escapes undone, embedded images left out, and of the tools'
    /// JSON.
    package var promptBytes: UInt32 { self.scan.prompt_bytes }
    /// Token ids, where the prompt is given as ids.
    package var promptIDs: UInt32 { self.scan.prompt_ids }
    package var images: UInt32 { self.scan.images }
    package var promptHash: UInt64 { self.scan.prompt_hash }
    /// Hashes of the prompt's leading blocks of `blockBytes`, each of its block and all before it;
    /// empty for a prompt shorter than one.
    package private(set) var blockHashes: [UInt64] = []
    /// Bytes of prompt text in a block.
    package static let blockBytes = Int(CSIMDJSON_BLOCK_BYTES)
    /// The prompt is a list of messages: what is not in it is no prompt.
    package var hasMessages: Bool { self.range(CSIMDJSON_MESSAGES) != nil }
    package var hasPrompt: Bool {
        self.range(CSIMDJSON_MESSAGES) != nil || self.range(CSIMDJSON_PROMPT) != nil
            || self.range(CSIMDJSON_INPUT) != nil
    }
    /// The offset of the object's closing brace.
    package var objectEnd: Int { Int(self.scan.object_end) }
    package var isEmpty: Bool { self.scan.is_empty == 1 }
    package var streamOptions: ByteRange? { self.range(CSIMDJSON_STREAM_OPTIONS) }
    package var maxTokens: ByteRange? { self.range(CSIMDJSON_MAX_TOKENS) }
    package var maxCompletionTokens: ByteRange? { self.range(CSIMDJSON_MAX_COMPLETION_TOKENS) }
    package var maxOutputTokens: ByteRange? { self.range(CSIMDJSON_MAX_OUTPUT_TOKENS) }

    /// The smallest limit on output tokens of one choice that the client wrote.
    package var outputTokensMax: UInt64? {
        // -1, as UInt64 the largest number, stands for an absent field.
        let smallest = min(
            UInt64(bitPattern: self.scan.max_tokens),
            UInt64(bitPattern: self.scan.max_completion_tokens),
            UInt64(bitPattern: self.scan.max_output_tokens))
        return smallest == .max ? nil : smallest
    }

    /// How many answers the client wants; at least one.
    package var choices: UInt64 { UInt64(max(1, self.scan.n, self.scan.best_of)) }

    /// Forgets what was scanned.
    package func reset() {
        csimdjson_reset(&self.scan)
        self.blockHashes = []
    }

    private func range(_ index: Int) -> ByteRange? {
        let raw = withUnsafeBytes(of: self.scan.field) { bytes in
            bytes.loadUnaligned(
                fromByteOffset: index * MemoryLayout<csimdjson_range>.stride,
                as: csimdjson_range.self)
        }
        guard raw.count > 0 else { return nil }
        return ByteRange(start: Int(raw.start), end: Int(raw.start) + Int(raw.count))
    }

    fileprivate func take(
        _ scan: csimdjson_body, _ blocks: UnsafeMutablePointer<UInt64>
    ) throws(Fault) {
        self.scan = scan
        // Admission may still hold the last request's: a new array then, and none for short
        // prompts.
        self.blockHashes =
            scan.block_count == 0
            ? [] : Array(UnsafeBufferPointer(start: blocks, count: Int(scan.block_count)))
        if scan.fault == CSIMDJSON_OK { return }
        let field = Int(scan.fault_field)
        let name = Self.names.indices.contains(field) ? Self.names[field] : ""
        switch Int(scan.fault) {
        case CSIMDJSON_NOT_OBJECT: throw .notAnObject
        case CSIMDJSON_TRAILING: throw .trailingContent
        case CSIMDJSON_DUPLICATE_KEY: throw .duplicateField(name)
        case CSIMDJSON_ESCAPED_KEY: throw .escapedField(name)
        case CSIMDJSON_WRONG_TYPE: throw .wrongType(name)
        case CSIMDJSON_TOO_LARGE: throw .tooLarge
        default: throw .notJSON
        }
    }
}

/// A reusable scanner: one a loop. Its buffers follow the largest body seen, up to a bound.
package final class BodyScanner {
    /// Above this, the parser's buffers are given back after the scan.
    private static let keptBytesMax = 1 << 20

    private var parser: OpaquePointer?
    private let blocks = UnsafeMutablePointer<UInt64>.allocate(capacity: Int(CSIMDJSON_BLOCKS))

    /// Bytes that must be readable behind a body that is scanned.
    package static let padding = csimdjson_padding()

    /// What prompts are hashed with: known to nobody who writes prompts, so that nobody can write
    /// many that have one hash.
    private let seed: UInt64

    /// Scanners of one seed agree about hashes.
    package init(seed: UInt64 = 0) {
        self.seed = seed
    }

    deinit {
        csimdjson_parser_free(self.parser)
        self.blocks.deallocate()
    }

    /// Scans `text`, behind which `BodyScanner.padding` readable bytes follow.
    package func scan(
        _ text: UnsafeRawBufferPointer, into body: RequestBody
    ) throws(RequestBody.Fault) {
        guard let base = text.baseAddress, text.count > 0 else { throw .notJSON }
        let parser = self.parser ?? csimdjson_parser_new()
        guard let parser else { throw .tooLarge }
        self.parser = parser
        var scan = csimdjson_body()
        csimdjson_scan(
            parser, base.assumingMemoryBound(to: CChar.self), text.count,
            text.count + BodyScanner.padding, self.seed, &scan, self.blocks)
        if csimdjson_parser_capacity(parser) > Self.keptBytesMax {
            csimdjson_parser_free(parser)
            self.parser = nil
        }
        try body.take(scan, self.blocks)
    }
}
