/// Finds the usage object of a JSON answer that passes by in pieces, without keeping the answer.
///
/// The last one counts: an answer may repeat a tool's schema, which may have a field of that name.
package struct UsageScanner {
    /// Bytes kept from `"usage"` on: enough for every field of a usage object.
    private static let windowBytes = 768
    /// One less than the key has: what two pieces can hold of it without either holding it.
    private static let seamBytes = 6

    /// The bytes from the newest key on.
    private var window: [UInt8] = []
    private var isCollecting = false
    /// What the windows of earlier keys held.
    private var earlier: TokenUsage?
    /// The last bytes of the pieces so far, and room for the first of the next.
    private var seam: [UInt8] = []

    package init() {
        self.window.reserveCapacity(Self.windowBytes)
        self.seam.reserveCapacity(2 * Self.seamBytes)
    }

    /// Takes the next piece of the body.
    package mutating func feed(_ bytes: Span<UInt8>) {
        var (from, search) = self.takeSeam(bytes)
        while let key = Bytes.find(
            "\"usage\"", in: bytes, ByteRange(start: search, end: bytes.count))
        {
            self.collect(bytes, ByteRange(start: from, end: key))
            self.startWindow()
            from = key
            // Its last quote may be another's first.
            search = key + Self.seamBytes
        }
        self.collect(bytes, ByteRange(start: from, end: bytes.count))
        self.keepSeam(bytes)
    }

    /// The usage found in the pieces so far.
    package var usage: TokenUsage? {
        guard self.isCollecting else { return nil }
        let all = ByteRange(start: 0, end: self.window.count)
        return EventStream.usage(in: self.window.span, all) ?? self.earlier
    }

    /// Makes the scanner ready for another answer.
    package mutating func reset() {
        self.window.removeAll(keepingCapacity: true)
        self.seam.removeAll(keepingCapacity: true)
        self.isCollecting = false
        self.earlier = nil
    }

    private mutating func startWindow() {
        self.earlier = self.usage
        self.isCollecting = true
        self.window.removeAll(keepingCapacity: true)
    }

    private mutating func collect(_ bytes: Span<UInt8>, _ range: ByteRange) {
        guard self.isCollecting else { return }
        let count = min(range.count, Self.windowBytes - self.window.count)
        guard count > 0 else { return }
        bytes.withUnsafeBufferPointer {
            self.window.append(contentsOf: $0[range.start..<(range.start + count)])
        }
    }

    /// Looks for a key that starts in an earlier piece and ends in this one; returns where to go on
    /// with collecting, and with searching.
    private mutating func takeSeam(_ bytes: Span<UInt8>) -> (from: Int, search: Int) {
        let kept = self.seam.count
        let joined = min(bytes.count, Self.seamBytes)
        for index in 0..<joined { self.seam.append(bytes[index]) }
        let all = ByteRange(start: 0, end: self.seam.count)
        let key = Bytes.find("\"usage\"", in: self.seam.span, all)
        defer { self.seam.removeLast(joined) }
        guard let key else { return (0, 0) }
        self.startWindow()
        self.window.append(contentsOf: self.seam[key...])
        return (joined, key + Self.seamBytes - kept)
    }

    private mutating func keepSeam(_ bytes: Span<UInt8>) {
        for index in max(0, bytes.count - Self.seamBytes)..<bytes.count {
            self.seam.append(bytes[index])
        }
        if self.seam.count > Self.seamBytes {
            self.seam.removeFirst(self.seam.count - Self.seamBytes)
        }
    }
}
