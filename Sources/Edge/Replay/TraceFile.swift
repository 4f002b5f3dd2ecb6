import CZlib
import Glibc
package import Workload

/// A trace's file, read in pieces of bounded size, inflated where it is gzip.
///
/// gzip is known by its first two bytes, whatever the file is called; several members behind each
/// other are one text (RFC 1952 2.2).
package final class TraceFile {
    private static let pieceBytes = 64 << 10
    private static let gzipMagic: [UInt8] = [0x1F, 0x8B]

    private let path: String
    private let descriptor: Int32
    private let space = UnsafeMutableRawBufferPointer.allocate(
        byteCount: TraceFile.pieceBytes, alignment: 16)
    private var inflater: Inflater?
    private var isStarted = false
    private var isAtEnd = false

    /// Opens the file; the fault says what the system says.
    package init(path: String) throws(TraceFault) {
        self.path = path
        self.descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard self.descriptor >= 0 else {
            throw TraceFault(
                line: 0, message: "cannot be opened: \(String(cString: strerror(errno)))")
        }
    }

    deinit {
        if self.descriptor >= 0 { close(self.descriptor) }
        self.space.deallocate()
    }

    /// The next piece of text; `nil` at the end.
    package func next() throws(TraceFault) -> [UInt8]? {
        while true {
            if let inflater = self.inflater, let text = try inflater.next() { return text }
            guard !self.isAtEnd, let piece = try self.read() else {
                self.isAtEnd = true
                try self.inflater?.finish()
                return nil
            }
            if !self.isStarted {
                self.isStarted = true
                if piece.starts(with: Self.gzipMagic) { self.inflater = try Inflater() }
            }
            guard let inflater = self.inflater else { return piece }
            inflater.give(piece)
        }
    }

    /// At least two bytes at the start, so that the magic number is never split.
    private func read() throws(TraceFault) -> [UInt8]? {
        var filled = 0
        while filled < (self.isStarted ? 1 : 2) {
            let count = Glibc.read(
                self.descriptor, self.space.baseAddress.map { $0 + filled },
                self.space.count - filled)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw TraceFault(
                    line: 0, message: "cannot be read: \(String(cString: strerror(errno)))")
            }
            if count == 0 { break }
            filled += count
        }
        return filled == 0 ? nil : Array(self.space[..<filled])
    }
}

/// Inflates gzip in pieces: holds one piece of input and gives at most one of output at a time.
private final class Inflater {
    private static let outputBytes = 64 << 10

    private var stream = z_stream()
    private var input: [UInt8] = []
    private var used = 0
    private var isBetweenMembers = true

    init() throws(TraceFault) {
        // 15 bits of window, and 16 for the gzip header.
        let status = inflateInit2_(
            &self.stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard status == Z_OK else {
            throw TraceFault(line: 0, message: "zlib could not be started")
        }
    }

    deinit {
        inflateEnd(&self.stream)
    }

    func give(_ piece: [UInt8]) {
        self.input = piece
        self.used = 0
    }

    /// The next text of the piece given last; `nil` when it is used up.
    func next() throws(TraceFault) -> [UInt8]? {
        while self.used < self.input.count {
            self.isBetweenMembers = false
            var status = Z_OK
            var consumed = 0
            let text = [UInt8](unsafeUninitializedCapacity: Self.outputBytes) { out, count in
                self.input.withUnsafeMutableBufferPointer { input in
                    self.stream.next_in = input.baseAddress.map { $0 + self.used }
                    self.stream.avail_in = UInt32(input.count - self.used)
                    self.stream.next_out = out.baseAddress
                    self.stream.avail_out = UInt32(out.count)
                    status = inflate(&self.stream, Z_NO_FLUSH)
                    consumed = input.count - self.used - Int(self.stream.avail_in)
                    count = out.count - Int(self.stream.avail_out)
                }
            }
            self.used += consumed
            if status == Z_STREAM_END {
                self.isBetweenMembers = true
                inflateReset(&self.stream)
            } else if status != Z_OK, status != Z_BUF_ERROR {
                throw TraceFault(line: 0, message: "the gzip data is damaged")
            }
            if !text.isEmpty { return text }
            if status == Z_BUF_ERROR { break }
        }
        return nil
    }

    /// Called at the end of the file.
    func finish() throws(TraceFault) {
        guard self.isBetweenMembers else {
            throw TraceFault(line: 0, message: "the gzip data ends too early")
        }
    }
}
