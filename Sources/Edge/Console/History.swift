import Gateway
import RequestPath
import Telemetry

/// The last five minutes, a point a second, of counts that only grow: what happened between two
/// points is their difference.
struct History {
    /// Counts of one model and class at a moment.
    struct GroupPoint {
        var plan: GroupPlan
        var counts: ConsoleState.Counts
        var refusedEarly: [UInt64]
        var refusedLate: [UInt64]
        var failedByKind: [UInt64]
        var degraded: [UInt64]
        var inside: [GroupCounters.Inside]
    }

    /// One moment.
    struct Point {
        /// Wall clock, milliseconds since 1970.
        var unixMillis: UInt64
        var groups: [GroupPoint]
        /// Of all groups together.
        var counts: ConsoleState.Counts
        /// Time of all requests that ended, in the gateway's queues and at engines.
        var queueNanos: UInt64
        var computeNanos: UInt64
        var ended: UInt64
        /// Waiting now.
        var queued: Int
    }

    static let pointsMax = 301
    private(set) var points: [Point] = []

    mutating func add(_ view: GatewayView) {
        if self.points.count == Self.pointsMax { self.points.removeFirst() }
        self.points.append(Point(view))
    }

    var latest: Point? { self.points.last }

    /// What happened to a group within the window; everything where it was not known before.
    func window(of now: GroupPoint) -> GroupPoint {
        let before = self.points.first?.groups.first {
            $0.plan.model == now.plan.model && $0.plan.className == now.plan.className
        }
        return before.map { now.since($0) } ?? now
    }
}

extension History.GroupPoint {
    init(_ group: GroupCounters) {
        self.init(
            plan: group.plan,
            counts: ConsoleState.Counts(
                offered: group.offered, good: group.good, completed: group.completed,
                refused: group.refused, failed: group.failedTotal, abandoned: group.abandoned,
                degraded: group.degradedTotal),
            refusedEarly: group.refusedEarly, refusedLate: group.refusedLate,
            failedByKind: group.failed, degraded: group.degraded, inside: group.inside)
    }

    /// The difference to an earlier point; what was judged by other bounds then counts from zero.
    func since(_ before: Self) -> Self {
        var now = self
        now.counts -= before.counts
        Self.subtract(before.refusedEarly, from: &now.refusedEarly)
        Self.subtract(before.refusedLate, from: &now.refusedLate)
        Self.subtract(before.failedByKind, from: &now.failedByKind)
        Self.subtract(before.degraded, from: &now.degraded)
        guard before.plan.objectives == now.plan.objectives else {
            now.counts.good = self.counts.good
            return now
        }
        for index in now.inside.indices where index < before.inside.count {
            let then = before.inside[index]
            now.inside[index].inside -= min(now.inside[index].inside, then.inside)
            now.inside[index].total -= min(now.inside[index].total, then.total)
        }
        return now
    }

    private static func subtract(_ before: [UInt64], from now: inout [UInt64]) {
        for index in now.indices where index < before.count {
            now[index] -= min(now[index], before[index])
        }
    }
}

extension History.Point {
    init(_ view: GatewayView) {
        let groups = view.counters.groups
        let points = groups.map { History.GroupPoint($0) }
        self.init(
            unixMillis: WallClock.unixNanos() / 1_000_000, groups: points,
            counts: .sum(points.map(\.counts)),
            queueNanos: groups.reduce(0) { $0 &+ $1.stages[Stage.queue.rawValue].sumNanos },
            computeNanos: groups.reduce(0) {
                $0 &+ $1.stages[Stage.engine.rawValue].sumNanos
                    &+ $1.stages[Stage.decode.rawValue].sumNanos
            },
            ended: groups.reduce(0) { $0 + $1.completed + $1.failedTotal },
            queued: view.classes.reduce(0) { $0 + ($1?.queuedRequests ?? 0) })
    }
}
