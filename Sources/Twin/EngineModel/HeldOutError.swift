/// How far a fit is from points it was not made of, as shares of what was measured.
package struct HeldOutError: Hashable, Sendable {
    /// Points judged.
    package let points: Int
    /// Half of them are at least this near.
    package let median: Double
    /// Nine of ten are at least this near; of fewer than ten points the farthest.
    package let p90: Double

    /// Creates an error from its figures.
    package init(points: Int, median: Double, p90: Double) {
        self.points = points
        self.median = median
        self.p90 = p90
    }

    /// Judges points by what was fitted and what was measured, above zero. Quantiles are nearest
    /// ranks; without points all is zero.
    package init(of points: [(fitted: Double, measured: Double)]) {
        let errors = points.map { abs($0.fitted - $0.measured) / $0.measured }.sorted()
        func rank(_ tenths: Int) -> Double {
            errors.isEmpty ? 0 : errors[max(0, (errors.count * tenths + 9) / 10 - 1)]
        }
        self.init(points: errors.count, median: rank(5), p90: rank(9))
    }
}
