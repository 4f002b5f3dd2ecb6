import FoundationEssentials
import Glibc
import Scaling

/// Reads a file of decisions, a line at a time: memory does not follow its length.
package struct DecisionReader: ~Copyable {
    /// What a line holds.
    package enum Line {
        case header(DecisionHeader)
        /// A record, and its own bytes.
        case record(DecisionRecord, text: [UInt8])
    }

    private let path: String
    private let descriptor: Int32
    private let decoder = JSONDecoder()
    private var buffer: [UInt8] = []
    private var place = 0
    private var number = 0
    private var isAtEnd = false
    private var hasHeader = false
    /// Records that were cut off.
    package private(set) var torn = 0

    /// No decision is written longer; more is no file of decisions.
    private static let lineMax = 4 << 20
    private static let chunk = 256 << 10

    /// Opens the file; throws what the system says when it cannot.
    package init(path: String) throws(DecisionLogFault) {
        self.path = path
        self.descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard self.descriptor >= 0 else {
            throw DecisionLogFault("\(path): \(String(cString: strerror(errno)))")
        }
    }

    deinit {
        close(self.descriptor)
    }

    /// The next line; nil at the end. Throws what is wrong with it, with its number.
    ///
    /// A record that is cut off by the end of the file, or by the header of a scaler that began
    /// again, is passed over and counted: its writer was ended in the middle of it.
    package mutating func next() throws(DecisionLogFault) -> Line? {
        guard let text = try self.nextText() else { return nil }
        if self.isHeader(text) { return .header(try self.header(text)) }
        guard self.hasHeader else { throw self.fault("a decision with no header before it") }
        if let record = try? self.decoder.decode(DecisionRecord.self, from: Data(text)) {
            guard record.input.isSound else {
                throw self.fault("a decision with figures that no fleet can have")
            }
            return .record(record, text: text)
        }
        let fault = self.fault("no decision: cut off, or written by something else")
        guard let following = try self.nextText() else {
            self.torn += 1
            return nil
        }
        guard self.isHeader(following) else { throw fault }
        self.torn += 1
        return .header(try self.header(following))
    }

    private mutating func header(_ text: [UInt8]) throws(DecisionLogFault) -> DecisionHeader {
        guard let header = try? self.decoder.decode(DecisionHeader.self, from: Data(text)) else {
            throw self.fault("no header of decisions")
        }
        guard header.schema == DecisionHeader.schemaNow else {
            throw self.fault("its schema is not \(DecisionHeader.schemaNow)")
        }
        guard header.plan.isSound, (0...10_000).contains(header.replicas) else {
            throw self.fault("the plan has figures that none can have")
        }
        self.hasHeader = true
        return header
    }

    private func isHeader(_ text: [UInt8]) -> Bool {
        // The keys of a line are sorted: a record begins with its decision.
        !text.starts(with: "{\"decision\"".utf8)
    }

    private mutating func nextText() throws(DecisionLogFault) -> [UInt8]? {
        while true {
            if let end = self.buffer[self.place...].firstIndex(of: 0x0A) {
                defer { self.place = end + 1 }
                self.number += 1
                return Array(self.buffer[self.place..<end])
            }
            if self.isAtEnd {
                guard self.place < self.buffer.count else { return nil }
                self.number += 1
                defer { self.place = self.buffer.count }
                return Array(self.buffer[self.place...])
            }
            try self.refill()
        }
    }

    private mutating func refill() throws(DecisionLogFault) {
        self.buffer.removeFirst(self.place)
        self.place = 0
        guard self.buffer.count < Self.lineMax else {
            self.number += 1
            throw self.fault("longer than any decision")
        }
        var chunk = [UInt8](repeating: 0, count: Self.chunk)
        var count = -1
        repeat {
            count = read(self.descriptor, &chunk, chunk.count)
        } while count < 0 && errno == EINTR
        guard count >= 0 else {
            throw DecisionLogFault("\(self.path): \(String(cString: strerror(errno)))")
        }
        if count == 0 { self.isAtEnd = true }
        self.buffer += chunk[..<count]
    }

    private func fault(_ text: String) -> DecisionLogFault {
        DecisionLogFault("\(self.path):\(self.number): \(text)")
    }
}
