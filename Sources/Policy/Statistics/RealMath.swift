/// Elementary functions in plain Swift: the room needs no C library, and a seed gives the same bits
/// on every platform (C libraries differ in the last digit).
package enum RealMath {
    /// The ratio of a circle's circumference to its radius.
    package static let tau = 2 * Double.pi

    private static let ln2High = 0x1.62e42fefa39efp-1
    private static let ln2Low = 0x1.abc9e3b39803fp-56

    /// The natural logarithm, within about 2 ulp; `-infinity` at zero, NaN below it.
    package static func log(_ value: Double) -> Double {
        guard value > 0 else { return value == 0 ? -.infinity : .nan }
        guard value.isFinite else { return value }
        var significand = value.significand
        var exponent = Double(value.exponent)
        if significand > 1.414_213_562_373_095_1 {
            significand *= 0.5
            exponent += 1
        }
        // log m = 2 atanh((m - 1) / (m + 1)); the argument is at most 0.172.
        let ratio = (significand - 1) / (significand + 1)
        let square = ratio * ratio
        var series = 0.0
        var divisor = 21.0
        while divisor > 1 {
            series = (series + 1 / divisor) * square
            divisor -= 2
        }
        return exponent * ln2High + (2 * ratio * (1 + series) + exponent * ln2Low)
    }

    /// e to the power `value`, within about 2 ulp; saturates to zero and infinity.
    package static func exp(_ value: Double) -> Double {
        if value.isNaN { return value }
        if value > 709.78 { return .infinity }
        if value < -745.13 { return 0 }
        let octaves = (value / ln2High).rounded()
        let rest = (value - octaves * ln2High) - octaves * ln2Low
        // The Taylor series of a number below 0.347, innermost term first.
        var series = 1.0
        var term = 14.0
        while term >= 1 {
            series = 1 + series * rest / term
            term -= 1
        }
        // Two scalings, since one step below 2^-1022 would round a subnormal to zero.
        let half = Int(octaves) / 2
        let first = Double(sign: .plus, exponent: half, significand: series)
        return Double(sign: .plus, exponent: Int(octaves) - half, significand: first)
    }

    /// `base` to the power `exponent` for a base of zero or more.
    package static func pow(_ base: Double, _ exponent: Double) -> Double {
        if exponent == 0 { return 1 }
        if base == 0 { return exponent > 0 ? 0 : .infinity }
        return exp(exponent * log(base))
    }

    /// The sine of an angle in turns (1 is a full circle), within about 1e-15.
    package static func sine(turns: Double) -> Double {
        var fraction = turns - turns.rounded(.down)
        var sign = 1.0
        if fraction >= 0.5 {
            fraction -= 0.5
            sign = -1
        }
        if fraction > 0.25 { fraction = 0.5 - fraction }
        let angle = fraction * tau
        var series = 1.0
        var factor = 24.0
        while factor >= 2 {
            series = 1 - series * angle * angle / (factor * (factor + 1))
            factor -= 2
        }
        return sign * angle * series
    }

    /// The natural logarithm of the gamma function for a positive argument, within about 1e-12.
    ///
    /// Stirling's series (Abramowitz and Stegun 6.1.41) after the argument is raised above 12 with
    /// gamma(x + 1) = x gamma(x).
    package static func logGamma(_ argument: Double) -> Double {
        guard argument > 0 else { return .nan }
        var shifted = argument
        var product = 1.0
        while shifted < 12 {
            product *= shifted
            shifted += 1
        }
        let square = 1 / (shifted * shifted)
        let tail =
            (1.0 / 12 - square * (1.0 / 360 - square * (1.0 / 1260 - square * (1.0 / 1680))))
            / shifted
        return (shifted - 0.5) * log(shifted) - shifted + 0.5 * log(tau) + tail - log(product)
    }
}
