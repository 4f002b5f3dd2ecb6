/// Gives the next bytes of a trace, in pieces of any size; nil at the end.
///
/// Reading files and inflating them is the edge's part; a failure there is thrown as a fault.
package typealias ChunkSource = () throws(TraceFault) -> [UInt8]?

/// Cuts a stream of bytes into lines, holding one chunk and one line at a time.
///
/// LF and CRLF end a line; the last one may lack its end. A byte order mark at the start and lines
/// of blanks are skipped, but counted.
struct LineReader {
    /// The longest line that is read, in bytes.
    static let lineBytesMax = 1 << 20

    /// The number of the line last returned, from 1.
    private(set) var lineNumber = 0
    private let source: ChunkSource
    private var buffer: [UInt8] = []
    private var position = 0
    private var isAtEnd = false

    init(source: @escaping ChunkSource) {
        self.source = source
    }

    /// The next line that is not blank, without its end; nil at the end of the stream.
    mutating func next() throws(TraceFault) -> ArraySlice<UInt8>? {
        while let line = try nextOfAnyKind() {
            if line.contains(where: { $0 != Self.space && $0 != Self.tab }) { return line }
        }
        return nil
    }

    private static let space = UInt8(ascii: " ")
    private static let tab = UInt8(ascii: "\t")
    private static let newline = UInt8(ascii: "\n")
    private static let carriageReturn = UInt8(ascii: "\r")

    private mutating func nextOfAnyKind() throws(TraceFault) -> ArraySlice<UInt8>? {
        var searched = position
        while true {
            if let end = buffer[searched...].firstIndex(of: Self.newline) {
                let line = buffer[position..<end]
                position = end + 1
                return finish(line)
            }
            searched = buffer.count
            guard searched - position <= Self.lineBytesMax else {
                throw TraceFault(
                    line: lineNumber + 1,
                    message: "the line is longer than \(Self.lineBytesMax) bytes")
            }
            if isAtEnd {
                guard position < buffer.count else { return nil }
                let line = buffer[position...]
                position = buffer.count
                return finish(line)
            }
            try refill()
            searched -= position
            position = 0
        }
    }

    /// Drops what was read and appends a chunk; the caller moves its marks to the new start.
    private mutating func refill() throws(TraceFault) {
        buffer.removeSubrange(..<position)
        if let chunk = try source() {
            buffer.append(contentsOf: chunk)
        } else {
            isAtEnd = true
        }
    }

    private mutating func finish(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var line = line
        lineNumber += 1
        if line.last == Self.carriageReturn { line.removeLast() }
        if lineNumber == 1, line.starts(with: [0xef, 0xbb, 0xbf]) { line.removeFirst(3) }
        return line
    }
}
