/// Finds the usage object of a JSON answer that passes by in pieces, without keeping the answer.
package struct UsageScanner {
    /// Bytes kept from `"usage"` on: enough for every field of a usage object.
    private static let windowBytes = 768
    private static let overlapBytes = 7

    /// The end of the last piece, so that a key split over two pieces is found.
    private var window: [UInt8] = []
    private var isCollecting = false

    package init() {
        self.window.reserveCapacity(Self.windowBytes)
    }

    /// Takes the next piece of the body.
    package mutating func feed(_ bytes: Span<UInt8>) {
        var start = 0
        if !self.isCollecting {
            if self.window.count > 0 {
                // At most seven old bytes and seven new ones: the seam of two pieces.
                let joined = min(bytes.count, Self.overlapBytes)
                for index in 0..<joined { self.window.append(bytes[index]) }
                if self.keepsFromKey() {
                    self.isCollecting = true
                    start = joined
                }
            }
            if !self.isCollecting {
                let all = ByteRange(start: 0, end: bytes.count)
                // The last usage wins: a model's text cannot hold an unescaped key.
                guard let found = Bytes.find("\"usage\"", in: bytes, all) else {
                    self.keepTail(bytes)
                    return
                }
                self.isCollecting = true
                self.window.removeAll(keepingCapacity: true)
                start = found
            }
        }
        let count = min(bytes.count - start, Self.windowBytes - self.window.count)
        guard count > 0 else { return }
        bytes.withUnsafeBufferPointer {
            self.window.append(contentsOf: $0[start..<(start + count)])
        }
    }

    /// The usage found in the pieces so far.
    package var usage: TokenUsage? {
        guard self.isCollecting else { return nil }
        return EventStream.usage(
            in: self.window.span, ByteRange(start: 0, end: self.window.count))
    }

    /// Makes the scanner ready for another answer.
    package mutating func reset() {
        self.window.removeAll(keepingCapacity: true)
        self.isCollecting = false
    }

    private mutating func keepsFromKey() -> Bool {
        let all = ByteRange(start: 0, end: self.window.count)
        guard let found = Bytes.find("\"usage\"", in: self.window.span, all) else { return false }
        self.window.removeFirst(found)
        return true
    }

    /// Keeps the last bytes seen, for the seam with the next piece.
    private mutating func keepTail(_ bytes: Span<UInt8>) {
        // A short piece behind a kept tail has been joined to it already.
        if bytes.count >= Self.overlapBytes || self.window.isEmpty {
            self.window.removeAll(keepingCapacity: true)
            for index in max(0, bytes.count - Self.overlapBytes)..<bytes.count {
                self.window.append(bytes[index])
            }
        }
        if self.window.count > Self.overlapBytes {
            self.window.removeFirst(self.window.count - Self.overlapBytes)
        }
    }
}
