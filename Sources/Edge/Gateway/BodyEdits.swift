package import Wire

/// The few edits a body gets on its way to the engine, as byte runs: the body itself is not copied.
package struct BodyEdits {
    /// A range of the body and what stands there instead; an empty range is an insertion.
    package struct Edit {
        package var range: ByteRange
        package var bytes: [UInt8]
    }

    /// In the order of their ranges.
    package private(set) var edits: [Edit] = []

    package init() {}

    var isEmpty: Bool { self.edits.isEmpty }

    /// Adds an edit; ranges never overlap.
    mutating func add(_ range: ByteRange, _ bytes: [UInt8]) {
        var index = self.edits.count
        while index > 0, self.edits[index - 1].range.start > range.start { index -= 1 }
        self.edits.insert(Edit(range: range, bytes: bytes), at: index)
    }

    /// Names another model.
    mutating func rename(_ body: RequestBody, to name: [UInt8]) {
        guard let model = body.model else { return }
        var json = [UInt8]()
        for byte in name where byte >= 0x20 && byte != 0x22 && byte != 0x5C { json.append(byte) }
        self.add(model, json)
    }

    /// Names another model in a form. Without line ends no name looks like a delimiter.
    mutating func rename(form model: ByteRange, to name: [UInt8]) {
        self.add(model, name.filter { $0 >= 0x20 })
    }

    /// Asks for the usage chunk, unless the client wrote its own wish.
    ///
    /// Returns whether usage will come that the client did not ask for.
    mutating func askForUsage(_ body: RequestBody, _ bytes: Span<UInt8>) -> Bool {
        guard body.isStreaming, !body.writesIncludeUsage else { return false }
        guard let options = body.streamOptions else {
            self.insert(body, Array("\"stream_options\":{\"include_usage\":true}".utf8))
            return true
        }
        guard bytes[options.start] == 0x7B else {
            self.add(options, Array("{\"include_usage\":true}".utf8))
            return true
        }
        let next = Bytes.skippingBlanks(bytes, options.start + 1, bytes.count)
        let isEmpty = next < bytes.count && bytes[next] == 0x7D
        let at = ByteRange(start: options.start + 1, end: options.start + 1)
        self.add(at, Array("\"include_usage\":true\(isEmpty ? "" : ",")".utf8))
        return true
    }

    /// Lowers every limit on output tokens to `tokens`, and writes one where there is none.
    package mutating func cap(
        _ body: RequestBody, _ surface: Surface, tokens: UInt32, _ bytes: Span<UInt8>
    ) {
        guard let field = surface.limitField else { return }
        var hasLimit = false
        for range in [body.maxTokens, body.maxCompletionTokens, body.maxOutputTokens] {
            guard let range else { continue }
            if let written = Bytes.decimal(bytes, range) {
                hasLimit = true
                if written > UInt64(tokens) { self.add(range, Array(String(tokens).utf8)) }
            } else {
                // `null`: a limit in its place, instead of the same key twice.
                hasLimit = true
                self.add(range, Array(String(tokens).utf8))
            }
        }
        if !hasLimit { self.insert(body, Array("\"\(field)\":\(tokens)".utf8)) }
    }

    /// How many bytes the body has after all edits.
    func count(of body: Int) -> Int {
        self.edits.reduce(body) { $0 - $1.range.count + $1.bytes.count }
    }

    private mutating func insert(_ body: RequestBody, _ field: [UInt8]) {
        let at = ByteRange(start: body.objectEnd, end: body.objectEnd)
        self.add(at, (body.isEmpty ? [] : [0x2C]) + field)
    }
}
