package import Time

/// The horizontal pod autoscaler, `autoscaling/v2`, on requests in flight and queued for each
/// replica: `ceil(sum / target)` outside a tolerance of a tenth; up at most to the double or by
/// four in 15 s, down to the highest of the last 300 s.
package struct HorizontalScaler {
    package let intervalNanos: UInt64 = 15_000_000_000
    private let perReplica: Double
    private let bounds: ClosedRange<Int>
    private var wishes: [(at: Instant, count: Int)] = []

    private static let tolerance = 0.1
    private static let stabilizationNanos: UInt64 = 300_000_000_000

    package init(perReplica: Double, bounds: ClosedRange<Int>) {
        self.perReplica = perReplica
        self.bounds = bounds
    }
}

extension HorizontalScaler: ReplicaPolicy {
    package mutating func target(_ fleet: FleetView, now: Instant) -> Int {
        let current = max(1, fleet.replicas)
        let sum = Double(fleet.inFlight + fleet.queued)
        let ratio = sum / (self.perReplica * Double(current))
        var wish = current
        if abs(1 - ratio) > Self.tolerance { wish = Int((sum / self.perReplica).rounded(.up)) }
        wish = min(wish, max(current * 2, current + 4))
        wish = min(max(wish, self.bounds.lowerBound), self.bounds.upperBound)
        self.wishes.removeAll { now.nanosSince($0.at) > Self.stabilizationNanos }
        self.wishes.append((now, wish))
        return wish >= current ? wish : min(current, self.wishes.map(\.count).max() ?? wish)
    }
}

/// KEDA on the same figure: an HPA from one replica on; from zero it goes to one first, and to zero
/// 300 s after the last request.
package struct QueueScaler {
    package let intervalNanos: UInt64 = 15_000_000_000
    private var inner: HorizontalScaler
    private let bounds: ClosedRange<Int>
    private var lastActive = Instant.zero

    private static let cooldownNanos: UInt64 = 300_000_000_000

    package init(perReplica: Double, bounds: ClosedRange<Int>) {
        self.inner = HorizontalScaler(
            perReplica: perReplica, bounds: max(1, bounds.lowerBound)...bounds.upperBound)
        self.bounds = bounds
    }
}

extension QueueScaler: ReplicaPolicy {
    package mutating func offer(_ request: OfferedRequest, now: Instant) {
        self.lastActive = now
    }

    package mutating func target(_ fleet: FleetView, now: Instant) -> Int {
        if fleet.replicas == 0 {
            return fleet.queued > 0 ? max(1, self.bounds.lowerBound) : self.bounds.lowerBound
        }
        if self.bounds.lowerBound == 0, fleet.inFlight + fleet.queued == 0,
            now.nanosSince(self.lastActive) > Self.cooldownNanos
        {
            return 0
        }
        return self.inner.target(fleet, now: now)
    }
}

/// Knative's pod autoscaler on concurrency: means over 60 s and 6 s every 2 s, panic at twice what
/// the ready can take, a thousandfold up and by half down in one step.
package struct ConcurrencyScaler {
    package let intervalNanos: UInt64 = 2_000_000_000
    private let perReplica: Double
    private let bounds: ClosedRange<Int>
    private var seen: [Double] = []
    private var panicSince: Instant?
    private var panicMost = 0

    private static let stable = 30
    private static let panic = 3
    private static let panicThreshold = 2.0
    private static let stableNanos: UInt64 = 60_000_000_000

    package init(perReplica: Double, bounds: ClosedRange<Int>) {
        self.perReplica = perReplica
        self.bounds = bounds
    }
}

extension ConcurrencyScaler: ReplicaPolicy {
    package mutating func target(_ fleet: FleetView, now: Instant) -> Int {
        self.seen.append(Double(fleet.inFlight + fleet.queued))
        if self.seen.count > Self.stable { self.seen.removeFirst() }
        let ready = max(1, fleet.ready)
        let stable = self.wish(over: Self.stable, ready)
        let panic = self.wish(over: Self.panic, ready)
        if Double(panic) / Double(ready) >= Self.panicThreshold {
            self.panicSince = now
        } else if let since = self.panicSince, now.nanosSince(since) > Self.stableNanos {
            self.panicSince = nil
            self.panicMost = 0
        }
        var wish = stable
        if self.panicSince != nil {
            self.panicMost = max(self.panicMost, panic, fleet.ready)
            wish = self.panicMost
        }
        return min(max(wish, self.bounds.lowerBound), self.bounds.upperBound)
    }

    private func wish(over count: Int, _ ready: Int) -> Int {
        let window = self.seen.suffix(count)
        let mean = window.reduce(0, +) / Double(max(1, window.count))
        let wish = Int((mean / self.perReplica).rounded(.up))
        return min(max(wish, ready / 2), ready * 1_000)
    }
}

/// A ratio scaler without a guard for what is pending, as APA: `ceil(replicas * use / target)` on
/// the load of those that are ready, at most the double up and the half down every 10 s, down after
/// 300 s.
package struct RatioScaler {
    package let intervalNanos: UInt64 = 10_000_000_000
    private let perReplica: Double
    private let bounds: ClosedRange<Int>
    private var lastAbove = Instant.zero

    private static let tolerance = 0.1
    private static let cooldownNanos: UInt64 = 300_000_000_000

    package init(perReplica: Double, bounds: ClosedRange<Int>) {
        self.perReplica = perReplica
        self.bounds = bounds
    }
}

extension RatioScaler: ReplicaPolicy {
    package mutating func target(_ fleet: FleetView, now: Instant) -> Int {
        let current = max(1, fleet.replicas)
        let use = Double(fleet.inFlight + fleet.queued) / Double(max(1, fleet.ready))
        let ratio = use / self.perReplica
        var wish = current
        if ratio > 1 + Self.tolerance {
            wish = min(Int((Double(current) * ratio).rounded(.up)), current * 2)
        } else if ratio < 1 - Self.tolerance {
            wish = max(Int((Double(current) * ratio).rounded(.up)), current / 2)
        }
        if wish >= current { self.lastAbove = now }
        if wish < current, now.nanosSince(self.lastAbove) < Self.cooldownNanos { wish = current }
        return min(max(wish, self.bounds.lowerBound), self.bounds.upperBound)
    }
}
