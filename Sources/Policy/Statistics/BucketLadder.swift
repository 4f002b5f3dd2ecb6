/// The log-linear ladder shared by `Histogram` and `DecayingQuantile`: each octave of the integers
/// is cut into 2^bits equal buckets; the lowest two octaves' worth are one value wide.
struct BucketLadder: Sendable {
    /// log2 of the buckets in an octave.
    let bits: Int
    /// Values from 2^octaveMax on share the last bucket.
    let octaveMax: Int
    /// How many buckets there are.
    let count: Int

    init(bitsPerOctave bits: Int, octaveMax: Int) {
        self.bits = bits
        self.octaveMax = octaveMax
        self.count = ((octaveMax - bits) << bits) + (1 << bits) + 1
    }

    /// The bucket that holds `value`.
    func index(of value: UInt64) -> Int {
        let top = 63 - value.leadingZeroBitCount
        if top <= bits { return Int(truncatingIfNeeded: value) }
        if top >= octaveMax { return count - 1 }
        let shift = top - bits
        return (shift << bits) + Int(truncatingIfNeeded: value >> UInt64(shift))
    }

    /// The smallest value of a bucket.
    func lower(of index: Int) -> UInt64 {
        if index == count - 1 { return 1 << UInt64(octaveMax) }
        let octave = index >> bits
        if octave < 2 { return UInt64(index) }
        let shift = octave - 1
        return UInt64(index - (shift << bits)) << UInt64(shift)
    }

    /// The largest value of a bucket; `UInt64.max` for the last.
    func upper(of index: Int) -> UInt64 {
        if index == count - 1 { return .max }
        return lower(of: index + 1) - 1
    }

    /// The value in the middle of a bucket; the lowest value of the last.
    func middle(of index: Int) -> UInt64 {
        let low = lower(of: index)
        if index == count - 1 { return low }
        return low + (lower(of: index + 1) - 1 - low) / 2
    }
}
