/// One tenant's queue in one class of one model: earliest deadline first.
struct Flow: Sendable {
    let tenant: Int32
    let lane: Int32
    var weight: Double
    /// First and last of the queued records, linked through them.
    var head: Int32 = -1
    var tail: Int32 = -1
    var queued = Demand.zero
    /// Token work it may still send this round; below zero after a large request.
    var deficit: Double = 0
    /// Token work it has been charged in all.
    var attained: Double = 0
    var share = FlowShare()
    /// Neighbours in the ring of flows with work; -1 outside it.
    var ringPrevious: Int32 = -1
    var ringNext: Int32 = -1
    /// What was admitted lately.
    var admitted = DemandRate()

    var isInRing: Bool { self.ringNext >= 0 }
}

/// One class of one model: a ring of flows and what is queued in all of them.
struct Lane: Sendable {
    /// The flow whose turn it is, -1 when none has eligible work.
    var turn: Int32 = -1
    var weightInRing: Double = 0
    var queued = Demand.zero
    var bytes: UInt64 = 0
    var admitted = DemandRate()
    var ladder = Ladder()
    var errors: RatioSketch
    var tolerance: QuantileTolerance
    var fairShare = FairShare()
    /// When its refused shall come back.
    var retries = RetrySchedule()

    init(quantile: Double, lowerBounds: [QuantileBound]) {
        self.errors = RatioSketch(quantile: quantile)
        self.tolerance = QuantileTolerance(lowerBounds)
    }

    /// Takes over what an older lane had learned, not what was queued there.
    mutating func carry(_ older: Lane) {
        self.admitted = older.admitted
        self.ladder = older.ladder
        self.errors = older.errors
        self.retries = older.retries
        self.tolerance.carry(older.tolerance)
    }
}
