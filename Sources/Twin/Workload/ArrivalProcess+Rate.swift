import Statistics

extension ArrivalProcess {
    /// The same process with every rate `factor` times as high; its times and variation stay.
    package func scaled(by factor: Double) -> ArrivalProcess {
        switch self {
        case .poisson(let rate): .poisson(rate: rate * factor)
        case .gamma(let rate, let variation): .gamma(rate: rate * factor, variation: variation)
        case .weibull(let rate, let variation): .weibull(rate: rate * factor, variation: variation)
        case .onOff(let rate, let on, let off):
            .onOff(rate: rate * factor, onSeconds: on, offSeconds: off)
        case .step(let rate, let peak, let at, let length):
            .step(rate: rate * factor, peak: peak * factor, atSeconds: at, forSeconds: length)
        case .ramp(let rate, let peak, let over):
            .ramp(rate: rate * factor, peak: peak * factor, overSeconds: over)
        case .diurnal(let rate, let peak, let period):
            .diurnal(rate: rate * factor, peak: peak * factor, periodSeconds: period)
        }
    }

    /// Expected requests a second over the first `seconds`, which must be above zero.
    ///
    /// An on-off process counts whole periods.
    package func meanRate(overSeconds seconds: Double) -> Double {
        switch self {
        case .poisson(let rate), .gamma(let rate, _), .weibull(let rate, _): return rate
        case .onOff(let rate, let on, let off): return rate * on / (on + off)
        case .step(let rate, let peak, let at, let length):
            let high = max(0, min(seconds, at + length) - at)
            return (rate * (seconds - high) + peak * high) / seconds
        case .ramp(let rate, let peak, let over):
            let rising = min(seconds, over)
            let top = rate + (peak - rate) * rising / over
            return ((rate + top) / 2 * rising + peak * (seconds - rising)) / seconds
        case .diurnal(let rate, let peak, let period):
            // The integral of (1 - cos 2 pi x) / 2 over 0 ... x, by the sine's quarter turns.
            let turns = seconds / period
            let swing = turns - RealMath.sine(turns: turns) / (2 * Double.pi)
            return rate + (peak - rate) * swing / (2 * turns)
        }
    }
}
