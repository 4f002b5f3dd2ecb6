/// What makes a request good: the highest-quantile bound of each stage that its class has, in
/// nanoseconds; nil for a stage without one.
package struct GoodBounds: Hashable, Sendable {
    /// To the first token.
    package let ttftNanos: UInt64?
    /// Between tokens, on the mean of the request.
    package let itlNanos: UInt64?
    /// To the end.
    package let e2eNanos: UInt64?

    init(_ objectives: [ReportBudget.Objective]) {
        func bound(_ stage: ReportBudget.Stage) -> UInt64? {
            objectives.filter { $0.stage == stage }
                .max { $0.quantilePerMillion < $1.quantilePerMillion }?.boundNanos
        }
        ttftNanos = bound(.ttft)
        itlNanos = bound(.itl)
        e2eNanos = bound(.e2e)
    }

    /// Whether a request completed without error and inside every bound.
    func contains(_ outcome: RequestOutcome) -> Bool {
        guard outcome.status == .completed else { return false }
        func isInside(_ nanos: UInt64?, _ bound: UInt64?) -> Bool {
            guard let nanos, let bound else { return true }
            return nanos <= bound
        }
        return isInside(outcome.ttftNanos, ttftNanos) && isInside(outcome.itlMeanNanos, itlNanos)
            && isInside(outcome.e2eNanos, e2eNanos)
    }

    /// The longest a good streamed answer may take from its arrival to its end, in nanoseconds: the
    /// end-to-end bound, or what TTFT and inter-token latency leave together, whichever is less;
    /// nil when neither bounds it.
    package func lastEndNanos(outputTokens: UInt64) -> UInt64? {
        guard let ttftNanos, let itlNanos else { return e2eNanos }
        let gaps = max(outputTokens, 1) - 1
        let (decode, isTooLong) = itlNanos.multipliedReportingOverflow(by: gaps)
        let streamed = ttftNanos.adding(isTooLong ? .max : decode)
        return min(streamed, e2eNanos ?? .max)
    }
}

extension ReportBudget {
    /// What makes a request of this class good; a class the budget does not know is judged by the
    /// objectives of all.
    package func goodBounds(of serviceClass: String) -> GoodBounds {
        GoodBounds(objectives(of: serviceClass))
    }
}
