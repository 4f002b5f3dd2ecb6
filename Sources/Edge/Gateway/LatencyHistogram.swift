/// Counts of durations between fixed bounds, as Prometheus histograms want them.
package struct LatencyHistogram: Sendable {
    /// Bounds of every histogram in nanoseconds: 1, 2.5, 5 by decade from 10 µs to 500 s.
    package static let ladder: [UInt64] = (0..<8).flatMap { decade -> [UInt64] in
        var unit: UInt64 = 10_000
        for _ in 0..<decade { unit *= 10 }
        return [unit, unit * 5 / 2, unit * 5]
    }

    /// Upper bounds in nanoseconds, rising.
    package let bounds: [UInt64]
    /// A count for each bound, and one for what lies above the last.
    package private(set) var counts: [UInt64]
    package private(set) var sumNanos: UInt64 = 0

    package init(bounds: [UInt64] = LatencyHistogram.ladder) {
        self.bounds = bounds
        self.counts = [UInt64](repeating: 0, count: bounds.count + 1)
    }

    package var total: UInt64 { self.counts.reduce(0, +) }

    mutating func add(_ nanos: UInt64) {
        // Most stages of most requests take next to no time.
        guard let first = self.bounds.first, nanos > first else {
            self.counts[0] += 1
            self.sumNanos &+= nanos
            return
        }
        var low = 1
        var high = self.bounds.count
        while low < high {
            let middle = (low + high) / 2
            if self.bounds[middle] < nanos { low = middle + 1 } else { high = middle }
        }
        self.counts[low] += 1
        self.sumNanos &+= nanos
    }

    /// Adds another loop's counts; of other bounds, nothing.
    mutating func merge(_ other: LatencyHistogram) {
        guard self.bounds == other.bounds else { return }
        for index in self.counts.indices { self.counts[index] += other.counts[index] }
        self.sumNanos &+= other.sumNanos
    }
}
