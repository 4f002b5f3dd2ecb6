import Statistics

/// Draws the arrivals of a `GeneratorSpec` without end; the same seed gives the same ones.
///
/// Gaps, lengths and tenants have streams of their own, so that another length does not move the
/// arrivals. Rates that change are drawn by thinning (Lewis and Shedler, 1979).
package struct ArrivalGenerator: Sendable {
    private let spec: GeneratorSpec
    private let weibull: WeibullLaw?
    private let tenantWeight: UInt64
    private var gaps: SeededRandom
    private var lengths: SeededRandom
    private var tenants: SeededRandom
    private var seconds = 0.0

    /// Starts a workload.
    package init(spec: GeneratorSpec, seed: UInt64) {
        self.spec = spec
        var root = SeededRandom(seed: seed)
        gaps = root.fork()
        lengths = root.fork()
        tenants = root.fork()
        tenantWeight = spec.tenants.reduce(0) { $0 + UInt64(max($1.weight, 0)) }
        if case .weibull(let rate, let variation) = spec.process {
            weibull = WeibullLaw(mean: 1 / rate, variation: variation)
        } else {
            weibull = nil
        }
    }

    /// The next arrival; nil when no further one will come (a ramp to zero has ended, or the clock
    /// of 64-bit nanoseconds has).
    package mutating func next() -> Arrival? {
        guard advance(), seconds < 1.8e10 else { return nil }
        return Arrival(
            atNanos: UInt64(seconds * 1e9), inputTokens: length(of: spec.input),
            outputTokens: length(of: spec.output), tenant: tenant())
    }

    /// Moves to the next arrival; false when there is none.
    private mutating func advance() -> Bool {
        switch spec.process {
        case .poisson(let rate):
            seconds += gaps.exponential(mean: 1 / rate)
        case .gamma(let rate, let variation):
            let shape = 1 / (variation * variation)
            seconds += gaps.gamma(shape: shape, scale: 1 / (rate * shape))
        case .weibull(let rate, _):
            let law = weibull ?? WeibullLaw(mean: 1 / rate, variation: 1)
            seconds += gaps.weibull(shape: law.shape, scale: law.scale)
        case .onOff(let rate, let on, let off):
            // Time runs only while on; off periods are put between afterwards.
            let period = on + off
            let cycle = (seconds / period).rounded(.down)
            let onTime = cycle * on + min(seconds - cycle * period, on)
            let next = onTime + gaps.exponential(mean: 1 / rate)
            let nextCycle = (next / on).rounded(.down)
            seconds = nextCycle * period + (next - nextCycle * on)
        case .step, .ramp, .diurnal:
            return thin()
        }
        return true
    }

    private mutating func thin() -> Bool {
        let highest = rateMax
        while !isOver {
            seconds += gaps.exponential(mean: 1 / highest)
            if gaps.uniform() * highest < rate(at: seconds) { return true }
        }
        return false
    }

    private var rateMax: Double {
        switch spec.process {
        case .step(let rate, let peak, _, _), .ramp(let rate, let peak, _),
            .diurnal(let rate, let peak, _):
            max(rate, peak)
        case .poisson(let rate), .gamma(let rate, _), .weibull(let rate, _),
            .onOff(let rate, _, _):
            rate
        }
    }

    /// Whether the rate is zero from here on.
    private var isOver: Bool {
        switch spec.process {
        case .step(let rate, _, let start, let length): rate == 0 && seconds >= start + length
        case .ramp(_, let peak, let length): peak == 0 && seconds >= length
        default: seconds >= 1.8e10
        }
    }

    private func rate(at seconds: Double) -> Double {
        switch spec.process {
        case .step(let rate, let peak, let start, let length):
            return seconds >= start && seconds < start + length ? peak : rate
        case .ramp(let rate, let peak, let length):
            return rate + (peak - rate) * min(seconds / length, 1)
        case .diurnal(let rate, let peak, let period):
            let cosine = RealMath.sine(turns: seconds / period + 0.25)
            return rate + (peak - rate) * 0.5 * (1 - cosine)
        case .poisson(let rate), .gamma(let rate, _), .weibull(let rate, _),
            .onOff(let rate, _, _):
            return rate
        }
    }

    private mutating func length(of range: LengthRange) -> Int {
        range.least + Int(lengths.uniform(below: UInt64(range.most - range.least) + 1))
    }

    private mutating func tenant() -> String? {
        guard tenantWeight > 0 else { return nil }
        var ticket = tenants.uniform(below: tenantWeight)
        for share in spec.tenants where share.weight > 0 {
            if ticket < UInt64(share.weight) { return share.name }
            ticket -= UInt64(share.weight)
        }
        return nil
    }
}
