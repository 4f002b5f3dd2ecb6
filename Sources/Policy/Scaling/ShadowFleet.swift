import Time

/// A fleet that is only thought of: how much of the work that really came it would have missed, and
/// what it would have cost, had it been scaled by one rule.
///
/// Work is a fluid. What waits longer than its bound allows is missed and leaves. Replicas come
/// after the lead time and go at once. What it has seen fades, so that what was right last week
/// does not bind today.
struct ShadowFleet: Sendable {
    let rule: ScalingRule
    private(set) var target: Int
    private var ready: Int
    /// Replicas on their way, the earliest first.
    private var batches: [Batch] = []
    /// Until when what came without a replica may wait.
    private var coldUntil: UInt64 = 0
    /// Replica-nanoseconds of work that wait.
    private var backlog = 0.0
    /// Replica-nanoseconds that were not served in time; fading.
    private(set) var missed = 0.0
    /// Replica-nanoseconds that were paid for; fading.
    private(set) var cost = 0.0

    private struct Batch: Sendable {
        var at: UInt64
        var count: Int
    }

    init(rule: ScalingRule, replicas: Int) {
        self.rule = rule
        self.target = replicas
        self.ready = replicas
    }

    /// The `work` of the `nanos` nanoseconds before `now` is served, waits or is missed.
    mutating func serve(
        work: Double, nanos: UInt64, fade: Double, _ plan: ScalingPlan, now: Instant
    ) {
        while let first = self.batches.first, first.at <= now.nanos {
            self.ready += first.count
            self.batches.removeFirst()
        }
        self.backlog = max(0, self.backlog + work - Double(self.ready) * Double(nanos))
        if self.ready == 0, work > 0, self.coldUntil < now.nanos {
            self.coldUntil = now.advanced(byNanos: plan.coldStartNanos).nanos
        }
        // What came while nothing was ready has the cold-start deadline, and keeps it.
        let cold = self.coldUntil > now.nanos ? self.coldUntil - now.nanos : 0
        let patience =
            self.ready > 0
            ? Double(self.ready) * Double(max(plan.waitNanos, cold))
            : Double(max(1, self.target)) * Double(plan.coldStartNanos)
        let late = max(0, self.backlog - patience)
        self.backlog -= late
        self.missed = self.missed * fade + late
        self.cost = self.cost * fade + Double(self.target) * Double(nanos)
    }

    /// Follows its rule: up at once, down by the plan's step.
    mutating func follow(_ level: WorkLevel, leadNanos: UInt64, _ plan: ScalingPlan, now: Instant) {
        let catchUp = self.target == 0 ? plan.catchUp(leadNanos: leadNanos) : 1
        let wanted = plan.bounded(self.rule.wanted(level) * catchUp)
        if wanted > self.target {
            self.batches.append(
                Batch(at: now.advanced(byNanos: leadNanos).nanos, count: wanted - self.target))
            self.target = wanted
        } else if wanted < self.target {
            self.drop(min(self.target - wanted, plan.downStepMax))
        }
    }

    /// The youngest go first: those that are on their way serve nobody yet.
    private mutating func drop(_ count: Int) {
        self.target -= count
        var left = count
        while left > 0, let last = self.batches.popLast() {
            let gone = min(left, last.count)
            left -= gone
            if last.count > gone {
                self.batches.append(Batch(at: last.at, count: last.count - gone))
            }
        }
        self.ready -= left
    }
}

/// How many replicas for how much work.
package struct ScalingRule: Sendable, Hashable, Codable {
    /// Replicas for each replica's worth of the work at its peak of late.
    package var factor: Double
    /// Replicas above that, whatever comes; fewer where next to nothing is asked for.
    package var extra: Int

    /// From this level on the extra ones are wanted in full.
    private static let levelOfExtra = 0.25

    /// Replicas for the level, not rounded and within no bounds; none where nothing is asked for.
    func wanted(_ level: WorkLevel) -> Double {
        let peak = level.peak
        guard peak >= WorkLevel.idle else { return 0 }
        return self.factor * peak + Double(self.extra) * min(1, peak / Self.levelOfExtra)
    }
}
