import Time

/// One engine endpoint: its ledger, its limits, what it has taught, and its health.
struct Endpoint: Sendable {
    /// False before it is added and after it is forgotten.
    var isKnown = true
    let model: Int
    /// Its place in the pool's list; -1 while it is in none.
    var place = -1
    var ledger = TokenLedger()
    var limits = RoomLimits()
    var steps = StepModel()
    /// Mean prefill tokens of the pool's prompts, as of the endpoint's last change.
    var typicalPrefill = 0.0
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

    /// Added, not ready yet and staying.
    var isOnItsWay: Bool {
        self.isKnown && !self.isLeaving && self.health.state == .starting
    }

    /// Work may be sent, room aside.
    var isOpen: Bool { self.isKnown && self.health.isOpen && !self.isLeaving }

    /// Sequences it may hold under the model's bounds.
    func sequencesMax(_ bounds: EngineBounds) -> Int {
        if self.health.state == .halfOpen { return 1 }
        return max(1, min(Int(self.limits.sequences), bounds.sequencesMax))
    }

    /// Prefill tokens that may wait there: as the limits have learned, two usual prompts at least,
    /// or long prompts would never go where their beginning is cached; inside the plan.
    @inline(__always)
    func prefillWindow(_ bounds: EngineBounds) -> Double {
        min(
            max(self.limits.prefillTokens, 2 * self.typicalPrefill), self.prefillOfPlan(bounds))
    }

    /// Prefill tokens that may wait there inside the plan, the engine's limits aside.
    @inline(__always)
    private func prefillOfPlan(_ bounds: EngineBounds) -> Double {
        bounds.prefillTokensMax(self.steps.line, least: RoomLimits.prefillTokensMin)
    }

    /// Prefill tokens that wait there and are not believed to be computed yet.
    func prefillLeft(_ steps: StepModel, now: Instant) -> UInt32 {
        let done =
            Double(now.nanosSince(self.ledger.computingSince)) / max(1, steps.line.perToken)
        return UInt32(saturating: max(0, Double(self.ledger.prefillWaiting) - done))
    }

    /// What it may be sent now.
    @inline(__always)
    func room(_ bounds: EngineBounds, steps: StepModel) -> Room {
        guard self.isOpen, self.busyUntil == .zero else { return Room() }
        let line = steps.line
        var room = Room()
        room.penaltyNanos = Double(self.health.recentFailures) * 1e9
        room.wantsTrial = self.health.state == .halfOpen
        room.isIdle = self.ledger.isIdle
        room.sequences =
            self.sequencesMax(bounds) - self.ledger.inFlight - self.ledger.foreign
        room.contextTokens = bounds.contextTokensMax - self.ledger.contextTokens
        if self.ledger.prefillWaiting == 0 {
            room.prefillTokens = .max
            room.prefillTokensOfPlan = .max
        } else {
            room.prefillTokens = Int(self.prefillWindow(bounds)) - self.ledger.prefillWaiting
            room.prefillTokensOfPlan =
                Int(min(self.prefillOfPlan(bounds), 1e9)) - self.ledger.prefillWaiting
        }
        room.firstTokenNanos = line.fixed
        room.waitingNanos = line.perToken * Double(self.ledger.prefillWaiting)
        room.computingSince = self.ledger.computingSince
        room.perPrefillTokenNanos = line.perToken
        // Half of a step is taken to grow with the batch.
        let filled = Double(self.ledger.inFlight + 1) / Double(self.sequencesMax(bounds))
        room.perOutputTokenNanos = steps.interTokenNanos * (0.5 + 0.5 * filled)
        return room
    }
}
