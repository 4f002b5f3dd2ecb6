import Wire

/// Reads an engine's answer head, whole and a byte at a time: both must read it alike.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let bytes = UnsafeBufferPointer(start: data, count: count)
    precondition(Reading(bytes, step: max(1, count)) == Reading(bytes, step: 1))
    return 0
}

/// What was understood of one answer head.
private struct Reading: Equatable {
    var fault: WireFault?
    var headEnd = 0
    var status = 0
    var framing = BodyFraming.none
    var keepAlive = false

    init(_ bytes: UnsafeBufferPointer<UInt8>, step: Int) {
        do throws(WireFault) {
            var scanner = HeadScanner()
            var seen = 0
            while seen < bytes.count {
                seen = min(seen + step, bytes.count)
                let limits = HeadLimits()
                guard
                    let end = try scanner.headEnd(
                        in: bytes.span.extracting(..<seen), limits: limits)
                else { continue }
                self.headEnd = end
                let head = ResponseHead()
                try head.parse(
                    bytes.span.extracting(..<end), end: end, toHead: false, limits: limits)
                precondition((100...599).contains(head.status) && head.reason.end <= end)
                (self.status, self.framing) = (head.status, head.framing)
                self.keepAlive = head.keepAlive
                return
            }
        } catch {
            self.fault = error
        }
    }
}
