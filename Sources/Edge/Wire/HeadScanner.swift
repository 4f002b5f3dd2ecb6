/// Finds where a message head ends, a read at a time and never looking at a byte twice.
///
/// Lines must end in CRLF: a bare CR or LF is a fault, since the two ends of a connection could
/// disagree about where a field stops (RFC 9112 2.2 allows to be strict).
package struct HeadScanner {
    /// Bytes already looked at, from the start of the head.
    private var scanned = 0
    /// Where the line that is being read starts.
    private var lineStart = 0

    package init() {}

    /// The length of the head including its empty line, or `nil` while more bytes are needed.
    ///
    /// `bytes` starts at the head's first byte and only ever grows between calls.
    package mutating func headEnd(
        in bytes: Span<UInt8>, limits: HeadLimits
    ) throws(WireFault) -> Int? {
        let end = min(bytes.count, limits.headBytesMax)
        var index = self.scanned
        while index < end {
            let byte = bytes[index]
            index &+= 1
            // Every byte of a head above the control range is somebody else's concern.
            guard byte < 0x20 else { continue }
            if byte == Bytes.lineFeed {
                guard index >= 2, bytes[index - 2] == Bytes.carriageReturn else {
                    throw .bareLineEnding
                }
                if index - 2 == self.lineStart { return index }
                self.lineStart = index
            } else if byte == Bytes.carriageReturn {
                guard index < bytes.count else {
                    // What follows decides about it: it is looked at again with the next read.
                    index &-= 1
                    break
                }
                if bytes[index] != Bytes.lineFeed { throw .bareLineEnding }
            } else if byte != Bytes.tab {
                throw self.lineStart == 0 ? .badRequestLine : .badFieldValue
            }
        }
        self.scanned = index
        if bytes.count >= limits.headBytesMax { throw .headTooLarge }
        return nil
    }
}
