extension SeededRandom {
    /// An exponential variate with the given mean: the gap between arrivals of a Poisson process.
    package mutating func exponential(mean: Double) -> Double {
        -mean * RealMath.log(1 - uniform())
    }

    /// A normal variate, by Marsaglia's polar method (1964).
    package mutating func normal(mean: Double, deviation: Double) -> Double {
        while true {
            let x = 2 * uniform() - 1
            let y = 2 * uniform() - 1
            let square = x * x + y * y
            if square > 0, square < 1 {
                let scale = (-2 * RealMath.log(square) / square).squareRoot()
                return mean + deviation * x * scale
            }
        }
    }

    /// A gamma variate with mean `shape * scale`, by Marsaglia and Tsang (2000); both above zero.
    package mutating func gamma(shape: Double, scale: Double) -> Double {
        if shape < 1 {
            let lifted = gamma(shape: shape + 1, scale: scale)
            return lifted * RealMath.pow(1 - uniform(), 1 / shape)
        }
        let d = shape - 1.0 / 3
        let c = 1 / (9 * d).squareRoot()
        while true {
            let x = normal(mean: 0, deviation: 1)
            let root = 1 + c * x
            guard root > 0 else { continue }
            let cube = root * root * root
            let u = 1 - uniform()
            if RealMath.log(u) < 0.5 * x * x + d - d * cube + d * RealMath.log(cube) {
                return d * cube * scale
            }
        }
    }

    /// A Weibull variate by inversion; both parameters above zero.
    package mutating func weibull(shape: Double, scale: Double) -> Double {
        scale * RealMath.pow(-RealMath.log(1 - uniform()), 1 / shape)
    }
}

/// The two parameters of a Weibull law, found from its mean and its burstiness.
package struct WeibullLaw: Hashable, Sendable {
    /// The shape: below one is burstier than Poisson, above one is more regular.
    package let shape: Double
    /// The scale, in the unit of the mean.
    package let scale: Double

    /// The law with this mean and coefficient of variation (deviation / mean).
    ///
    /// `variation` is held to 0.05 ... 20, where the equation
    /// cv^2 = gamma(1 + 2/k) / gamma(1 + 1/k)^2 - 1 is solved for k by bisection.
    package init(mean: Double, variation: Double) {
        let wanted = RealMath.log(1 + min(max(variation, 0.05), 20) * min(max(variation, 0.05), 20))
        var low = 0.1
        var high = 50.0
        for _ in 0..<80 {
            let middle = 0.5 * (low + high)
            let spread =
                RealMath.logGamma(1 + 2 / middle) - 2 * RealMath.logGamma(1 + 1 / middle)
            if spread > wanted { low = middle } else { high = middle }
        }
        self.shape = 0.5 * (low + high)
        self.scale = mean / RealMath.exp(RealMath.logGamma(1 + 1 / shape))
    }
}
