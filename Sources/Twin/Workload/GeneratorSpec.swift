/// How arrivals of a generated workload are spaced. Rates are requests a second, above zero unless
/// said otherwise.
package enum ArrivalProcess: Hashable, Sendable {
    /// Independent arrivals at a steady rate.
    case poisson(rate: Double)
    /// Independent gaps of a gamma law; `variation` is their deviation / mean, 1 is Poisson.
    case gamma(rate: Double, variation: Double)
    /// Independent gaps of a Weibull law; heavier in the tail than gamma at the same variation.
    case weibull(rate: Double, variation: Double)
    /// Poisson at `rate` for `onSeconds`, then nothing for `offSeconds`, and so on.
    case onOff(rate: Double, onSeconds: Double, offSeconds: Double)
    /// Poisson at `rate`, but at `peak` from `atSeconds` for `forSeconds`. `rate` may be zero.
    case step(rate: Double, peak: Double, atSeconds: Double, forSeconds: Double)
    /// Poisson whose rate goes evenly from `rate` to `peak` within `overSeconds`, then stays.
    /// Either may be zero, not both; the peak may be the lower.
    case ramp(rate: Double, peak: Double, overSeconds: Double)
    /// Poisson whose rate swings as a cosine from `rate` up to `peak` and back in each period.
    case diurnal(rate: Double, peak: Double, periodSeconds: Double)
}

/// An even choice among lengths in tokens.
package struct LengthRange: Hashable, Sendable {
    /// The shortest.
    package let least: Int
    /// The longest; the same as the shortest for a fixed length.
    package let most: Int

    /// Creates a range; `most` is raised to `least` where it is below.
    package init(_ least: Int, _ most: Int? = nil) {
        self.least = least
        self.most = max(most ?? least, least)
    }
}

/// One tenant's part of the requests.
package struct TenantShare: Hashable, Sendable {
    /// The tenant's name.
    package let name: String
    /// Its part, in relation to the others'.
    package let weight: Int

    /// Creates a share.
    package init(name: String, weight: Int) {
        self.name = name
        self.weight = weight
    }
}

/// A workload that is drawn rather than read.
package struct GeneratorSpec: Hashable, Sendable {
    /// How arrivals are spaced.
    package var process: ArrivalProcess
    /// Prompt lengths.
    package var input: LengthRange
    /// Answer lengths.
    package var output: LengthRange
    /// Who asks; empty for nobody in particular.
    package var tenants: [TenantShare]

    /// Describes a workload.
    package init(
        process: ArrivalProcess, input: LengthRange = LengthRange(512),
        output: LengthRange = LengthRange(64), tenants: [TenantShare] = []
    ) {
        self.process = process
        self.input = input
        self.output = output
        self.tenants = tenants
    }
}
