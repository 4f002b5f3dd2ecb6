import Time

/// How far first tokens came after their prediction: a decayed histogram of actual over predicted.
///
/// Both sides carry the same offset (a share of the plan) before they are divided, so that an error
/// of 100 ms says little when the plan is 2 s, whatever the prediction was. Half of what was seen
/// is forgotten every `halfLifeNanos`, with or without new samples: one burst never shuts the gate.
struct RatioSketch: Sendable {
    private var weights: [Double]
    private var total: Double = 0
    /// Weight of a sample made now; grows instead of shrinking every older one.
    private var unit: Double = 1
    private var at = Instant.zero
    private var cached: Double
    private var untilRefresh = 0
    /// The quantile that is told, 0...1, and beyond it what is added to the ratio.
    private var level: Double

    private static let bucketsPerOne = 64
    private static let buckets = 4 * 64
    static let halfLifeNanos: UInt64 = 20_000_000_000
    /// What is believed before anything is seen, and with how many samples' weight.
    static let prior = 1.17
    private static let priorWeight = 10.0

    /// Tracks the `quantile` (0...1) of the ratios it is given.
    init(quantile: Double) {
        self.level = quantile
        self.weights = Array(repeating: 0, count: Self.buckets)
        self.cached = Self.prior
    }

    /// - Complexity: O(1); every eighth call and every long pause O(buckets).
    mutating func add(ratio: Double, now: Instant) {
        self.age(to: now)
        let bucket = min(max(0, Int(ratio * Double(Self.bucketsPerOne))), Self.buckets - 1)
        self.weights[bucket] += self.unit
        self.total += self.unit
        self.untilRefresh -= 1
        if self.untilRefresh <= 0 { self.refresh() }
    }

    /// The ratio that the quantile of recent predictions stayed below; from the prior when little
    /// is known.
    mutating func value(now: Instant) -> Double {
        if now.nanosSince(self.at) > Self.halfLifeNanos / 4 {
            self.age(to: now)
            self.refresh()
        }
        return self.cached
    }

    /// The value as of the last sample.
    var current: Double { self.cached }

    /// Moves the quantile that is told by what became of a decision that rested on it.
    ///
    /// Each miss raises it, each hit lowers it by as much less as misses may be rarer, so that in
    /// the long run just `share` of the decisions miss, whatever the errors are distributed like
    /// (adaptive conformal inference: I. Gibbs and E. Candes, NeurIPS 2021). Errors that come
    /// together, as when engines slow down, pass any quantile of what went before: what would raise
    /// it above `quantileMax` is added to the ratio itself.
    mutating func judge(missed: Bool, share: Double) {
        let step = Self.judgeStep * ((missed ? 1 : 0) - share)
        self.level = min(max(self.level + step, Self.quantileMin), Self.levelMax)
    }

    private static let judgeStep = 0.05
    private static let quantileMin = 0.7
    private static let quantileMax = 0.998
    private static let levelMax = 1.2

    private mutating func age(to now: Instant) {
        let factor = Decay.factor(
            nanos: now.nanosSince(self.at), halfLifeNanos: Self.halfLifeNanos)
        self.at = now
        self.unit = factor > 0 ? self.unit / factor : .infinity
        guard self.unit > 1e12 else { return }
        let scale = self.unit.isFinite ? 1 / self.unit : 0
        for index in self.weights.indices { self.weights[index] *= scale }
        self.total *= scale
        self.unit = 1
    }

    private mutating func refresh() {
        self.untilRefresh = 8
        let priorWeight = Self.priorWeight * self.unit
        let priorBucket = Int(Self.prior * Double(Self.bucketsPerOne))
        let allowed = (self.total + priorWeight) * (1 - min(self.level, Self.quantileMax))
        var above = 0.0
        var bucket = Self.buckets - 1
        while bucket > 0 {
            above += self.weights[bucket] + (bucket == priorBucket ? priorWeight : 0)
            if above > allowed { break }
            bucket -= 1
        }
        self.cached =
            Double(bucket + 1) / Double(Self.bucketsPerOne) + max(0, self.level - Self.quantileMax)
    }
}
