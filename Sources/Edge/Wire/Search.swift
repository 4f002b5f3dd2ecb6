import CSimdjson
import Glibc

/// Searches of the C library over spans: vectorised, without allocation.
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

    /// Offset of the first `literal` in `range` of `bytes`.
    package static func find(
        _ literal: StaticString, in bytes: Span<UInt8>, _ range: ByteRange
    ) -> Int? {
        guard range.start >= 0, range.start < range.end, range.end <= bytes.count else {
            return nil
        }
        return bytes.withUnsafeBufferPointer { buffer -> Int? in
            guard let base = buffer.baseAddress,
                let found = csimdjson_memmem(
                    base + range.start, range.count, literal.utf8Start, literal.utf8CodeUnitCount)
            else { return nil }
            return UnsafeRawPointer(found) - UnsafeRawPointer(base)
        }
    }

    /// The number behind a JSON key, `"key" : 123`, anywhere in `range`; `nil` where there is none.
    package static func number(
        after key: StaticString, in bytes: Span<UInt8>, _ range: ByteRange
    ) -> UInt64? {
        guard let found = Bytes.find(key, in: bytes, range) else { return nil }
        var index = Bytes.skippingBlanks(bytes, found + key.utf8CodeUnitCount, range.end)
        guard index < range.end, bytes[index] == Bytes.colon else { return nil }
        index = Bytes.skippingBlanks(bytes, index + 1, range.end)
        var end = index
        while end < range.end, bytes[end] &- 0x30 <= 9 { end += 1 }
        return Bytes.decimal(bytes, ByteRange(start: index, end: end))
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
