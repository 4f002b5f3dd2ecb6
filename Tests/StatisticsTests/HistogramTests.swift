import Statistics
import Testing

@Suite("Histogram")
struct HistogramTests {
    @Test("an empty histogram answers zero")
    func empty() {
        let histogram = Histogram()
        #expect(histogram.quantile(0.5) == 0)
        #expect(histogram.mean == 0)
        #expect(histogram.max == 0)
        #expect(histogram.count(atOrBelow: 10) == 0)
    }

    @Test("small values are exact")
    func small() {
        var histogram = Histogram()
        for value in UInt64(1)...100 { histogram.add(value) }
        #expect(histogram.quantile(0.5) == 50)
        #expect(histogram.quantile(0.99) == 99)
        #expect(histogram.quantile(1) == 100)
        #expect(histogram.quantile(0) == 1)
        #expect(histogram.count(atOrBelow: 42) == 42)
        #expect(histogram.sum == 5_050)
    }

    @Test("quantiles of any law stay within one percent of the sorted values")
    func accuracy() {
        var random = SeededRandom(seed: 11)
        var histogram = Histogram()
        var values: [UInt64] = []
        for _ in 0..<50_000 {
            let value = UInt64(random.weibull(shape: 0.4, scale: 5e7))
            values.append(value)
            histogram.add(value)
        }
        values.sort()
        for share in [0.01, 0.5, 0.9, 0.95, 0.99, 0.999, 1] {
            let exact = Double(values[Int((share * 50_000).rounded(.up)) - 1])
            let got = Double(histogram.quantile(share))
            #expect(abs(got - exact) <= 0.01 * exact + 1, "at \(share): \(got), not \(exact)")
        }
        #expect(histogram.max == values.last)
    }

    @Test("every value up to the bound lands in a bucket within one percent")
    func everyOctave() {
        var random = SeededRandom(seed: 5)
        for octave in 0..<46 {
            for _ in 0..<50 {
                let base: UInt64 = 1 << UInt64(octave)
                let value = base + random.uniform(below: base)
                var histogram = Histogram()
                histogram.add(value)
                histogram.add(.max)
                let got = Double(histogram.quantile(0.5))
                #expect(abs(got - Double(value)) <= 0.0079 * Double(value))
            }
        }
    }

    @Test("values beyond the ladder answer with the exact maximum")
    func beyond() {
        var histogram = Histogram()
        histogram.add(.max)
        #expect(histogram.quantile(0.5) == .max)
        #expect(histogram.count == 1)
    }

    @Test("merging equals recording everything in one")
    func merge() {
        var random = SeededRandom(seed: 2)
        var parts = [Histogram(), Histogram(), Histogram()]
        var whole = Histogram()
        for index in 0..<3_000 {
            let value = random.uniform(below: 1 << 34)
            parts[index % 3].add(value)
            whole.add(value)
        }
        var merged = Histogram()
        for part in parts { merged.merge(part) }
        #expect(merged == whole)
    }

    @Test("decay halves the counts and forgets the largest when it fades out")
    func decay() {
        var histogram = Histogram()
        histogram.add(10, times: 100)
        histogram.add(1_000_000)
        histogram.decay(by: 0.5)
        #expect(histogram.count == 50)
        #expect(histogram.max == 10)
        #expect(histogram.sum == 500)
        histogram.decay(by: 0)
        #expect(histogram.count == 0)
        #expect(histogram.max == 0)
    }
}

@Suite("Jain index")
struct JainTests {
    @Test("equal shares give one, a single holder one over n")
    func ends() {
        #expect(jainIndex([3, 3, 3, 3]) == 1)
        #expect(jainIndex([5, 0, 0, 0]) == 0.25)
        #expect(jainIndex([]) == 1)
        #expect(jainIndex([0, 0]) == 1)
        #expect(abs(jainIndex([1, 2, 3]) - 36.0 / 42) < 1e-15)
    }
}
