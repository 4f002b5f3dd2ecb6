import RequestPath
import Time

/// How long engines idled while work waited that could have been theirs: work of tenants at their
/// own limit is not. Nothing counts before the end of the warm-up.
struct IdleClock: Sendable {
    private var idleEngines = 0
    private var eligible = 0
    private var since: UInt64
    /// Engine nanoseconds.
    private(set) var totalNanos: UInt64 = 0
    private var waiting: [Int]
    private var flying: [Int]
    private let limits: [Int?]

    init(_ tenants: [TenantPlan], from start: UInt64) {
        since = start
        waiting = Array(repeating: 0, count: tenants.count)
        flying = waiting
        limits = tenants.map { $0.concurrency.map { Int($0) } }
    }

    mutating func idle(_ change: Int, now: Instant) {
        advance(to: now)
        idleEngines += change
    }

    /// Requests of a tenant began or ceased to wait at the gateway.
    mutating func wait(_ tenant: Int, _ change: Int, now: Instant) {
        advance(to: now)
        waiting[tenant] += change
        if !isHeld(tenant) { eligible += change }
    }

    /// Requests of a tenant began or ceased to be at engines.
    mutating func fly(_ tenant: Int, _ change: Int, now: Instant) {
        advance(to: now)
        let wasHeld = isHeld(tenant)
        flying[tenant] += change
        if wasHeld != isHeld(tenant) { eligible += wasHeld ? waiting[tenant] : -waiting[tenant] }
    }

    private func isHeld(_ tenant: Int) -> Bool {
        limits[tenant].map { flying[tenant] >= $0 } ?? false
    }

    /// Counts up to an instant; every change does.
    mutating func advance(to now: Instant) {
        guard now.nanos > since else { return }
        if idleEngines > 0, eligible > 0 {
            totalNanos += UInt64(idleEngines) * (now.nanos - since)
        }
        since = now.nanos
    }
}
