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
    private(set) var timeline = ReplicaTimeline()
    /// Replicas that were asked for and found no GPU.
    var refused: UInt64 = 0

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

    /// So many replicas are ready and the work of the last `nanos` nanoseconds takes `needed`.
    mutating func judge(ready: Int, needed: Double, nanos: UInt64, now: Instant) {
        timeline.add(
            ReplicaTimeline.Point(
                seconds: Double(now.nanos) / 1e9, replicas: paid, ready: ready, needed: needed))
        if Double(ready) < needed {
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

/// Replicas over time, in a bounded number of points: where there are too many, neighbours become
/// one.
package struct ReplicaTimeline: Sendable, Hashable {
    /// A stretch of time.
    package struct Point: Sendable, Hashable, Encodable {
        /// Its end, in seconds of the run.
        package var seconds: Double
        /// Most replicas, ready or on their way.
        package var replicas: Int
        /// Fewest ready.
        package var ready: Int
        /// Most that the work took.
        package var needed: Double
    }

    package private(set) var points: [Point] = []
    /// Samples that make a point, and those of the last one so far.
    private var width = 1
    private var filled = 0

    private static let most = 240

    mutating func add(_ point: Point) {
        if filled == 0 || filled == width {
            if points.count == Self.most {
                points = stride(from: 0, to: Self.most, by: 2).map {
                    Self.joined(points[$0], points[$0 + 1])
                }
                width *= 2
            }
            points.append(point)
            filled = 1
        } else {
            points[points.count - 1] = Self.joined(points[points.count - 1], point)
            filled += 1
        }
    }

    private static func joined(_ left: Point, _ right: Point) -> Point {
        Point(
            seconds: right.seconds, replicas: max(left.replicas, right.replicas),
            ready: min(left.ready, right.ready), needed: max(left.needed, right.needed))
    }
}
