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
        while true {
            // Every byte above the control range is somebody else's concern.
            while index &+ 8 <= end {
                let controls = ByteWord.below(0x20, in: bytes.word(at: index))
                if controls != 0 {
                    index &+= ByteWord.firstIndex(controls)
                    break
                }
                index &+= 8
            }
            guard index < end else { break }
            let byte = bytes[index]
            if byte == Bytes.carriageReturn {
                // The last byte of a read is looked at again with the next one, which decides.
                guard index + 1 < end else { break }
                guard bytes[index + 1] == Bytes.lineFeed else { throw .bareLineEnding }
                if index == self.lineStart { return index + 2 }
                index &+= 2
                self.lineStart = index
            } else if byte == Bytes.lineFeed {
                throw .bareLineEnding
            } else if byte >= 0x20 || byte == Bytes.tab {
                index &+= 1
            } else {
                throw self.lineStart == 0 ? .badRequestLine : .badFieldValue
            }
        }
        self.scanned = index
        if bytes.count >= limits.headBytesMax { throw .headTooLarge }
        return nil
    }
}
