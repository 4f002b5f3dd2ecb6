/// Eight bytes in one register, looked at all at once. Results are marks: the high bit of each byte
/// that was looked for.
///
/// The arithmetic is that of "Hacker's Delight" 6-1 (H. S. Warren, 2nd edition).
enum ByteWord {
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let highs: UInt64 = 0x8080_8080_8080_8080

    /// Marks the bytes below `limit`, which is at most 0x80. Only the first mark is sure: a borrow
    /// may set others behind it.
    static func below(_ limit: UInt8, in word: UInt64) -> UInt64 {
        (word &- Self.ones &* UInt64(limit)) & ~word & Self.highs
    }

    /// Marks the bytes equal to `byte`. Only the first mark is sure.
    static func equal(to byte: UInt8, in word: UInt64) -> UInt64 {
        Self.below(1, in: word ^ (Self.ones &* UInt64(byte)))
    }

    /// Marks every byte that is neither an ASCII letter nor a hyphen.
    static func outsideNames(in word: UInt64) -> UInt64 {
        let seven = word & ~Self.highs
        let isHyphen = ~((seven ^ (Self.ones &* 0x2D)) &+ ~Self.highs) & Self.highs
        return (~(Self.letters(seven | (Self.ones &* 0x20)) | isHyphen) | word) & Self.highs
    }

    /// The word with its ASCII capitals in lower case.
    static func lowercased(_ word: UInt64) -> UInt64 {
        let seven = word & ~Self.highs
        let isCapital = Self.letters(seven ^ (Self.ones &* 0x20)) & ~word & Self.highs
        return word | (isCapital >> 2)
    }

    /// Which byte the first mark is on.
    static func firstIndex(_ marks: UInt64) -> Int {
        marks.trailingZeroBitCount >> 3
    }

    /// Marks `a` to `z` in a word of seven-bit bytes.
    private static func letters(_ seven: UInt64) -> UInt64 {
        let fromA = seven &+ (Self.ones &* (0x80 - 0x61))
        let behindZ = seven &+ (Self.ones &* (0x80 - 0x7B))
        return fromA & ~behindZ & Self.highs
    }
}

extension Span<UInt8> {
    /// The eight bytes from `offset` on, the first in the lowest place; they must be there.
    func word(at offset: Int) -> UInt64 {
        UInt64(
            littleEndian: self.bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
}
