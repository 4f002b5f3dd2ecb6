import Wire

/// A chunk's size line, made without allocation.
struct ChunkSize {
    static var end: UnsafeRawBufferPointer { ChunkSize.literal("\r\n") }
    static var last: UnsafeRawBufferPointer { ChunkSize.literal("0\r\n\r\n") }
    static var endAndLast: UnsafeRawBufferPointer {
        ChunkSize.literal("\r\n0\r\n\r\n")
    }

    private var bytes: (UInt64, UInt64) = (0, 0)
    private var start = 0

    init(_ size: Int) {
        var start = 14
        var rest = size
        withUnsafeMutableBytes(of: &self.bytes) { out in
            out[14] = Bytes.carriageReturn
            out[15] = Bytes.lineFeed
            repeat {
                start -= 1
                let digit = UInt8(rest & 15)
                out[start] = digit < 10 ? 0x30 + digit : 0x57 + digit
                rest >>= 4
            } while rest > 0
        }
        self.start = start
    }

    func withBytes(_ body: (UnsafeRawBufferPointer) -> Void) {
        let start = self.start
        withUnsafeBytes(of: self.bytes) { body(UnsafeRawBufferPointer(rebasing: $0[start...])) }
    }

    private static func literal(_ text: StaticString) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
    }
}
