package import Scaling
package import Time

/// What is under test in the twin as a scaler: the product's own or one of the field.
package protocol ReplicaPolicy: Sendable {
    /// Nanoseconds between two decisions.
    var intervalNanos: UInt64 { get }

    /// A request came to the front door, a first try.
    mutating func offer(_ request: OfferedRequest, now: Instant)

    /// So many nanoseconds of offered work were refused for want of capacity or served too late.
    mutating func missed(work: Double)

    /// A replica became ready so long after it was asked for.
    mutating func started(nanos: UInt64, now: Instant)

    /// How many replicas there should be, ready or on their way.
    mutating func target(_ fleet: FleetView, now: Instant) -> Int
}

extension ReplicaPolicy {
    /// The field does not look at the front door.
    package mutating func offer(_ request: OfferedRequest, now: Instant) {}

    /// Nor at who is refused there.
    package mutating func missed(work: Double) {}

    /// Nor does it learn what starting takes.
    package mutating func started(nanos: UInt64, now: Instant) {}
}

/// A request as it comes to the front door.
package struct OfferedRequest: Sendable, Hashable {
    /// Engine nanoseconds it takes.
    package var work: Double
    package var inputTokens: Int
    package var outputTokens: Int

    package init(work: Double, inputTokens: Int, outputTokens: Int) {
        self.work = work
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
    }
}

/// What a scaler sees of its fleet.
package struct FleetView: Sendable, Equatable {
    package var ready = 0
    /// When each replica that starts was asked for.
    package var starting: [Instant] = []
    /// Requests at engines and waiting at the gateway, now.
    package var inFlight = 0
    package var queued = 0
    /// At engines: prompt tokens without an answer, sequences that run, tokens in their KV caches.
    package var prefillWaiting = 0
    package var running = 0
    package var kvTokens = 0

    package init() {}

    /// Replicas that are meant to be there.
    package var replicas: Int { self.ready + self.starting.count }
}

/// The product's scaler behind the seam.
package struct ProductScaler {
    private var scaler: Scaler
    private var meter = DemandMeter(from: .zero)
    private var starts: [UInt64] = []
    private var missedWork = 0.0
    private let recorder: Recorder?
    package let intervalNanos: UInt64 = 5_000_000_000

    /// Is told every decision and what it was made of.
    package typealias Recorder = @Sendable (ScalingInput, ScalingDecision) -> Void

    package init(plan: ScalingPlan, replicas: Int, recorder: Recorder? = nil) {
        self.scaler = Scaler(plan: plan, replicas: replicas)
        self.recorder = recorder
    }
}

extension ProductScaler: ReplicaPolicy {
    package mutating func offer(_ request: OfferedRequest, now: Instant) {
        self.meter.offer(request.work, now: now)
    }

    package mutating func missed(work: Double) {
        self.missedWork += work
    }

    package mutating func started(nanos: UInt64, now: Instant) {
        self.starts.append(nanos)
    }

    package mutating func target(_ fleet: FleetView, now: Instant) -> Int {
        var input = ScalingInput(at: now, work: self.meter.take(now: now), ready: fleet.ready)
        input.missedWork = self.missedWork
        input.starts = self.starts
        input.starting = fleet.starting
        input.inFlight = fleet.inFlight
        input.queued = fleet.queued
        self.missedWork = 0
        self.starts = []
        let decision = self.scaler.decide(input)
        self.recorder?(input, decision)
        return decision.target
    }
}
