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
