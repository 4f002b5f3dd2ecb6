import Glibc

/// Searches over spans: vectorised, without allocation.
extension Bytes {
    /// Offset of the first `byte` in `bytes[start..<end]`.
    package static func firstIndex(
        of byte: UInt8, in bytes: Span<UInt8>, from start: Int, to end: Int
    ) -> Int? {
        guard start < end, end <= bytes.count else { return nil }
        return bytes.withUnsafeBufferPointer { buffer -> Int? in
            guard let base = buffer.baseAddress,
                let found = memchr(base + start, Int32(byte), end - start)
            else { return nil }
            return UnsafeRawPointer(found) - UnsafeRawPointer(base)
        }
    }

    /// Offset of the first `literal` in `range` of `bytes`; `literal` is not empty.
    ///
    /// Sixteen places are tried at once by two of the literal's bytes, after W. Mula,
    /// "SIMD-friendly algorithms for substring searching" (2016).
    package static func find(
        _ literal: StaticString, in bytes: Span<UInt8>, _ range: ByteRange
    ) -> Int? {
        let count = literal.utf8CodeUnitCount
        guard range.start >= 0, range.end <= bytes.count, count > 0, range.count >= count else {
            return nil
        }
        let lastBlock = range.end - 15 - count
        guard lastBlock >= range.start else {
            return Bytes.find(literal, in: bytes, from: range.start, upTo: range.end - count)
        }
        let (left, right) = Bytes.probes(count)
        let lefts = SIMD16(repeating: literal.utf8Start[left])
        let rights = SIMD16(repeating: literal.utf8Start[right])
        let raw = bytes.bytes
        var index = range.start
        while true {
            let leftBytes = raw.unsafeLoadUnaligned(
                fromByteOffset: index &+ left, as: SIMD16<UInt8>.self)
            let rightBytes = raw.unsafeLoadUnaligned(
                fromByteOffset: index &+ right, as: SIMD16<UInt8>.self)
            let both = (leftBytes .== lefts) .& (rightBytes .== rights)
            let halves = unsafeBitCast(both, to: SIMD2<UInt64>.self)
            if halves.x | halves.y != 0,
                let found = Bytes.find(literal, in: bytes, from: index, upTo: index + 15)
            {
                return found
            }
            if index == lastBlock { return nil }
            // The last block may look again at some of the one before it.
            index = min(index &+ 16, lastBlock)
        }
    }

    /// Two bytes of a literal that tell much: inside the quotes of a JSON key, which all keys have.
    private static func probes(_ count: Int) -> (left: Int, right: Int) {
        count >= 4 ? (1, count - 2) : (0, count - 1)
    }

    /// The first place from `first` up to `last` where `literal` stands, one by one.
    private static func find(
        _ literal: StaticString, in bytes: Span<UInt8>, from first: Int, upTo last: Int
    ) -> Int? {
        let count = literal.utf8CodeUnitCount
        let left = Bytes.probes(count).left
        let probe = literal.utf8Start[left]
        for place in first...last
        where bytes[place &+ left] == probe
            && Bytes.equals(bytes, ByteRange(start: place, end: place + count), literal)
        {
            return place
        }
        return nil
    }

    /// The number behind a JSON key, `"key" : 123`, anywhere in `range`; `nil` where there is none.
    package static func number(
        after key: StaticString, in bytes: Span<UInt8>, _ range: ByteRange
    ) -> UInt64? {
        guard let found = Bytes.find(key, in: bytes, range),
            let start = Bytes.value(behind: found + key.utf8CodeUnitCount, in: bytes, range.end)
        else { return nil }
        var end = start
        while end < range.end, bytes[end] &- 0x30 <= 9 { end += 1 }
        return Bytes.decimal(bytes, ByteRange(start: start, end: end))
    }

    /// Where the value of a JSON member starts whose key ends at `start`; `nil` when no colon and
    /// no value follow.
    static func value(behind start: Int, in bytes: Span<UInt8>, _ end: Int) -> Int? {
        let colon = Bytes.skippingBlanks(bytes, start, end)
        guard colon < end, bytes[colon] == Bytes.colon else { return nil }
        let value = Bytes.skippingBlanks(bytes, colon + 1, end)
        return value < end ? value : nil
    }

    /// Whether `range` of `bytes` starts with `literal`.
    static func starts(
        with literal: StaticString, _ bytes: Span<UInt8>, _ range: ByteRange
    ) -> Bool {
        let count = literal.utf8CodeUnitCount
        guard range.count >= count else { return false }
        return Bytes.equals(
            bytes, ByteRange(start: range.start, end: range.start + count), literal)
    }

    /// The first offset at or behind `start` that is no JSON blank.
    package static func skippingBlanks(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Int {
        var index = start
        while index < end, bytes[index] == 0x20 || (bytes[index] >= 9 && bytes[index] <= 13) {
            index += 1
        }
        return index
    }
}
