import Statistics
import Testing

@Suite("Random streams")
struct RandomTests {
    /// Mean and coefficient of variation of `draws` numbers.
    private func moments(_ draws: Int, _ draw: (inout SeededRandom) -> Double) -> (Double, Double) {
        var random = SeededRandom(seed: 7)
        var sum = 0.0
        var squares = 0.0
        for _ in 0..<draws {
            let value = draw(&random)
            sum += value
            squares += value * value
        }
        let mean = sum / Double(draws)
        return (mean, (squares / Double(draws) - mean * mean).squareRoot() / mean)
    }

    @Test("a seed gives the published first numbers of splitmix64 and xoshiro256**")
    func knownNumbers() {
        // Computed by hand from the authors' reference definition, seed 0.
        var random = SeededRandom(seed: 0)
        #expect(random.next() == 0x99ec_5f36_cb75_f2b4)
        #expect(random.next() == 0xbf6e_1f78_4956_452a)
    }

    @Test("the same seed repeats and another seed differs")
    func repeats() {
        var first = SeededRandom(seed: 1)
        var second = SeededRandom(seed: 1)
        var third = SeededRandom(seed: 2)
        let numbers = (0..<100).map { _ in first.next() }
        #expect(numbers == (0..<100).map { _ in second.next() })
        #expect(numbers != (0..<100).map { _ in third.next() })
    }

    @Test("a bounded integer is below its bound and reaches every value evenly")
    func bounded() {
        var random = SeededRandom(seed: 3)
        var seen = [Int](repeating: 0, count: 7)
        for _ in 0..<70_000 { seen[Int(random.uniform(below: 7))] += 1 }
        #expect(seen.allSatisfy { abs($0 - 10_000) < 500 })
        #expect(random.uniform(below: 0) == 0)
    }

    @Test("each law has its mean and its coefficient of variation")
    func laws() {
        let bursty = WeibullLaw(mean: 3, variation: 2)
        let cases: [(String, Double, Double, (inout SeededRandom) -> Double)] = [
            ("uniform", 0.5, 0.5774, { $0.uniform() }),
            ("exponential", 3, 1, { $0.exponential(mean: 3) }),
            ("normal", 10, 0.2, { $0.normal(mean: 10, deviation: 2) }),
            ("gamma, shape 4", 8, 0.5, { $0.gamma(shape: 4, scale: 2) }),
            ("gamma, shape 0.25", 0.5, 2, { $0.gamma(shape: 0.25, scale: 2) }),
            ("weibull", 3, 2, { $0.weibull(shape: bursty.shape, scale: bursty.scale) }),
        ]
        for (name, mean, variation, draw) in cases {
            let (gotMean, gotVariation) = moments(200_000, draw)
            #expect(abs(gotMean / mean - 1) < 0.02, "mean of \(name): \(gotMean)")
            #expect(
                abs(gotVariation / variation - 1) < 0.04, "variation of \(name): \(gotVariation)")
        }
    }

    @Test("a Weibull law of variation one is exponential")
    func weibullOne() {
        let law = WeibullLaw(mean: 5, variation: 1)
        #expect(abs(law.shape - 1) < 1e-9)
        #expect(abs(law.scale - 5) < 1e-8)
    }
}

@Suite("Elementary functions")
struct RealMathTests {
    @Test("logarithm and exponential know exact values")
    func exact() {
        #expect(RealMath.log(1) == 0)
        #expect(RealMath.exp(0) == 1)
        #expect(abs(RealMath.log(10) - 2.302_585_092_994_046) < 5e-16)
        #expect(abs(RealMath.exp(1) - 2.718_281_828_459_045) < 5e-16)
        #expect(abs(RealMath.pow(2, 0.5) - 2.0.squareRoot()) < 5e-16)
        #expect(RealMath.log(0) == -.infinity)
        #expect(RealMath.log(-1).isNaN)
        #expect(RealMath.exp(800) == .infinity)
        #expect(RealMath.exp(-800) == 0)
    }

    @Test("the exponential undoes the logarithm over the whole range")
    func inverse() {
        var value = 1e-300
        while value < 1e300 {
            #expect(abs(RealMath.exp(RealMath.log(value)) / value - 1) < 3e-13)
            value *= 7.3
        }
    }

    @Test("the sine goes once around in one turn")
    func sine() {
        #expect(RealMath.sine(turns: 0) == 0)
        #expect(abs(RealMath.sine(turns: 0.25) - 1) < 1e-15)
        #expect(abs(RealMath.sine(turns: 1.0 / 12) - 0.5) < 1e-15)
        #expect(abs(RealMath.sine(turns: -0.25) + 1) < 1e-15)
        #expect(abs(RealMath.sine(turns: 7.75) + 1) < 1e-14)
    }

    @Test("the gamma function gives factorials and the root of pi")
    func gamma() {
        #expect(abs(RealMath.exp(RealMath.logGamma(6)) - 120) < 1e-9)
        let half = RealMath.exp(RealMath.logGamma(0.5))
        #expect(abs(half * half - Double.pi) < 1e-10)
    }
}
