import Scaling
import Statistics
import Time

/// Real replicas under a scaler, in virtual time: work comes, waits as a fluid, is served or
/// missed.
struct FluidFleet {
    var scaler: Scaler
    let plan: ScalingPlan
    let leadNanos: UInt64
    private(set) var ready: Int
    private(set) var starting: [Instant] = []
    private(set) var decisions: [ScalingDecision] = []
    /// What they were made of.
    private(set) var inputs: [ScalingInput] = []
    private var meter = DemandMeter(from: .zero)
    private var missedBefore = 0.0
    private var backlog = 0.0
    private var now = Instant.zero
    private(set) var offered = 0.0
    private(set) var missed = 0.0
    private(set) var replicaNanos = 0.0
    /// Missed work of the seconds in which fewer replicas were ready than a minute before.
    private(set) var missedAfterDown = 0.0
    private var lastDown: Instant?
    private var coldUntil: UInt64 = 0

    init(_ plan: ScalingPlan, replicas: Int, leadNanos: UInt64? = nil) {
        self.plan = plan
        self.scaler = Scaler(plan: plan, replicas: replicas)
        self.ready = replicas
        self.leadNanos = leadNanos ?? plan.leadNanos
    }

    var replicas: Int { self.ready + self.starting.count }

    /// Changes of direction: an up that follows a down, or a down that follows an up.
    var turns: Int {
        let moves = self.decisions.map { ($0.target - $0.current).signum() }.filter { $0 != 0 }
        return zip(moves, moves.dropFirst()).count { $0 != $1 }
    }

    /// A second passes in which requests come; the scaler decides every fifth.
    mutating func second(_ works: [Double]) {
        let start = self.now
        for (index, work) in works.enumerated() {
            let at = start.advanced(
                byNanos: UInt64(index) * 1_000_000_000 / UInt64(max(1, works.count)))
            self.meter.offer(work, now: at)
            self.backlog += work
            self.offered += work
        }
        self.now = start.advanced(byNanos: 1_000_000_000)
        let arrived = self.starting.count { self.now.nanosSince($0) >= self.leadNanos }
        self.starting.removeFirst(arrived)
        self.ready += arrived
        self.backlog = max(0, self.backlog - Double(self.ready) * 1e9)
        if self.ready == 0, !works.isEmpty, self.coldUntil < self.now.nanos {
            self.coldUntil = self.now.nanos + self.plan.coldStartNanos
        }
        let cold = self.coldUntil > self.now.nanos ? self.coldUntil - self.now.nanos : 0
        let patience =
            self.ready > 0
            ? Double(self.ready) * Double(max(self.plan.waitNanos, cold))
            : max(1, Double(self.starting.count)) * Double(self.plan.coldStartNanos)
        let late = max(0, self.backlog - patience)
        self.backlog -= late
        self.missed += late
        if let down = self.lastDown, self.now.nanosSince(down) < 300_000_000_000 {
            self.missedAfterDown += late
        }
        self.replicaNanos += Double(self.replicas) * 1e9
        if self.now.nanos / 1_000_000_000 % 5 == 0 { self.decide() }
    }

    private mutating func decide() {
        var input = ScalingInput(
            at: self.now, work: self.meter.take(now: self.now), ready: self.ready)
        input.missedWork = self.missed - self.missedBefore
        input.starting = self.starting
        self.missedBefore = self.missed
        let decision = self.scaler.decide(input)
        self.inputs.append(input)
        self.decisions.append(decision)
        if decision.target > self.replicas {
            self.starting += Array(
                repeating: self.now, count: decision.target - self.replicas)
        } else if decision.target < self.replicas {
            self.lastDown = self.now
            var left = self.replicas - decision.target
            while left > 0, !self.starting.isEmpty {
                self.starting.removeLast()
                left -= 1
            }
            self.ready -= left
        }
    }
}

/// Requests of a Poisson process: each of a mean of `work` replica-nanoseconds, exponential.
struct PoissonWork {
    private var random: SeededRandom
    let meanWork: Double

    init(seed: UInt64, meanWork: Double = 0.4e9) {
        self.random = SeededRandom(seed: seed)
        self.meanWork = meanWork
    }

    /// A second's requests that keep `level` replicas busy.
    mutating func second(level: Double) -> [Double] {
        var works: [Double] = []
        var at = self.random.exponential(mean: self.meanWork / (level * 1e9))
        while at < 1 {
            works.append(self.random.exponential(mean: self.meanWork))
            at += self.random.exponential(mean: self.meanWork / (level * 1e9))
        }
        return works
    }
}
