import Time

/// What the tenants of one class may attain while the class refuses.
///
/// Turns in the queue share what is sent, not what is refused on arrival: of two tenants that ask
/// for too much, the one with short prompts nearly always fits and the one with long prompts nearly
/// never. The fair share of a flow is the smaller of what it asks for and `level * weight`, where
/// the level is such that the shares add up to what the class attains (max-min fairness: D.
/// Bertsekas and R. Gallager, "Data Networks", 6.5.2). Two things hold flows to it:
///
/// - A flow has a credit of token work that grows at its share and shrinks by what it is charged.
///   While a flow in credit is refused, others in debt are refused too, and make room for it.
/// - A flow known to ask for less than half of its share that is refused all the same shows that
///   the engines are too full to keep it apart from the others. All others may then wait less: a
///   fifth less for each look that saw such a refusal, a 200th more for each that did not.
///
/// With one tenant neither ever happens.
struct FairShare: Sendable {
    /// Token work a nanosecond that a flow of weight 1 may attain.
    private(set) var level = Double.infinity
    /// The most the class attained lately, in token work a nanosecond: half forgotten each
    /// `halfLifeNanos`, so that holding flows back does not lower what they may have at once.
    private var attained = 0.0
    /// What it attains, over about a second.
    private var rate = 0.0
    /// Of the time that a bound leaves for waiting, what flows that ask for more than their share
    /// may use: 0...1.
    private var patience = 1.0
    /// A modest flow was refused since the last look.
    private var isSqueezing = false
    /// A flow in credit was refused, and the refusal counts until then for the others.
    private var contendedUntil = Instant.zero
    private var contender: Int32 = -1
    private var lookedAt = Instant.zero

    static let lookEveryNanos: UInt64 = 250_000_000
    private static let halfLifeNanos: UInt64 = 10_000_000_000
    private static let contendedNanos: UInt64 = 1_000_000_000
    /// A flow saves, and owes, no more than it may attain in this time.
    private static let creditNanos = 2e9

    func isDue(_ now: Instant) -> Bool {
        now.nanosSince(self.lookedAt) >= Self.lookEveryNanos
    }

    /// Whether a flow is held back for others.
    func holds(_ flow: Flow, now: Instant) -> Bool {
        now < self.contendedUntil && self.contender != flow.tenant && flow.share.credit < 0
    }

    /// Of the time that a bound leaves for waiting, what the flow may use: 0...1.
    func patience(of flow: Flow) -> Double { self.isModest(flow) ? 1 : self.patience }

    private func isModest(_ flow: Flow) -> Bool {
        self.level.isFinite && flow.share.isKnown
            && 2 * max(flow.share.demand, flow.share.usualDemand) < self.level * flow.weight
    }

    /// A request of the flow was refused for want of capacity.
    mutating func noteRefused(_ flow: Flow, now: Instant) {
        if self.isModest(flow) { self.isSqueezing = true }
        guard flow.share.credit >= 0 else { return }
        self.contendedUntil = now.advanced(byNanos: Self.contendedNanos)
        self.contender = flow.tenant
    }

    /// Nanoseconds until a flow in debt is in credit again.
    func nanosToCredit(_ flow: Flow) -> Double {
        let rate = self.level * flow.weight
        return rate > 0 && rate.isFinite ? max(0, -flow.share.credit) / rate : 0
    }

    /// Counts what flows were charged since the last look and gives each its share of it.
    ///
    /// - Complexity: O(flows of the class), four times a second at most.
    mutating func look(_ flows: inout [Flow], lane: Int, now: Instant) {
        let nanos = Double(max(1, now.nanosSince(self.lookedAt)))
        let isFirst = self.lookedAt == .zero
        self.lookedAt = now
        var sum = 0.0
        for index in flows.indices where Int(flows[index].lane) == lane {
            let charged = flows[index].attained - flows[index].share.attainedBefore
            sum += charged
            flows[index].share.look(nanos: nanos)
            flows[index].share.attainedBefore = flows[index].attained
            let most = min(self.level, 1e9) * flows[index].weight
            let credit = flows[index].share.credit + most * nanos - charged
            flows[index].share.credit =
                min(max(credit, -most * Self.creditNanos), most * Self.creditNanos)
        }
        guard !isFirst else { return }
        self.rate += (sum / nanos - self.rate) * min(1, nanos / 1e9)
        let kept = Decay.factor(
            nanos: UInt64(saturating: nanos), halfLifeNanos: Self.halfLifeNanos)
        self.attained = max(self.rate, self.attained * kept)
        self.patience =
            self.isSqueezing ? self.patience * 0.8 : min(1, self.patience + 0.005)
        self.isSqueezing = false
        self.level = self.fairLevel(flows, lane: lane)
    }

    /// Fills all flows evenly, a few times over: who asks for less than the level leaves the rest
    /// to the others, and raises it.
    private func fairLevel(_ flows: [Flow], lane: Int) -> Double {
        var level = 0.0
        for _ in 0..<Self.fillings {
            var left = self.attained
            var weight = 0.0
            for flow in flows where Int(flow.lane) == lane {
                if flow.share.demand < level * flow.weight {
                    left -= flow.share.demand
                } else {
                    weight += flow.weight
                }
            }
            guard weight > 0 else { return .infinity }
            level = max(level, left / weight)
        }
        return level
    }

    private static let fillings = 4
}

/// A flow's part in it.
struct FlowShare: Sendable {
    /// Token work it may still be charged before it is in debt.
    var credit = 0.0
    var attainedBefore = 0.0
    /// Token work a nanosecond that it asks for, over about a second and over about a minute.
    private(set) var demand = 0.0
    var usualDemand: Double { self.usual / max(1e-9, self.usualWeight) }
    private var usual = 0.0
    private var usualWeight = 0.0
    /// Requests of the last minute or so.
    private var requests = 0.0
    // Since the last look.
    private var arrived = 0.0
    private var asked = 0.0

    /// Enough has been asked for to know what is usual.
    var isKnown: Bool { self.requests >= 20 }

    mutating func noteArrived(work: Double) {
        self.arrived += 1
        self.asked += work
    }

    mutating func look(nanos: Double) {
        let rate = self.asked / nanos
        let forgotten = min(1, nanos / 60e9)
        self.demand += (rate - self.demand) * min(1, nanos / 1e9)
        self.usual += (rate - self.usual) * forgotten
        self.usualWeight += (1 - self.usualWeight) * forgotten
        self.requests += self.arrived - self.requests * forgotten
        self.asked = 0
        self.arrived = 0
    }
}
