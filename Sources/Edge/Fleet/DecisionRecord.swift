package import Scaling
package import Time

/// What a scaler's decisions begin with: whose they are, and what it began from.
package struct DecisionHeader: Sendable, Equatable, Codable {
    package var schema = Self.schemaNow
    package var model: String
    package var plan: ScalingPlan
    /// Replicas that were there.
    package var replicas: Int
    /// The instants of the decisions are nanoseconds of a clock that showed `clockNanos` at
    /// `unixNanos` since 1970.
    package var clockNanos: UInt64
    package var unixNanos: UInt64

    package static let schemaNow = "plimsoll.decisions/v1"

    package init(
        model: String, plan: ScalingPlan, replicas: Int, clockNanos: UInt64, unixNanos: UInt64
    ) {
        self.model = model
        self.plan = plan
        self.replicas = replicas
        self.clockNanos = clockNanos
        self.unixNanos = unixNanos
    }

    /// Nanoseconds since 1970 at an instant of the scaler's clock.
    package func unixNanos(_ at: Instant) -> UInt64 {
        self.unixNanos &+ at.nanosSince(Instant(nanos: self.clockNanos))
    }

    private enum CodingKeys: String, CodingKey {
        case schema, model, plan, replicas
        case clockNanos = "clock_ns"
        case unixNanos = "unix_ns"
    }
}

/// One decision and all that it depended on.
package struct DecisionRecord: Sendable, Equatable, Codable {
    package var input: ScalingInput
    package var decision: ScalingDecision

    package init(input: ScalingInput, decision: ScalingDecision) {
        self.input = input
        self.decision = decision
    }
}
