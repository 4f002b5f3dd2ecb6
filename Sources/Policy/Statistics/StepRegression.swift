/// Learns a `StepCost` from observed steps: recursive least squares with forgetting.
///
/// Coefficients never go below zero (a negative one is set to zero and the others adjust to that
/// with the next steps). Old steps fade by `forgetting` a step, unless that would make the filter
/// believe less than it did at the start, which happens when steps stop being different. A step far
/// off the model (a stall, a paused process) pulls no harder than one three typical errors off;
/// eight such steps in a row are a changed engine, and it learns as eagerly as at the start.
///
/// Source: Ljung, "System Identification", 1999, section 11.2.
package struct StepRegression: Sendable {
    /// Inputs are divided by these, so that all four terms are of order one.
    private static let units = SIMD4<Double>(1, 1_024, 64, 131_072)
    private static let outlierErrors = 3.0
    /// No step within this share of its prediction is an outlier, however steady the engine was.
    private static let outlierShareMin = 0.05
    private static let outliersOfAChange = 8
    /// Steps before which nothing is called an outlier.
    private static let warmUp: UInt64 = 16

    private var theta: SIMD4<Double>
    /// The covariance by column; symmetric.
    private var p0: SIMD4<Double>
    private var p1: SIMD4<Double>
    private var p2: SIMD4<Double>
    private var p3: SIMD4<Double>
    private let uncertainty: Double
    private let forgetting: Double
    private var meanSquare: Double
    private var meanShare: Double = 0
    private var outliersInARow = 0
    /// How many steps were observed.
    package private(set) var observations: UInt64 = 0

    /// Starts from a believed cost.
    ///
    /// - Parameters:
    ///   - cost: the cost believed before any step was seen.
    ///   - uncertainty: how many observed steps it takes to outweigh the belief is about
    ///     1 / `uncertainty`; 1 for a fitted profile, 1,000 for a guess. Above zero.
    ///   - forgetting: the weight left to a step when the next one comes, 0.9 ... 1; 0.999 looks
    ///     back over about 1,000 steps.
    package init(starting cost: StepCost, uncertainty: Double = 100, forgetting: Double = 0.999) {
        let start = SIMD4(
            cost.base, cost.perPrefillToken, cost.perSequence, cost.perKVToken)
        theta = start * Self.units
        self.uncertainty = max(uncertainty, 1e-6)
        self.forgetting = min(max(forgetting, 0.9), 1)
        p0 = .zero
        p1 = .zero
        p2 = .zero
        p3 = .zero
        meanSquare = theta[0] * theta[0]
        forgetConfidence()
    }

    /// The cost as learned so far.
    package var cost: StepCost {
        let plain = theta / Self.units
        return StepCost(
            base: plain[0], perPrefillToken: plain[1], perSequence: plain[2],
            perKVToken: plain[3])
    }

    /// The typical error of a prediction in nanoseconds: a fading root mean square of the errors
    /// made before each step was learned from. At the start it is the base cost.
    package var errorNanos: Double { meanSquare.squareRoot() }

    /// The mean of (observed - predicted) / predicted, fading: above zero the model is too fast,
    /// the dangerous side.
    package var biasShare: Double { meanShare }

    /// The predicted nanoseconds of a step.
    package func nanos(of work: StepWork) -> Double {
        (theta * Self.inputs(work)).sum()
    }

    /// Learns from one step that took `nanos`.
    ///
    /// - Complexity: O(1), no allocation.
    package mutating func observe(_ work: StepWork, nanos: Double) {
        guard nanos.isFinite, nanos >= 0 else { return }
        let x = Self.inputs(work)
        let predicted = (theta * x).sum()
        let error = nanos - predicted
        let used = tamed(error, predicted: predicted)

        let gain = product(x)
        let spread = (x * gain).sum()
        let fade = trace < 4 * uncertainty ? forgetting : 1
        let kalman = gain / (fade + spread)
        theta += kalman * used
        theta.replace(with: 0, where: theta .< 0)
        p0 = (p0 - kalman * gain[0]) / fade
        p1 = (p1 - kalman * gain[1]) / fade
        p2 = (p2 - kalman * gain[2]) / fade
        p3 = (p3 - kalman * gain[3]) / fade

        let weight = max(1 - forgetting, 1 / Double(observations + 1))
        meanSquare += weight * (used * used - meanSquare)
        if predicted > 0 { meanShare += weight * (error / predicted - meanShare) }
        observations += 1
    }

    /// The error to learn from: held to the limit, until outliers in a row prove a change.
    private mutating func tamed(_ error: Double, predicted: Double) -> Double {
        let limit = max(Self.outlierErrors * errorNanos, Self.outlierShareMin * predicted)
        guard observations >= Self.warmUp, abs(error) > limit else {
            outliersInARow = 0
            return error
        }
        outliersInARow += 1
        guard outliersInARow >= Self.outliersOfAChange else {
            return error < 0 ? -limit : limit
        }
        outliersInARow = 0
        meanSquare = error * error
        forgetConfidence()
        return error
    }

    private mutating func forgetConfidence() {
        p0 = SIMD4(uncertainty, 0, 0, 0)
        p1 = SIMD4(0, uncertainty, 0, 0)
        p2 = SIMD4(0, 0, uncertainty, 0)
        p3 = SIMD4(0, 0, 0, uncertainty)
    }

    private var trace: Double { p0[0] + p1[1] + p2[2] + p3[3] }

    private func product(_ x: SIMD4<Double>) -> SIMD4<Double> {
        p0 * x[0] + p1 * x[1] + p2 * x[2] + p3 * x[3]
    }

    private static func inputs(_ work: StepWork) -> SIMD4<Double> {
        SIMD4(
            1, Double(work.prefillTokens), Double(work.sequences), Double(work.kvTokens))
            / units
    }
}
