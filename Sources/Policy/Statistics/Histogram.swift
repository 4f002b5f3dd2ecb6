/// Counts of durations in fixed memory, in the manner of HdrHistogram: octaves, each split into 64
/// equal buckets.
///
/// Values are nanoseconds (any `UInt64` works). Below 128 a value is counted exactly; above, a
/// quantile is within 0.8 % of a recorded value. Memory is 21 KB, whatever is recorded. Values
/// from 2^46 (about 19.5 hours) on share the last bucket, whose quantile is the exact maximum.
package struct Histogram: Sendable, Equatable {
    private static let ladder = BucketLadder(bitsPerOctave: 6, octaveMax: 46)

    private var counts: [UInt64]
    /// How many values are counted.
    package private(set) var count: UInt64 = 0
    /// The sum of all values; exact up to 2^53, then rounded to a double.
    package private(set) var sum: Double = 0
    /// The largest value since the last `reset`; zero when nothing was recorded.
    package private(set) var max: UInt64 = 0

    /// An empty histogram.
    package init() {
        counts = Array(repeating: 0, count: Self.ladder.count)
    }

    /// The mean of all values; zero when empty.
    package var mean: Double {
        count == 0 ? 0 : sum / Double(count)
    }

    /// Counts `value` `times` times.
    ///
    /// - Complexity: O(1), no allocation.
    package mutating func add(_ value: UInt64, times: UInt64 = 1) {
        guard times > 0 else { return }
        counts[Self.ladder.index(of: value)] &+= times
        count &+= times
        sum += Double(value) * Double(times)
        if value > max { max = value }
    }

    /// Adds every count of `other`.
    package mutating func merge(_ other: Histogram) {
        for index in counts.indices { counts[index] &+= other.counts[index] }
        count &+= other.count
        sum += other.sum
        if other.max > max { max = other.max }
    }

    /// The smallest value such that at least `share` of all values are at or below it, to the
    /// middle of its bucket; never above `max`. `share` is held to 0 ... 1. Zero when empty.
    ///
    /// - Complexity: O(buckets), about a microsecond.
    package func quantile(_ share: Double) -> UInt64 {
        guard count > 0 else { return 0 }
        let wanted = (Swift.min(Swift.max(share, 0), 1) * Double(count)).rounded(.up)
        // A double cannot carry every count above 2^53: the last rank stands for all of those.
        let rank = wanted >= Double(count) ? count : Swift.max(1, UInt64(wanted))
        var seen: UInt64 = 0
        for index in counts.indices {
            seen &+= counts[index]
            if seen >= rank {
                if index == counts.count - 1 { return max }
                return Swift.min(Self.ladder.middle(of: index), max)
            }
        }
        return max
    }

    /// How many values fall in buckets that end at or below `bound`.
    ///
    /// Exact for a bound below 128; otherwise a value within 1.6 % of the bound may be on either
    /// side. Where a bound must be judged exactly, count it beside the histogram.
    package func count(atOrBelow bound: UInt64) -> UInt64 {
        if bound >= max { return count }
        let last = Self.ladder.index(of: bound)
        var total: UInt64 = 0
        for index in 0...last where Self.ladder.upper(of: index) <= bound {
            total &+= counts[index]
        }
        return total
    }

    /// Multiplies every count by `factor` (held to 0 ... 1) and rounds down, so that old values
    /// fade. The maximum becomes the middle of the highest bucket that still counts something.
    package mutating func decay(by factor: Double) {
        let kept = Swift.min(Swift.max(factor, 0), 1)
        guard kept < 1 else { return }
        var total: UInt64 = 0
        var weighted = 0.0
        var highest: Int?
        for index in counts.indices where counts[index] > 0 {
            let left = UInt64(Double(counts[index]) * kept)
            counts[index] = left
            guard left > 0 else { continue }
            total &+= left
            weighted += Double(left) * Double(Self.ladder.middle(of: index))
            highest = index
        }
        count = total
        sum = weighted
        if let highest {
            if highest < counts.count - 1 {
                max = Swift.min(max, Self.ladder.middle(of: highest))
            }
        } else {
            max = 0
        }
    }

    /// Forgets everything.
    package mutating func reset() {
        for index in counts.indices { counts[index] = 0 }
        count = 0
        sum = 0
        max = 0
    }
}
