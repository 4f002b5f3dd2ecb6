package import Scaling
package import Time

/// What is under test in the twin as a scaler: the product's own or one of the field.
package protocol ReplicaPolicy: Sendable {
    /// Nanoseconds between two decisions.
    var intervalNanos: UInt64 { get }

    /// A request came to the front door, a first try, and asks for so much of a replica's time.
    mutating func offer(work: Double, now: Instant)

    /// A replica became ready so long after it was asked for.
    mutating func started(nanos: UInt64, now: Instant)

    /// How many replicas there should be, ready or on their way.
    mutating func target(_ fleet: FleetView, now: Instant) -> Int
}

extension ReplicaPolicy {
    /// The field does not look at the front door.
    package mutating func offer(work: Double, now: Instant) {}

    /// Nor does it learn what starting takes.
    package mutating func started(nanos: UInt64, now: Instant) {}
}

/// What a scaler sees of its fleet.
package struct FleetView: Sendable, Equatable {
    package var ready = 0
    /// When each replica that starts was asked for.
    package var starting: [Instant] = []
    /// Requests at engines and waiting at the gateway, now.
    package var inFlight = 0
    package var queued = 0

    package init() {}

    /// Replicas that are meant to be there.
    package var replicas: Int { self.ready + self.starting.count }
}

/// The product's scaler behind the seam.
package struct ProductScaler {
    private var scaler: Scaler
    package let intervalNanos: UInt64 = 5_000_000_000

    package init(plan: ScalingPlan, replicas: Int) {
        self.scaler = Scaler(plan: plan, replicas: replicas)
    }
}

extension ProductScaler: ReplicaPolicy {
    package mutating func offer(work: Double, now: Instant) {
        self.scaler.offer(work: work, now: now)
    }

    package mutating func started(nanos: UInt64, now: Instant) {
        self.scaler.lead.learn(nanos: nanos, now: now)
    }

    package mutating func target(_ fleet: FleetView, now: Instant) -> Int {
        self.scaler.decide(
            Scaler.Supply(ready: fleet.ready, starting: fleet.starting), now: now
        ).target
    }
}
