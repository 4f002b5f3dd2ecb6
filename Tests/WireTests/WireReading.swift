import Glibc
import Wire

/// A request as the codec reads it, from bytes that arrive in pieces.
struct RequestReading: Equatable {
    var fault: WireFault?
    var headBytes = 0
    var method = ""
    var target = ""
    var host = ""
    var framing = BodyFraming.none
    var keepAlive = false
    var fields: [String] = []
    /// Decoded chunks, or the bytes that Content-Length counts.
    var body: [UInt8] = []
    var isComplete = false

    /// Reads `text`, cut before each offset of `cuts`.
    init(_ text: [UInt8], cuts: [Int], limits: HeadLimits = HeadLimits()) {
        do throws(WireFault) {
            try self.read(text, cuts: cuts + [text.count], limits: limits)
        } catch {
            self.fault = error
        }
    }

    init(_ text: String, limits: HeadLimits = HeadLimits()) {
        self.init(Array(text.utf8), cuts: [], limits: limits)
    }

    private mutating func read(
        _ text: [UInt8], cuts: [Int], limits: HeadLimits
    ) throws(WireFault) {
        var scanner = HeadScanner()
        var piece = 0
        var found: Int?
        while found == nil, piece < cuts.count {
            found = try scanner.headEnd(
                in: text.span.extracting(..<cuts[piece]), limits: limits)
            piece += 1
        }
        guard let end = found else { return }
        self.headBytes = end
        let head = RequestHead()
        try head.parse(text.span.extracting(..<end), end: end, limits: limits)
        func string(_ range: ByteRange) -> String {
            String(decoding: text[range.start..<range.end], as: UTF8.self)
        }
        (self.method, self.target) = (string(head.methodRange), string(head.target))
        (self.host, self.framing) = (string(head.host), head.framing)
        self.keepAlive = head.keepAlive
        self.fields = head.table.fields.map { "\(string($0.name))=\(string($0.value))" }
        switch head.framing {
        case .none, .untilClose: self.isComplete = true
        case .length(let length):
            self.body = Array(text[end...].prefix(Int(length)))
            self.isComplete = self.body.count == Int(length)
        case .chunked: try self.readChunks(text, from: end, cuts: cuts.filter { $0 > end })
        }
    }

    private mutating func readChunks(
        _ text: [UInt8], from end: Int, cuts: [Int]
    ) throws(WireFault) {
        var chunks = ChunkedDecoder()
        var offset = end
        for cut in cuts {
            reading: while true {
                switch try chunks.next(text.span.extracting(..<cut), at: &offset) {
                case .data(let range): self.body += text[range.start..<range.end]
                case .needMore: break reading
                case .end:
                    self.isComplete = true
                    return
                }
            }
        }
    }
}

/// A small generator (SplitMix64, Steele et al. 2014), so that a seed replays a failure.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// The real engine transcripts beside the checkout; `nil` where they are not.
enum Samples {
    static func read(_ name: String) -> [UInt8]? {
        let root = "\(#filePath)".split(separator: "/").dropLast(3).joined(separator: "/")
        for folder in ["/\(root)/../shared/samples/vllm", "/\(root)/../../shared/samples/vllm"] {
            guard let file = fopen("\(folder)/\(name)", "r") else { continue }
            defer { fclose(file) }
            var bytes: [UInt8] = []
            var block = [UInt8](repeating: 0, count: 64 << 10)
            while true {
                let count = fread(&block, 1, block.count, file)
                if count <= 0 { return bytes }
                bytes += block[..<count]
            }
        }
        return nil
    }
}
