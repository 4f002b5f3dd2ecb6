import Time

/// Decides how many replicas of one model there are: the load line, seen from its other side.
///
/// It is told the work that is asked for at the front door: admitted, queued and refused for want
/// of capacity, each request once. On that work it runs shadow fleets, one for each rule of a small
/// grid, and follows the cheapest rule that would have held the budget. So growth within the lead
/// time, bursts and chance are provided for by what this service has shown, and by no forecast.
///
/// A pure function of what it is told: the same calls give the same decisions.
package struct Scaler: Sendable {
    private let plan: ScalingPlan
    private var lead: LeadTime
    private var capacity: ReplicaCapacity
    private var level: WorkLevel
    private var fleets: [ShadowFleet]
    /// Fleets of one size each, from one replica on: whether the tail would hold on fewer.
    private var sizes: [ShadowFleet]
    private var chosen: Int
    private var chosenAt: Instant?
    private var rejected: [ScalingDecision.Rejected] = []
    private var binsToFollow = 1
    /// Replica-nanoseconds of work that came, fading as the fleets' and the sizes' accounts do.
    private var offered = 0.0
    private var offeredLately = 0.0
    /// The last decision for more, and the mean level then.
    private var lastUp: (at: Instant, mean: Double)?
    /// The last decision for fewer, and the mean level then.
    private var lastDown: (at: Instant, mean: Double)?
    /// How long after a rise the same load keeps its replicas; doubles with each fall that had to
    /// be taken back.
    private var holdNanos = Self.holdNanosMin

    private static let binsPerFollow = 25
    private static let halfLifeNanos = 43_200_000_000_000.0
    /// Starts up to this quantile are planned for.
    private static let leadQuantile = 0.9
    private static let factors: [Double] = [
        0.8, 0.9, 1, 1.1, 1.2, 1.35, 1.5, 1.75, 2, 2.5, 3, 4, 6, 10, 20,
    ]
    private static let extras = [0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48]
    /// A rule is kept for so long: what is missed while replicas start is no reason for more.
    private static let chooseNanos: UInt64 = 3_600_000_000_000
    /// The rule until enough has been seen.
    private static let prior = ScalingRule(factor: 1.1, extra: 1)
    /// A rule must be cheaper by this much to be taken instead of one that holds as well.
    private static let worthChanging = 0.97
    /// While replicas start, so little above them is not asked for.
    private static let enough = 1.1
    private static let sizesMax = 64
    private static let holdNanosMin: UInt64 = 3_600_000_000_000
    private static let holdNanosMax: UInt64 = 86_400_000_000_000
    /// What came before anything was seen counts as held for so long at the present mean.
    private static let priorNanos = 7_200_000_000_000.0

    /// Begins with `replicas`.
    package init(plan: ScalingPlan, replicas: Int) {
        self.plan = plan
        self.lead = LeadTime(declaredNanos: plan.leadNanos)
        self.capacity = ReplicaCapacity(declared: plan.workPerReplica)
        self.level = WorkLevel(windowNanos: plan.stabilizationNanos)
        let rules = Self.rules(plan)
        self.fleets = rules.map { ShadowFleet(rule: $0, replicas: replicas) }
        self.sizes = (1...min(plan.replicasMax, Self.sizesMax)).map {
            ShadowFleet(rule: ScalingRule(factor: 0, extra: $0), replicas: $0)
        }
        self.chosen = rules.firstIndex(of: Self.prior) ?? 0
    }

    private static func rules(_ plan: ScalingPlan) -> [ScalingRule] {
        if let standby = plan.standby { return [ScalingRule(factor: 1, extra: standby)] }
        return self.factors.flatMap { factor in
            self.extras.filter { $0 < plan.replicasMax }.map {
                ScalingRule(factor: factor, extra: $0)
            }
        }
    }

    /// Takes in the bins that have ended; `perReplica` is what one serves.
    ///
    /// - Complexity: O(rules + sizes) for each.
    private mutating func take(_ bins: [Double], perReplica: Double, now: Instant) {
        let nanos = DemandMeter.binNanos
        var end = now.nanos / nanos * nanos
        end -= min(UInt64(bins.count) * nanos, end)
        for work in bins {
            end += nanos
            self.take(bin: work / perReplica, at: Instant(nanos: end))
        }
    }

    private mutating func take(bin work: Double, at now: Instant) {
        let nanos = DemandMeter.binNanos
        let fade = Self.fade(halfLife: Self.halfLifeNanos)
        let fadeLately = Self.fade(halfLife: Double(max(self.plan.stabilizationNanos, nanos)))
        self.level.add(work: work, nanos: nanos, now: now)
        self.offered = self.offered * fade + work
        self.offeredLately = self.offeredLately * fadeLately + work
        self.binsToFollow -= 1
        let follows = self.binsToFollow == 0
        if follows { self.binsToFollow = Self.binsPerFollow }
        let lead = follows ? self.lead.nanos(Self.leadQuantile, now: now) : 0
        for index in self.fleets.indices {
            self.fleets[index].serve(work: work, nanos: nanos, fade: fade, self.plan, now: now)
            guard follows else { continue }
            self.fleets[index].follow(self.level, leadNanos: lead, self.plan, now: now)
        }
        for index in self.sizes.indices {
            self.sizes[index].serve(
                work: work, nanos: nanos, fade: fadeLately, self.plan, now: now)
        }
    }

    private static func fade(halfLife: Double) -> Double {
        let halvings = Double(DemandMeter.binNanos) / halfLife
        return 1 / (1 + 0.693_147_180_559_945_3 * halvings)
    }

    // MARK: Decisions

    /// How many replicas there should be from now on.
    package mutating func decide(_ input: ScalingInput) -> ScalingDecision {
        let now = input.at
        for nanos in input.starts { self.lead.learn(nanos: nanos, now: now) }
        self.capacity.learn(input, tolerated: 1 - self.plan.attainment)
        let perReplica = self.capacity.rate
        self.take(input.work, perReplica: perReplica, now: now)
        self.choose(now)
        let rule = self.fleets[self.chosen].rule
        let lead = self.lead.nanos(Self.leadQuantile, now: now)
        let current = input.replicas
        var steps = ScalingSteps()
        steps.add(\.now, to: self.level.now, .need)
        steps.add(\.peak, to: self.level.peak, .peak)
        let kept = rule.wanted(self.level)
        steps.add(\.standby, to: kept, .standby)
        // Once, with the first replicas that are asked for: those that start need no company.
        if current == 0 {
            // Who waits needs one, however little it asks for.
            let least = input.queued > 0 ? 1.0 : 0
            steps.add(
                \.backlog, to: max(kept * self.plan.catchUp(leadNanos: lead), least), .backlog)
        }
        let isCloseEnough =
            !input.starting.isEmpty && steps.value > Double(current)
            && steps.value <= Double(current) * Self.enough
        steps.add(
            \.rounding, to: isCloseEnough ? Double(current) : steps.value.rounded(.up), nil)
        let bounded = min(
            max(steps.value, Double(self.plan.replicasMin)), Double(self.plan.replicasMax))
        steps.add(\.bounds, to: bounded, bounded > steps.value ? .minimum : .maximum)
        if Int(bounded) < current {
            let (least, why) = self.leastAfterStep(down: Int(bounded), from: current, now: now)
            steps.add(\.pace, to: Double(least), why)
        }
        let target = Int(steps.value)
        self.note(current, target, now: now)
        return ScalingDecision(
            at: now, current: current, target: target, terms: steps.terms,
            binding: steps.binding, rule: rule, leadNanos: lead, workPerReplica: perReplica,
            missedShare: self.missedShare(self.chosen), rejected: self.rejected)
    }

    /// How far down one decision goes: a step, where the tail would hold on so few and the last
    /// change was no rise of the same load.
    private func leastAfterStep(
        down wanted: Int, from current: Int, now: Instant
    ) -> (Int, ScalingDecision.Binding) {
        if let up = self.lastUp {
            let since = now.nanosSince(up.at)
            if since < self.plan.stabilizationNanos
                || since < self.holdNanos && !self.hasFallen(below: up.mean)
            {
                return (current, .pace)
            }
        }
        let least = max(wanted, current - self.plan.downStepMax)
        if least >= 1, least <= self.sizes.count {
            let size = self.sizes[least - 1]
            // A tenth of a replica's work is the least that says anything.
            let window = Double(self.plan.stabilizationNanos) / 0.693
            let offered = max(self.offeredLately, 0.1 * window)
            if size.missed > (1 - self.plan.attainment) * offered {
                return (current, .tail)
            }
        }
        return (least, .pace)
    }

    /// The load is another than it was: chance alone does not move a mean that far.
    private func hasFallen(below mean: Double) -> Bool {
        self.level.mean < max(mean * 0.8 - 0.3, WorkLevel.idle)
    }

    private mutating func note(_ current: Int, _ target: Int, now: Instant) {
        if target > current {
            if let down = self.lastDown, down.at > self.lastUp?.at ?? .zero {
                let isTakenBack = self.level.mean < down.mean * 1.25 + 0.3
                self.holdNanos =
                    isTakenBack
                    ? min(self.holdNanos * 2, Self.holdNanosMax) : Self.holdNanosMin
            }
            self.lastUp = (now, max(self.level.mean, self.level.now))
        } else if target < current {
            self.lastDown = (now, self.level.mean)
        }
    }

    /// Of the rules that would have held the budget the cheapest; where none would have, the one
    /// that would have missed least.
    private mutating func choose(_ now: Instant) {
        let since = self.chosenAt ?? now
        if self.chosenAt == nil { self.chosenAt = now }
        guard self.offered > 0, now.nanosSince(since) >= Self.chooseNanos else { return }
        self.chosenAt = now
        defer { self.rejected = self.nextCheaper().map { [$0] } ?? [] }
        let allowed = 1 - self.plan.attainment
        var best = self.chosen
        for index in self.fleets.indices {
            let holds = self.missedShare(index) <= allowed
            let bestHolds = self.missedShare(best) <= allowed
            let worth = best == self.chosen ? Self.worthChanging : 1
            let isBetter =
                holds == bestHolds
                ? holds
                    ? self.fleets[index].cost < self.fleets[best].cost * worth
                    : self.fleets[index].missed < self.fleets[best].missed * worth
                : holds
            if isBetter { best = index }
        }
        self.chosen = best
    }

    /// Of the rules that would have cost less than the chosen one the one that would have missed
    /// least: why it was not taken.
    private func nextCheaper() -> ScalingDecision.Rejected? {
        let chosen = self.fleets[self.chosen]
        var best: Int?
        for index in self.fleets.indices where self.fleets[index].cost < chosen.cost {
            guard self.fleets[index].missed < best.map({ self.fleets[$0].missed }) ?? .infinity
            else { continue }
            best = index
        }
        guard let best, chosen.cost > 0 else { return nil }
        return ScalingDecision.Rejected(
            rule: self.fleets[best].rule, missedShare: self.missedShare(best),
            costShare: self.fleets[best].cost / chosen.cost)
    }

    private func missedShare(_ index: Int) -> Double {
        let prior = Self.priorNanos * self.level.mean
        return self.fleets[index].missed / max(self.offered + prior, 1)
    }
}

/// A target on its way through what adds to it.
struct ScalingSteps {
    private(set) var value = 0.0
    private(set) var terms = ScalingDecision.Terms()
    private(set) var binding = ScalingDecision.Binding.need

    /// Goes on to `next`; the difference is the term's, and what made one is what binds.
    mutating func add(
        _ term: WritableKeyPath<ScalingDecision.Terms, Double>, to next: Double,
        _ binding: ScalingDecision.Binding?
    ) {
        self.terms[keyPath: term] = next - self.value
        if let binding, next != self.value { self.binding = binding }
        self.value = next
    }
}
