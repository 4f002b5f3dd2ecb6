import Wire

nonisolated(unsafe) private let scanner = BodyScanner()

/// Scans a request body that stands at the very end of what may be read.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let bytes = UnsafeMutableRawBufferPointer.allocate(
        byteCount: count + BodyScanner.padding, alignment: 1)
    defer { bytes.deallocate() }
    bytes.initializeMemory(as: UInt8.self, repeating: 0x22)
    bytes.copyMemory(from: UnsafeRawBufferPointer(start: data, count: count))
    let text = UnsafeRawBufferPointer(rebasing: bytes[..<count])
    let body = RequestBody()
    do throws(RequestBody.Fault) {
        try scanner.scan(text, into: body)
    } catch {
        return 0
    }
    precondition(text[body.objectEnd] == 0x7D)
    for range in [
        body.model, body.streamOptions, body.maxTokens, body.maxCompletionTokens,
        body.maxOutputTokens,
    ] {
        guard let range else { continue }
        precondition(range.start <= range.end && range.end <= body.objectEnd)
    }
    precondition(Int(body.promptBytes) <= count)
    return 0
}
