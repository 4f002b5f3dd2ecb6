/// A concurrency limit from the gradient of latency: it grows while the short average of latency
/// is near the long one, and shrinks by up to half, smoothed, when it is not.
///
/// Source: Netflix concurrency-limits, `Gradient2Limit` and `ExpAvgMeasurement`; the factor of
/// 0.95 and the tolerance are those of its current version.
struct Gradient2: Sendable {
    private(set) var limit: Double
    private let knobs: BaselineKnobs.Gradient
    private var longNanos = 0.0
    private var longSum = 0.0
    private var samples = 0

    init(knobs: BaselineKnobs.Gradient) {
        self.knobs = knobs
        self.limit = knobs.limitInitial
    }

    /// A request took so long and was one of `inFlight` when it began.
    mutating func sample(nanos: Double, inFlight: Int) {
        let short = max(nanos, 1)
        self.addToLong(short)
        if self.longNanos / short > 2 { self.longNanos *= 0.95 }
        // A limit that nobody strains against has nothing to learn.
        if Double(inFlight) < self.limit / 2 { return }
        let gradient = max(0.5, min(1, self.knobs.tolerance * self.longNanos / short))
        let wanted = self.limit * gradient + self.knobs.queueSize
        let next = self.limit * (1 - self.knobs.smoothing) + wanted * self.knobs.smoothing
        self.limit = max(self.knobs.limitMin, min(self.knobs.limitMax, next))
    }

    /// The mean of the first samples, then an exponential average.
    private mutating func addToLong(_ nanos: Double) {
        if self.samples < self.knobs.warmUpSamples {
            self.samples += 1
            self.longSum += nanos
            self.longNanos = self.longSum / Double(self.samples)
        } else {
            let share = 2 / Double(self.knobs.longWindow + 1)
            self.longNanos = self.longNanos * (1 - share) + nanos * share
        }
    }
}
