/// SplitMix64 and what the tests draw from it; the same seed gives the same draws.
struct SmallRandom {
    private var state: UInt64

    init(seed: UInt64) {
        self.state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1
    }

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// Uniform in 0..<1.
    mutating func unit() -> Double {
        Double(self.next() >> 11) / 9_007_199_254_740_992
    }

    mutating func below(_ bound: Int) -> Int {
        Int(self.next() % UInt64(bound))
    }

    mutating func chance(_ share: Double) -> Bool {
        self.unit() < share
    }

    /// Exponential with this mean: the gaps of a Poisson process.
    mutating func exponential(mean: Double) -> Double {
        -mean * Self.naturalLog(1 - self.unit())
    }

    /// Near a log-normal of mean about `median * exp(sigma^2 / 2)`.
    mutating func logNormal(median: Double, sigma: Double) -> Double {
        var sum = 0.0
        for _ in 0..<12 { sum += self.unit() }
        return median * Self.exponentialOf((sum - 6) * sigma)
    }

    private static func naturalLog(_ value: Double) -> Double {
        // Newton's steps on exp(y) = value, from the exponent's estimate.
        var y = Double(value.exponent) * 0.693147 + (value.significand - 1) * 0.693147
        for _ in 0..<5 {
            let power = Self.exponentialOf(y)
            y += 2 * (value - power) / (value + power)
        }
        return y
    }

    private static func exponentialOf(_ value: Double) -> Double {
        var term = 1.0
        var sum = 1.0
        let reduced = value / 1024
        for index in 1..<12 {
            term *= reduced / Double(index)
            sum += term
        }
        for _ in 0..<10 { sum *= sum }
        return sum
    }
}
