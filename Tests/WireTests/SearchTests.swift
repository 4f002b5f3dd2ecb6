import Testing

@testable import Wire

/// The searches that look at many bytes at once, against plain loops over the same bytes.
struct SearchTests {
    private static let literals: [StaticString] = [
        "\r\n", "\"id\"", "\"usage\"", "\"prompt_tokens\"", "response.completed",
    ]

    @Test func `a literal is found at every place, and nowhere else`() {
        for literal in Self.literals {
            let bytes = literal.withUTF8Buffer { Array($0) }
            for count in bytes.count..<70 {
                for place in 0...(count - bytes.count) {
                    var text = [UInt8](repeating: 0x2E, count: count)
                    text.replaceSubrange(place..<(place + bytes.count), with: bytes)
                    let all = ByteRange(start: 0, end: count)
                    #expect(Bytes.find(literal, in: text.span, all) == place)
                    // The range's ends hide it.
                    let early = ByteRange(start: 0, end: place + bytes.count - 1)
                    #expect(Bytes.find(literal, in: text.span, early) == nil)
                    let late = ByteRange(start: place + 1, end: count)
                    #expect(Bytes.find(literal, in: text.span, late) == nil)
                }
            }
        }
    }

    @Test func `of near misses and repetitions the first true place is found`() {
        var random = FixedNumbers(state: 7)
        for _ in 0..<2000 {
            // Letters of the literal itself, so that almost-matches abound.
            let letters = Array("\"usage".utf8)
            let text = (0..<(random.next() % 200)).map { _ in
                letters[Int(random.next() % UInt64(letters.count))]
            }
            let wanted = Array("\"usage\"".utf8)
            let expected = text.indices.first { Array(text[$0...].prefix(7)) == wanted }
            let all = ByteRange(start: 0, end: text.count)
            #expect(Bytes.find("\"usage\"", in: text.span, all) == expected)
        }
    }

    @Test func `every byte ends a name or a value where the grammar says so, at every place`() {
        for byte in UInt8.min...UInt8.max {
            for place in 0..<20 {
                var text = [UInt8](repeating: 0x61, count: 24)
                text[23] = 0x0D
                text[place] = byte
                var index = 0
                Bytes.skipToken(text.span, &index)
                #expect(index == (Bytes.isToken(byte) ? 23 : place), "byte \(byte) at \(place)")
                index = 0
                Bytes.skipFieldValue(text.span, &index)
                #expect(
                    index == (Bytes.isFieldValue(byte) ? 23 : place), "byte \(byte) at \(place)")
            }
        }
    }

    @Test func `letters alone compare without their case`() {
        let literal: StaticString = "x-plimsoll-class"
        let lower = literal.withUTF8Buffer { Array($0) }
        let range = ByteRange(start: 0, end: lower.count)
        for place in lower.indices {
            for byte in UInt8.min...UInt8.max {
                var text = lower
                text[place] = byte
                let same = Bytes.lowercased(byte) == lower[place]
                #expect(Bytes.equalsIgnoringCase(text.span, range, literal) == same)
                #expect(Bytes.equals(text.span, range, literal) == (byte == lower[place]))
            }
        }
    }

    @Test func `a head ends at its first empty line, however it is cut and whatever stands in it`()
        throws
    {
        var random = FixedNumbers(state: 11)
        for _ in 0..<500 {
            var head = Array("GET / HTTP/1.1\r\n".utf8)
            for _ in 0..<(random.next() % 6) {
                let value = (0..<(random.next() % 40)).map { _ in
                    UInt8(0x20 + random.next() % 0xE0)
                }
                head += Array("Name: ".utf8) + value + Array("\t\r\n".utf8)
            }
            head += Array("\r\n".utf8)
            var scanner = HeadScanner()
            var found: Int?
            var cut = 0
            while found == nil, cut < head.count {
                cut = min(head.count, cut + 1 + Int(random.next() % 30))
                found = try scanner.headEnd(
                    in: head.span.extracting(..<cut), limits: HeadLimits())
            }
            #expect(found == head.count)
        }
    }
}

/// Numbers that are the same in every run (Knuth's MMIX generator).
private struct FixedNumbers {
    var state: UInt64

    mutating func next() -> UInt64 {
        self.state = self.state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return self.state >> 33
    }
}
