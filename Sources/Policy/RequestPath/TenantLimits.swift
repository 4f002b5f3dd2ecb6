import Time

/// One tenant's written limits, as buckets that refill continuously and hold one minute's worth.
struct TenantLimits: Sendable {
    private var requests: Bucket?
    private var tokens: Bucket?
    let concurrency: Int?
    /// Requests of the tenant at engines.
    var inFlight = 0

    init(plan: TenantPlan) {
        self.requests = plan.requestsPerMinute.map { Bucket(perMinute: Double($0)) }
        self.tokens = plan.tokensPerMinute.map { Bucket(perMinute: Double($0)) }
        self.concurrency = plan.concurrency.map { Int($0) }
    }

    /// The same tenant under a changed plan: what is used stays used.
    func replanned(_ plan: TenantPlan) -> TenantLimits {
        var limits = TenantLimits(plan: plan)
        limits.inFlight = self.inFlight
        limits.requests?.carry(self.requests)
        limits.tokens?.carry(self.tokens)
        return limits
    }

    /// No further request may be sent to an engine now.
    var isHeld: Bool { self.concurrency.map { self.inFlight >= $0 } ?? false }

    /// Nanoseconds until one request of `tokens` is allowed; 0 is now. Spends nothing.
    mutating func wait(tokens: Double, now: Instant) -> UInt64 {
        max(
            self.requests?.wait(1, now: now) ?? 0,
            self.tokens?.wait(tokens, now: now) ?? 0)
    }

    mutating func spend(tokens: Double) {
        self.requests?.level -= 1
        self.tokens?.level -= tokens
    }

    /// Tokens used turned out to be `delta` more than spent; negative gives back.
    mutating func settle(tokensDelta delta: Double) {
        self.tokens?.level -= delta
    }

    private struct Bucket: Sendable {
        let size: Double
        var level: Double
        var at = Instant.zero

        init(perMinute: Double) {
            self.size = max(1, perMinute)
            self.level = self.size
        }

        mutating func carry(_ old: Bucket?) {
            guard let old else { return }
            self.level = min(self.size, self.size - (old.size - old.level))
            self.at = old.at
        }

        /// One that is larger than the whole bucket passes when the bucket is full, into debt.
        mutating func wait(_ amount: Double, now: Instant) -> UInt64 {
            let perNano = self.size / 60e9
            self.level = min(
                self.size, self.level + Double(now.nanosSince(self.at)) * perNano)
            self.at = now
            let missing = min(amount, self.size) - self.level
            return missing > 1e-6 ? UInt64(missing / perNano) + 1 : 0
        }
    }
}
