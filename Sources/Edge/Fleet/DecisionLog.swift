import FoundationEssentials
import Glibc

/// The decisions of one scaler in a file of JSON lines: a header, then a record for each decision.
///
/// Appended to, a line in one write: a file that ends in the middle of a line lost that one alone.
/// A scaler that begins again adds another header.
package final class DecisionLog {
    private let descriptor: Int32
    private let encoder = DecisionLog.encoder()

    /// Opens or makes the file and writes the header.
    ///
    /// Throws what the system says when it cannot be opened or written.
    package init(path: String, header: DecisionHeader) throws(DecisionLogFault) {
        self.descriptor = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard self.descriptor >= 0 else {
            throw DecisionLogFault("\(path): \(String(cString: strerror(errno)))")
        }
        // Behind a line that was cut off the header begins one of its own.
        var last: UInt8 = 0x0A
        let size = lseek(self.descriptor, 0, SEEK_END)
        if size > 0 { _ = pread(self.descriptor, &last, 1, size - 1) }
        if last != 0x0A { try self.write(bytes: [0x0A]) }
        try self.write(header)
    }

    deinit {
        close(self.descriptor)
    }

    /// Adds a decision.
    package func add(_ record: DecisionRecord) throws(DecisionLogFault) {
        try self.write(record)
    }

    private func write(_ value: some Encodable) throws(DecisionLogFault) {
        try self.write(bytes: Self.line(value, self.encoder) + [0x0A])
    }

    private func write(bytes line: [UInt8]) throws(DecisionLogFault) {
        var written = 0
        while written < line.count {
            let count = line[written...].withUnsafeBytes {
                Glibc.write(self.descriptor, $0.baseAddress, $0.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                throw DecisionLogFault(
                    "a decision could not be kept: \(String(cString: strerror(errno)))")
            }
            written += count
        }
    }

    static func encoder() -> JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }

    /// The one spelling of a record: what makes two decisions the same to the last byte.
    static func line(_ value: some Encodable, _ encoder: JSONEncoder) -> [UInt8] {
        // Numbers, names and arrays of finite numbers: nothing of it can fail to be encoded.
        (try? encoder.encode(value)).map { Array($0) } ?? []
    }
}

/// Why decisions could not be kept or read.
package struct DecisionLogFault: Error, CustomStringConvertible {
    package var description: String

    init(_ description: String) {
        self.description = description
    }
}
