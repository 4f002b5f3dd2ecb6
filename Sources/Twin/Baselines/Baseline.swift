package import RequestPath
package import Time

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
///
/// Classes map from the plan by their order. What the field has no notion of is not done: no
/// ladder, no deadline, no tenant limit, no fair sharing between tenants. Nothing is aborted for
/// being late: clients give up by themselves. How each part behaves, and where it is published, is
/// said at the part.
package struct Baseline: RequestPolicy, Sendable {
    private var policy: any RequestPolicy & Sendable

    /// A policy from two parts that know nothing of each other.
    ///
    /// - Parameters:
    ///   - gate: decides whether and when a request is sent.
    ///   - choice: decides where.
    ///   - plan: its models and classes; nothing else of it is looked at.
    ///   - seed: draws for choices and for the spread of pauses; the same seed, the same actions.
    ///   - knobs: published defaults unless changed.
    /// - Returns: a policy without endpoints.
    package static func make(
        gate: BaselineGate, choice: BaselineChoice, plan: Plan, seed: UInt64,
        knobs: BaselineKnobs = BaselineKnobs()
    ) -> Baseline {
        let parts = Parts(plan: plan, seed: seed, knobs: knobs)
        return switch gate {
        case .gaugeGate: Baseline(policy: parts.join(GaugeGate.self, choice))
        case .noGate: Baseline(policy: parts.join(NoGate.self, choice))
        case .slotClass: Baseline(policy: parts.join(SlotClassGate.self, choice))
        case .busyAll: Baseline(policy: parts.join(BusyAllGate.self, choice))
        case .gradient2: Baseline(policy: parts.join(GradientGate.self, choice))
        }
    }

    /// - Complexity: O(log live requests + endpoints of the model); no allocation once as many
    ///   requests have been live as ever will be.
    package mutating func step(_ event: Event, now: Instant, into actions: inout ActionBuffer) {
        self.policy.step(event, now: now, into: &actions)
    }

    /// When `tick` is due next: a turn, a timeout, a second try or a probe.
    package func nextDeadline() -> Instant? { self.policy.nextDeadline() }

    /// None of the field's aborts what is late; SMG preempts, and answers 503 with `Retry-After: 1`
    /// (`middleware/scheduler/error.rs`).
    package var abortCause: AbortCause { .preempted(retryAfterNanos: 1_000_000_000) }

    /// Counts and lanes against sums made anew.
    ///
    /// - Complexity: O(live requests + endpoints).
    package func audit(now: Instant) -> [AuditFault] { self.policy.audit(now: now) }
}

/// What both parts are made from.
private struct Parts {
    let plan: Plan
    let seed: UInt64
    let knobs: BaselineKnobs

    func join<Admitting: Gate>(
        _ gate: Admitting.Type, _ choice: BaselineChoice
    ) -> any RequestPolicy & Sendable {
        switch choice {
        case .roundRobin: self.policy(gate, RoundRobinChoice.self)
        case .p2c: self.policy(gate, TwoRandomChoice.self)
        case .leastLoad: self.policy(gate, LeastLoadChoice.self)
        case .scores: self.policy(gate, ScoresChoice.self)
        }
    }

    private func policy<Admitting: Gate, Choosing: Choice>(
        _ gate: Admitting.Type, _ choice: Choosing.Type
    ) -> ComposedPolicy<Admitting, Choosing> {
        ComposedPolicy(plan: self.plan, seed: self.seed, knobs: self.knobs)
    }
}
