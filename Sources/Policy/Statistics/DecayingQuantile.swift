package import Time

/// Quantiles of a stream in which old samples fade: a sample weighs half after one half-life.
///
/// Used for what is learned while running (margins, output lengths). A fading sketch alone would
/// keep the answer of its last burst for ever, since all weights fade together; so a prior of
/// constant weight stands beside the samples, and without news the answer returns to it.
///
/// Values are integers from 0 (nanoseconds, tokens); a quantile is within 3.2 % of the samples
/// around it. Values from 2^40 on share one bucket. Memory is 2.4 KB. Decay is lazy: samples are
/// recorded with growing weights and rescaled now and then (forward decay, Cormode et al., 2009).
package struct DecayingQuantile: Sendable {
    private static let ladder = BucketLadder(bitsPerOctave: 4, octaveMax: 40)
    /// Weights grow by at most 2^this before all are scaled back; far from the limit of a float.
    private static let octavesBetweenRescales = 32.0

    private var weights: [Float]
    private var total: Double = 0
    /// The instant at which a new sample weighs one.
    private var landmark = Instant.zero
    private let halfLifeNanos: Double
    private let prior: UInt64
    private let priorWeight: Double

    /// An empty sketch.
    ///
    /// - Parameters:
    ///   - halfLifeNanos: nanoseconds after which a sample weighs half; above zero.
    ///   - prior: the value believed before any sample.
    ///   - priorWeight: how many fresh samples the prior is worth; zero or more.
    package init(halfLifeNanos: UInt64, prior: UInt64, priorWeight: Double) {
        self.halfLifeNanos = Double(max(halfLifeNanos, 1))
        self.prior = prior
        self.priorWeight = max(priorWeight, 0)
        weights = Array(repeating: 0, count: Self.ladder.count)
    }

    /// Records a sample seen at `now`. Instants should not go back; an earlier one counts as fresh.
    ///
    /// - Complexity: O(1), no allocation; O(buckets) once in 32 half-lives.
    package mutating func add(_ value: UInt64, now: Instant) {
        var age = Double(now.nanosSince(landmark)) / halfLifeNanos
        if age > Self.octavesBetweenRescales {
            rescale(byHalfLives: age)
            landmark = now
            age = 0
        }
        let weight = RealMath.exp(age * 0.693_147_180_559_945_3)
        weights[Self.ladder.index(of: value)] += Float(weight)
        total += weight
    }

    /// How many fresh samples the recorded ones are worth at `now`, the prior not counted.
    package func weight(now: Instant) -> Double {
        total * RealMath.exp(-0.693_147_180_559_945_3 * age(at: now))
    }

    /// The value that `share` (held to 0 ... 1) of the weight, prior included, is at or below.
    ///
    /// The prior's value is the answer while nothing else weighs anything.
    /// - Complexity: O(buckets), about two microseconds.
    package func quantile(_ share: Double, now: Instant) -> UInt64 {
        let fade = RealMath.exp(-0.693_147_180_559_945_3 * age(at: now))
        let everything = total * fade + priorWeight
        guard everything > 0 else { return prior }
        let wanted = min(max(share, 0), 1) * everything
        let priorIndex = Self.ladder.index(of: prior)
        var seen = 0.0
        var last: UInt64?
        for index in weights.indices {
            let sampled = Double(weights[index]) * fade
            let here = sampled + (index == priorIndex ? priorWeight : 0)
            guard here > 0 else { continue }
            seen += here
            last = sampled > 0 ? Self.ladder.middle(of: index) : prior
            if seen >= wanted { break }
        }
        return last ?? prior
    }

    private func age(at now: Instant) -> Double {
        Double(now.nanosSince(landmark)) / halfLifeNanos
    }

    private mutating func rescale(byHalfLives halfLives: Double) {
        let factor = RealMath.exp(-0.693_147_180_559_945_3 * halfLives)
        var sum = 0.0
        for index in weights.indices {
            weights[index] *= Float(factor)
            sum += Double(weights[index])
        }
        total = sum
    }
}
