import Wire

/// Cuts and reads an event stream, and looks for usage in pieces and whole.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let bytes = UnsafeBufferPointer(start: data, count: count)
    let span = bytes.span
    var start = 0
    var scanned = 0
    while let end = EventStream.eventEnd(span, from: start, scanned: &scanned) {
        precondition(end > start && end <= count)
        let event = ByteRange(start: start, end: end)
        _ = EventStream.classify(span, event, tokenSeen: false)
        _ = EventStream.classify(span, event, tokenSeen: true)
        _ = EventStream.classifyResponse(span, event)
        if let cut = EventStream.nullUsage(span, event) {
            precondition(cut.start >= start && cut.start < cut.end && cut.end <= end)
        }
        start = end
    }
    precondition(usage(bytes, step: max(1, count)) == usage(bytes, step: 1))
    return 0
}

private func usage(_ bytes: UnsafeBufferPointer<UInt8>, step: Int) -> TokenUsage? {
    var scanner = UsageScanner()
    var from = 0
    while from < bytes.count {
        let to = min(from + step, bytes.count)
        scanner.feed(UnsafeBufferPointer(rebasing: bytes[from..<to]).span)
        from = to
    }
    return scanner.usage
}
