import Testing
import Wire

@Suite struct ChunkedTests {
    private static let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

    private static let refusals = [
        Refusal("no size", "\r\n", .badChunkSize),
        Refusal("a sign", "+1\r\nx\r\n", .badChunkSize),
        Refusal("a prefix", "0x1\r\nx\r\n", .badChunkSize),
        Refusal("a space before", " 1\r\nx\r\n", .badChunkSize),
        Refusal("a space behind", "1 \r\nx\r\n", .badChunkSize),
        Refusal("a huge size", "10000000000000000\r\nx\r\n", .badChunkSize),
        Refusal("many zeros", "0000000000000001\r\nx\r\n", .badChunkSize),
        Refusal("bare LF behind the size", "1\nx\r\n", .badChunkSize),
        Refusal("bare CR behind the size", "1\rx\r\n", .bareLineEnding),
        Refusal("bare LF in an extension", "1;a\nx\r\n", .badChunkSize),
        Refusal("a control in an extension", "1;a\0\r\nx\r\n", .badChunkSize),
        Refusal("data longer than its size", "1\r\nxy\r\n", .badChunkEnd),
        Refusal("bare LF behind data", "1\r\nx\n", .badChunkEnd),
        Refusal("bare CR behind data", "1\r\nx\ry", .badChunkEnd),
        Refusal("a trailer without colon", "0\r\ngarbage\r\n\r\n", .badTrailer),
        Refusal("a folded trailer", "0\r\nX: 1\r\n 2\r\n\r\n", .badTrailer),
        Refusal("a trailer with a space in its name", "0\r\nX : 1\r\n\r\n", .badTrailer),
        Refusal("a control in a trailer", "0\r\nX: \0\r\n\r\n", .badTrailer),
        Refusal("bare LF in a trailer", "0\r\nX: 1\n\r\n", .badTrailer),
        Refusal("bare CR in a trailer", "0\r\nX: 1\rY: 2\r\n\r\n", .bareLineEnding),
        Refusal("bare CR at the end", "0\r\n\rx", .bareLineEnding),
        Refusal("a request for a trailer", "0\r\nGET / HTTP/1.1\r\n\r\n", .badTrailer),
    ]

    @Test("malformed chunks are refused, however the bytes are cut", arguments: refusals)
    func refused(_ refusal: Refusal) {
        let bytes = Array((Self.head + refusal.text).utf8)
        #expect(RequestReading(bytes, cuts: []).fault == refusal.fault)
        #expect(RequestReading(bytes, cuts: Array(1..<bytes.count)).fault == refusal.fault)
    }

    @Test func `extensions and trailers are bounded`() {
        func fault(_ text: String) -> WireFault? { RequestReading(Self.head + text).fault }
        let long = String(repeating: "e", count: 256)
        #expect(fault("1;\(long)\r\nx\r\n0\r\n\r\n") == nil)
        #expect(fault("1;\(long)e\r\nx\r\n0\r\n\r\n") == .badChunkSize)
        let trailer = "X: " + String(repeating: "t", count: (8 << 10) - 7)
        #expect(fault("0\r\n\(trailer)\r\n\r\n") == nil)
        #expect(fault("0\r\n\(trailer)t\r\n\r\n") == .badTrailer)
    }

    @Test func `random bodies in random chunks come out as they went in`() {
        var random = SplitMix64(state: 7)
        for _ in 0..<200 {
            var text = Array(Self.head.utf8)
            var body: [UInt8] = []
            for _ in 0..<Int.random(in: 0...6, using: &random) {
                let chunk = (0..<Int.random(in: 1...40, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
                let size = String(chunk.count, radix: 16, uppercase: Bool.random(using: &random))
                text += Array("\(size)\(Bool.random(using: &random) ? ";x" : "")\r\n".utf8)
                text += chunk + [13, 10]
                body += chunk
            }
            text += Array("0\r\n\r\n".utf8)
            let cuts = (1..<text.count).filter { _ in Int.random(in: 0..<9, using: &random) == 0 }
            let reading = RequestReading(text, cuts: cuts)
            #expect(reading.isComplete && reading.body == body)
        }
    }
}
