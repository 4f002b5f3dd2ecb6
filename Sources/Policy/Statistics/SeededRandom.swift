/// A pseudo-random stream that a seed replays exactly: xoshiro256** started by splitmix64
/// (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2018).
///
/// Not for secrets. A value type: a copy repeats the same numbers.
package struct SeededRandom: RandomNumberGenerator, Sendable {
    private var a: UInt64
    private var b: UInt64
    private var c: UInt64
    private var d: UInt64

    /// Starts the stream of `seed`; every seed is valid.
    package init(seed: UInt64) {
        var state = seed
        self.a = Self.splitMix(&state)
        self.b = Self.splitMix(&state)
        self.c = Self.splitMix(&state)
        self.d = Self.splitMix(&state)
    }

    /// The next 64 uniform bits.
    package mutating func next() -> UInt64 {
        let scrambled = b &* 5
        let result = ((scrambled << 7) | (scrambled >> 57)) &* 9
        let shifted = b << 17
        c ^= a
        d ^= b
        b ^= c
        a ^= d
        c ^= shifted
        d = (d << 45) | (d >> 19)
        return result
    }

    /// A stream of its own, seeded by the next number of this one: one part of a simulation can
    /// then draw more or fewer numbers without moving another part.
    package mutating func fork() -> SeededRandom {
        SeededRandom(seed: next())
    }

    /// A number in 0 ..< 1 on a grid of 2^-53.
    package mutating func uniform() -> Double {
        Double(next() >> 11) * 0x1p-53
    }

    /// An integer in 0 ..< `bound` without bias (Lemire, 2019); zero when `bound` is zero.
    package mutating func uniform(below bound: UInt64) -> UInt64 {
        guard bound > 0 else { return 0 }
        let threshold = (0 &- bound) % bound
        while true {
            let product = next().multipliedFullWidth(by: bound)
            if product.low >= threshold { return product.high }
        }
    }

    private static func splitMix(_ state: inout UInt64) -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
