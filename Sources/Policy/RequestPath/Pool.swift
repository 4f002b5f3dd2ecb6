import Time

/// One model: its endpoints, its lanes in the queues, and what all its engines teach together.
struct Pool: Sendable {
    private(set) var lanes: Range<Int>
    var bounds: EngineBounds
    var endpoints: [Int32] = []
    /// What each of `endpoints` has left, in their order.
    var roomIndex = RoomIndex()
    var capacity = PoolShare()
    var outputs = OutputLengths()
    var ratio = TokenRatio()
    var prefixTrust = PrefixTrust()
    var steps = StepModel()
    var retries = RetryBudget()
    var hedging = Hedging()
    var frontDoor = FrontDoor()
    /// The request for which no endpoint had room; only the one that changed need be asked again.
    var stuckSlot = -1
    /// The last dispatch was of an overdue request of a lower class.
    var overdueLast = false
    /// Latest arrival among the requests dispatched: who came before it was overtaken.
    var latestDispatched = Instant.zero
    /// How long endpoints took from being added to being ready. Before any was seen: a minute, but
    /// no more than half of the time that somebody found enough for a cold start.
    var startNanos: UInt64

    private static let startNanosUnseen: UInt64 = 60_000_000_000

    init(lanes: Range<Int>, bounds: EngineBounds, coldStartNanos: UInt64?) {
        self.lanes = lanes
        self.bounds = bounds
        self.startNanos = min(Self.startNanosUnseen, (coldStartNanos ?? .max) / 2)
    }

    /// Counts what an endpoint adds to the pool anew; returns its room.
    mutating func refresh(_ endpoint: inout Endpoint) -> Room {
        endpoint.typicalPrefill = self.ratio.meanPrefillTokens
        let share = self.share(of: endpoint)
        self.capacity -= endpoint.share
        self.capacity += share
        if self.capacity.open == 0 {
            self.capacity = PoolShare(starting: self.capacity.starting)
        }
        endpoint.share = share
        let room =
            endpoint.steps.isLearned
            ? endpoint.room(self.bounds, steps: endpoint.steps)
            : endpoint.room(self.bounds, steps: self.steps)
        if endpoint.place >= 0 { self.roomIndex.set(endpoint.place, room.left) }
        return room
    }

    /// What an endpoint adds to its pool.
    @inline(__always)
    func share(of endpoint: Endpoint) -> PoolShare {
        guard endpoint.isOpen else {
            return PoolShare(starting: endpoint.isOnItsWay ? 1 : 0)
        }
        let isLearned = endpoint.steps.isLearned
        let output = self.outputs.meanServed
        var slots = endpoint.sequencesMax(self.bounds)
        let context = self.ratio.meanPrefillTokens + output
        if self.bounds.contextTokensMax < Double(slots) * context {
            slots = max(1, Int(self.bounds.contextTokensMax / context))
        }
        let line = isLearned ? endpoint.steps.line : self.steps.line
        let window = endpoint.prefillWindow(self.bounds)
        // What really waits there: an engine that takes long prompts in no time has a window far
        // beyond it.
        let waiting = min(
            window,
            max(endpoint.limits.steeredPrefillTokens, Double(endpoint.ledger.prefillWaiting)))
        let firstToken = max(1_000_000, line.fixed + line.perToken * waiting)
        // With every slot taken steps are longer than they are now: by how much is known where
        // the limit is steered by the bound on them.
        let filled = Double(endpoint.ledger.inFlight) / Double(slots)
        var interToken =
            isLearned ? endpoint.steps.interTokenNanos : self.steps.interTokenNanos
        if let bound = self.bounds.interTokenNanos, filled < 0.7, !endpoint.limits.isSettled {
            interToken = max(interToken, min(Double(bound) * 0.7, interToken * 2))
        }
        let residence = firstToken + output * interToken
        return PoolShare(
            open: 1, slots: slots, inFlight: endpoint.ledger.inFlight + endpoint.ledger.foreign,
            slotRate: Double(slots) / residence, prefillRate: waiting / firstToken,
            prefillWindow: window, prefillWaiting: Double(endpoint.ledger.prefillWaiting))
    }

    /// The same pool with its lanes elsewhere.
    func moved(to lanes: Range<Int>) -> Pool {
        var pool = self
        pool.lanes = lanes
        return pool
    }
}

/// Capacity of one endpoint, or of a pool as their sum.
struct PoolShare: Sendable, Equatable {
    var open = 0
    /// Endpoints on their way.
    var starting = 0
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
        self.starting += sign * other.starting
        self.slots += sign * other.slots
        self.inFlight += sign * other.inFlight
        self.slotRate += Double(sign) * other.slotRate
        self.prefillRate += Double(sign) * other.prefillRate
        self.prefillWindow += Double(sign) * other.prefillWindow
        self.prefillWaiting += Double(sign) * other.prefillWaiting
    }
}
