/// What one class of one model is held to: the class's words where it has any, else the model's.
package struct ClassBounds: Sendable, Equatable {
    /// The TTFT bound that makes a request good and that admission plans to, in nanoseconds: the
    /// highest quantile written, or the deadline where only that is.
    package var timeToFirstTokenNanos: UInt64
    /// The quantile that bound is written for; `nil` when it is a deadline.
    package var timeToFirstTokenQuantile: Quantile?
    /// A request without a first token by then is aborted. Never below `timeToFirstTokenNanos`.
    package var deadlineNanos: UInt64
    /// Bound on a request's mean time between tokens; `nil` when unwritten.
    package var interTokenNanos: UInt64?
    /// Bound from arrival to the last byte; `nil` when unwritten.
    package var endToEndNanos: UInt64?
}

extension ModelSpec {
    /// The objectives a class is judged by. A latency the class does not write takes the model's;
    /// a class with only a deadline has none: the deadline is its single bound.
    package func objectives(of spec: ClassSpec) -> Objectives {
        if let own = spec.objectives {
            return Objectives(
                timeToFirstToken: own.timeToFirstToken ?? self.budget.objectives.timeToFirstToken,
                interTokenLatency: own.interTokenLatency
                    ?? self.budget.objectives.interTokenLatency,
                endToEnd: own.endToEnd ?? self.budget.objectives.endToEnd)
        }
        return spec.deadlineNanos == nil ? self.budget.objectives : Objectives()
    }

    /// What a class is held to. Where no deadline is written it is twice the objective, so that the
    /// tail the quantile tolerates is not aborted. `UInt64.max` stands for no TTFT bound at all,
    /// which no loaded model has.
    package func bounds(of spec: ClassSpec) -> ClassBounds {
        let objectives = self.objectives(of: spec)
        let objective = objectives.timeToFirstToken?.highest
        let written = spec.deadlineNanos ?? self.budget.deadline.timeToFirstTokenNanos
        let bound = objective?.nanos ?? written ?? .max
        let (doubled, overflow) = bound.multipliedReportingOverflow(by: 2)
        let deadline = written ?? (overflow ? .max : doubled)
        return ClassBounds(
            timeToFirstTokenNanos: bound, timeToFirstTokenQuantile: objective?.quantile,
            deadlineNanos: max(deadline, bound),
            interTokenNanos: objectives.interTokenLatency?.highest?.nanos,
            endToEndNanos: objectives.endToEnd?.highest?.nanos)
    }
}
