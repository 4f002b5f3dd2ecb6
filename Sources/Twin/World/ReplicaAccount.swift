import Time

/// What a run's replicas cost, and how its scaler moved them.
struct ReplicaAccount: Sendable {
    /// Replicas that are paid for: asked for and not gone.
    private var paid = 0
    private var since: UInt64
    /// Nanoseconds of a replica.
    private(set) var paidNanos = 0.0
    private(set) var changes: UInt64 = 0
    private(set) var turns: UInt64 = 0
    private var direction = 0
    private(set) var shortNanos: UInt64 = 0
    private var shortSince: Instant?
    /// Spells with too few ready, and how long they lasted.
    private var spells: UInt64 = 0
    private var spellNanos: UInt64 = 0
    private(set) var most = 0

    init(from start: UInt64) {
        since = start
    }

    mutating func pay(_ change: Int, now: Instant) {
        advance(to: now)
        paid += change
        most = max(most, paid)
    }

    mutating func advance(to now: Instant) {
        guard now.nanos > since else { return }
        paidNanos += Double(paid) * Double(now.nanos - since)
        since = now.nanos
    }

    /// The scaler changed its target.
    mutating func moved(by change: Int) {
        changes += 1
        if direction != 0, direction != change.signum() { turns += 1 }
        direction = change.signum()
    }

    /// Whether fewer replicas are ready than the work of the last `nanos` nanoseconds takes.
    mutating func judge(isShort: Bool, nanos: UInt64, now: Instant) {
        if isShort {
            shortNanos += nanos
            if shortSince == nil { shortSince = now }
        } else if let start = shortSince {
            spells += 1
            spellNanos += now.nanosSince(start)
            shortSince = nil
        }
    }

    /// Mean seconds from the first lack to enough; nil without one that ended.
    var secondsToCapacity: Double? {
        spells == 0 ? nil : Double(spellNanos) / Double(spells) / 1e9
    }
}
