/// Byte classes and small comparisons of RFC 9110 and 9112, without allocation.
package enum Bytes {
    package static let carriageReturn: UInt8 = 0x0D
    package static let lineFeed: UInt8 = 0x0A
    package static let space: UInt8 = 0x20
    package static let tab: UInt8 = 0x09
    package static let colon: UInt8 = 0x3A

    /// Whether `byte` may stand in a token (RFC 9110 5.6.2): a method or a field name.
    static func isToken(_ byte: UInt8) -> Bool {
        // One bit a character: !#$%&'*+-.0-9 in the first word, A-Z^_`a-z|~ in the second.
        let low: UInt64 = 0x03FF_6CFA_0000_0000
        let high: UInt64 = 0x57FF_FFFF_C7FF_FFFE
        if byte < 64 { return (low >> UInt64(byte)) & 1 == 1 }
        return byte < 128 && (high >> UInt64(byte &- 64)) & 1 == 1
    }

    /// Whether `byte` may stand in a field value: visible, space, tab, or obs-text.
    static func isFieldValue(_ byte: UInt8) -> Bool {
        byte >= 0x20 ? byte != 0x7F : byte == Bytes.tab
    }

    /// Moves `index` to the first byte that may not stand in a token; there must be one.
    static func skipToken(_ bytes: Span<UInt8>, _ index: inout Int) {
        // Most names are letters and hyphens.
        while index &+ 8 <= bytes.count {
            let others = ByteWord.outsideNames(in: bytes.word(at: index))
            if others != 0 {
                index &+= ByteWord.firstIndex(others)
                if !Bytes.isToken(bytes[index]) { return }
                index &+= 1
            } else {
                index &+= 8
            }
        }
        while Bytes.isToken(bytes[index]) { index &+= 1 }
    }

    /// Moves `index` to the first byte that may not stand in a field value; there must be one.
    static func skipFieldValue(_ bytes: Span<UInt8>, _ index: inout Int) {
        while index &+ 8 <= bytes.count {
            let word = bytes.word(at: index)
            let others = ByteWord.below(0x20, in: word) | ByteWord.equal(to: 0x7F, in: word)
            if others != 0 {
                index &+= ByteWord.firstIndex(others)
                if !Bytes.isFieldValue(bytes[index]) { return }
                index &+= 1
            } else {
                index &+= 8
            }
        }
        while Bytes.isFieldValue(bytes[index]) { index &+= 1 }
    }

    /// `byte` in lower case when it is an ASCII letter.
    static func lowercased(_ byte: UInt8) -> UInt8 {
        byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte
    }

    /// Value of a hexadecimal digit; `nil` for anything else.
    static func hexValue(_ byte: UInt8) -> UInt64? {
        switch byte {
        case 0x30...0x39: UInt64(byte &- 0x30)
        case 0x41...0x46: UInt64(byte &- 0x37)
        case 0x61...0x66: UInt64(byte &- 0x57)
        default: nil
        }
    }

    /// Whether `range` of `bytes` equals `literal`, ASCII case aside; `literal` is lower case.
    package static func equalsIgnoringCase(
        _ bytes: Span<UInt8>, _ range: ByteRange, _ literal: StaticString
    ) -> Bool {
        guard range.count == literal.utf8CodeUnitCount else { return false }
        // The literal lives in the binary for ever; its count was compared above.
        let expected = UnsafeRawPointer(literal.utf8Start)
        var index = 0
        while index &+ 8 <= range.count {
            let word = expected.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            if ByteWord.lowercased(bytes.word(at: range.start &+ index)) != word.littleEndian {
                return false
            }
            index &+= 8
        }
        while index < range.count {
            let byte = expected.load(fromByteOffset: index, as: UInt8.self)
            if Bytes.lowercased(bytes[range.start &+ index]) != byte { return false }
            index &+= 1
        }
        return true
    }

    /// Whether `range` of `bytes` equals `literal` exactly.
    package static func equals(
        _ bytes: Span<UInt8>, _ range: ByteRange, _ literal: StaticString
    ) -> Bool {
        guard range.count == literal.utf8CodeUnitCount else { return false }
        let expected = UnsafeRawPointer(literal.utf8Start)
        var index = 0
        while index &+ 8 <= range.count {
            let word = expected.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            if bytes.word(at: range.start &+ index) != word.littleEndian { return false }
            index &+= 8
        }
        while index < range.count {
            let byte = expected.load(fromByteOffset: index, as: UInt8.self)
            if bytes[range.start &+ index] != byte { return false }
            index &+= 1
        }
        return true
    }

    /// The decimal number in `range`: digits only, no sign, at most 18 digits; else `nil`.
    package static func decimal(_ bytes: Span<UInt8>, _ range: ByteRange) -> UInt64? {
        guard range.count > 0, range.count <= 18 else { return nil }
        var value: UInt64 = 0
        for index in range.start..<range.end {
            let digit = bytes[index] &- 0x30
            guard digit <= 9 else { return nil }
            value = value &* 10 &+ UInt64(digit)
        }
        return value
    }

    /// Whether a comma-separated list in `range` has `token` as a member, ASCII case aside.
    package static func listContains(
        _ bytes: Span<UInt8>, _ range: ByteRange, _ token: StaticString
    ) -> Bool {
        var start = range.start
        while start < range.end {
            var end = start
            while end < range.end, bytes[end] != 0x2C { end += 1 }
            let member = Bytes.trimmed(bytes, ByteRange(start: start, end: end))
            if Bytes.equalsIgnoringCase(bytes, member, token) { return true }
            start = end + 1
        }
        return false
    }

    /// `range` without the spaces and tabs around it.
    package static func trimmed(_ bytes: Span<UInt8>, _ range: ByteRange) -> ByteRange {
        var start = range.start
        var end = range.end
        while start < end, bytes[start] == Bytes.space || bytes[start] == Bytes.tab { start += 1 }
        while end > start, bytes[end - 1] == Bytes.space || bytes[end - 1] == Bytes.tab {
            end -= 1
        }
        return ByteRange(start: start, end: end)
    }
}

/// A part of a buffer, by offsets; it stays valid while the bytes keep their place.
package struct ByteRange: Equatable, Sendable {
    package var start: Int
    package var end: Int

    package init(start: Int, end: Int) {
        self.start = start
        self.end = end
    }

    package static let empty = ByteRange(start: 0, end: 0)

    package var count: Int { self.end - self.start }
    package var isEmpty: Bool { self.start == self.end }
}
