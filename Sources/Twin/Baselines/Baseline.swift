package import RequestPath

/// When a request may be sent: the field's ways to admit. Raw values are the names of the command
/// line.
package enum BaselineGate: String, Sendable, CaseIterable {
    /// llm-d-router with flow control on: a queue held shut by scraped gauges.
    case gaugeGate = "gauge-gate"
    /// llm-d-router as most clusters run it: flow control off.
    case noGate = "no-gate"
    /// SMG's priority scheduler: a slot for each request.
    case slotClass = "slot-class"
    /// NVIDIA Dynamo's request rejection: refuses only when every worker is busy.
    case busyAll = "busy-all"
    /// Netflix's Gradient2 limit on the latency of whole requests.
    case gradient2
}

/// Where a request is sent: the field's ways to choose. Raw values are the names of the command
/// line. The product's own choice by ledger is not among them: it is part of `Admission`.
package enum BaselineChoice: String, Sendable, CaseIterable {
    case roundRobin = "round-robin"
    /// Power of two choices over requests in flight.
    case p2c
    /// SMG's least work.
    case leastLoad = "least-load"
    /// llm-d-router's weighted scores.
    case scores = "scores-2-2-3"
}

/// One way of the field to admit, with one to choose, behind the seam of the product's own.
package enum Baseline {
    /// A policy from two parts that know nothing of each other.
    ///
    /// Classes map from the plan by their order. What the field has no notion of is not done: no
    /// ladder, no deadline, no tenant limit, no fair sharing between tenants. Nothing is aborted
    /// for being late: clients give up by themselves.
    ///
    /// - Parameters:
    ///   - seed: draws for choices and for the spread of pauses; the same seed, the same actions.
    ///   - knobs: published defaults unless changed.
    package static func make(
        gate: BaselineGate, choice: BaselineChoice, plan: Plan, seed: UInt64,
        knobs: BaselineKnobs = BaselineKnobs()
    ) -> any RequestPolicy {
        switch gate {
        case .gaugeGate: join(GaugeGate.self, choice, plan, seed, knobs)
        case .noGate: join(NoGate.self, choice, plan, seed, knobs)
        case .slotClass: join(SlotClassGate.self, choice, plan, seed, knobs)
        case .busyAll: join(BusyAllGate.self, choice, plan, seed, knobs)
        case .gradient2: join(GradientGate.self, choice, plan, seed, knobs)
        }
    }

    private static func join<Part: Gate>(
        _ gate: Part.Type, _ choice: BaselineChoice, _ plan: Plan, _ seed: UInt64,
        _ knobs: BaselineKnobs
    ) -> any RequestPolicy {
        switch choice {
        case .roundRobin:
            ComposedPolicy<Part, RoundRobinChoice>(plan: plan, seed: seed, knobs: knobs)
        case .p2c: ComposedPolicy<Part, TwoRandomChoice>(plan: plan, seed: seed, knobs: knobs)
        case .leastLoad: ComposedPolicy<Part, LeastLoadChoice>(plan: plan, seed: seed, knobs: knobs)
        case .scores: ComposedPolicy<Part, ScoresChoice>(plan: plan, seed: seed, knobs: knobs)
        }
    }
}
