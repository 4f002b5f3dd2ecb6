import Wire

/// Reads a request as the server does, whole and a byte at a time: both must read it alike.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let bytes = UnsafeBufferPointer(start: data, count: count)
    precondition(Reading(bytes, step: max(1, count)) == Reading(bytes, step: 1))
    return 0
}

/// What was understood of one request.
private struct Reading: Equatable {
    var fault: WireFault?
    var headEnd = 0
    var target = ByteRange.empty
    var host = ByteRange.empty
    var framing = BodyFraming.none
    var body: [UInt8] = []
    var end = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>, step: Int) {
        do throws(WireFault) {
            try self.read(bytes, step: step)
        } catch {
            self.fault = error
        }
    }

    private mutating func read(
        _ bytes: UnsafeBufferPointer<UInt8>, step: Int
    ) throws(WireFault) {
        var scanner = HeadScanner()
        var seen = 0
        var end: Int?
        while end == nil, seen < bytes.count {
            seen = min(seen + step, bytes.count)
            end = try scanner.headEnd(in: bytes.span.extracting(..<seen), limits: HeadLimits())
        }
        guard let end else { return }
        self.headEnd = end
        let head = RequestHead()
        try head.parse(bytes.span.extracting(..<end), end: end, limits: HeadLimits())
        precondition(head.target.end <= end && head.host.end <= end)
        (self.target, self.host, self.framing) = (head.target, head.host, head.framing)
        guard head.framing == .chunked else { return }
        var chunks = ChunkedDecoder()
        var offset = end
        seen = end
        while seen < bytes.count {
            seen = min(seen + step, bytes.count)
            reading: while true {
                switch try chunks.next(bytes.span.extracting(..<seen), at: &offset) {
                case .data(let range): self.body += bytes[range.start..<range.end]
                case .needMore: break reading
                case .end(let end):
                    self.end = end
                    return
                }
            }
        }
    }
}
