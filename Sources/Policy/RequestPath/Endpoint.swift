import Time

/// One engine endpoint: its ledger, its limits, what it has taught, and its health.
struct Endpoint: Sendable {
    /// False before it is added and after it is forgotten.
    var isKnown = true
    let model: Int
    var ledger = TokenLedger()
    var limits = RoomLimits()
    var steps = StepModel()
    var health: EndpointHealth
    /// It takes no new work and is forgotten when its last request settles.
    var isLeaving = false
    /// It said it was full: no room until then.
    var busyUntil = Instant.zero
    var addedAt: Instant
    /// What it adds to its pool's capacity; kept so that it can be taken back out.
    var share = PoolShare()

    init(model: Int, ready: Bool, now: Instant) {
        self.model = model
        self.health = EndpointHealth(ready: ready, now: now)
        self.addedAt = now
    }

    /// Work may be sent, room aside.
    var isOpen: Bool { self.isKnown && self.health.isOpen && !self.isLeaving }

    /// Sequences it may hold under the model's plan.
    func sequencesMax(_ plan: ModelPlan) -> Int {
        if self.health.state == .halfOpen { return 1 }
        let written = plan.concurrentRequestsMax.map { Int($0) } ?? Int.max
        return max(1, min(Int(self.limits.sequences), written))
    }

    /// Why the endpoint has no room for a request, or that it has.
    func room(for record: RequestRecord, plan: ModelPlan, now: Instant) -> Room {
        guard self.isOpen, now >= self.busyUntil else { return .closed }
        let held = self.ledger.inFlight + self.ledger.foreign
        // An idle endpoint takes any one request.
        if self.ledger.isIdle { return .free }
        if held >= self.sequencesMax(plan) { return .sequences }
        if let most = plan.tokensInFlightMax,
            self.ledger.contextTokens + record.contextTokens > Double(most)
        {
            return .sequences
        }
        let waiting = self.ledger.prefillWaiting
        let fits =
            waiting == 0
            || waiting + Int(record.prefillTokens) <= Int(self.limits.prefillTokens)
        return fits ? .free : .prefill
    }

    enum Room: Sendable, Equatable {
        case free
        /// Not in rotation, or busy for a moment.
        case closed
        /// Sequences or context tokens are used up.
        case sequences
        /// Enough prefill waits at the engine.
        case prefill
    }
}

/// Capacity of one endpoint, or of a pool as their sum.
struct PoolShare: Sendable, Equatable {
    var open = 0
    var slots = 0
    var inFlight = 0
    /// Requests that end, per nanosecond, with every slot taken.
    var slotRate: Double = 0
    /// Prefill tokens answered, per nanosecond, with the window full.
    var prefillRate: Double = 0
    /// Prefill tokens that may wait at engines, and that do.
    var prefillWindow: Double = 0
    var prefillWaiting: Double = 0

    static func += (left: inout PoolShare, right: PoolShare) {
        left.add(right, sign: 1)
    }

    static func -= (left: inout PoolShare, right: PoolShare) {
        left.add(right, sign: -1)
    }

    private mutating func add(_ other: PoolShare, sign: Int) {
        self.open += sign * other.open
        self.slots += sign * other.slots
        self.inFlight += sign * other.inFlight
        self.slotRate += Double(sign) * other.slotRate
        self.prefillRate += Double(sign) * other.prefillRate
        self.prefillWindow += Double(sign) * other.prefillWindow
        self.prefillWaiting += Double(sign) * other.prefillWaiting
    }
}

/// One model: its endpoints, its lanes in the queues, and what all its engines teach together.
struct Pool: Sendable {
    private(set) var lanes: Range<Int>
    var endpoints: [Int32] = []
    var capacity = PoolShare()
    var outputs = OutputLengths()
    var ratio = TokenRatio()
    var steps = StepModel()
    var retries = RetryBudget()
    /// The request for which no endpoint had room; only the one that changed need be asked again.
    var stuckSlot = -1
    /// The last dispatch was of an overdue request of a lower class.
    var overdueLast = false
    /// Latest arrival among the requests dispatched: who came before it was overtaken.
    var latestDispatched = Instant.zero
    /// How long endpoints took from being added to being ready.
    var startNanos: UInt64 = 60_000_000_000

    init(lanes: Range<Int>) {
        self.lanes = lanes
    }

    /// The same pool with its lanes elsewhere.
    func moved(to lanes: Range<Int>) -> Pool {
        var pool = self
        pool.lanes = lanes
        return pool
    }
}
