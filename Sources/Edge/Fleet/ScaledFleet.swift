package import Budget
package import Gateway
import RequestPath
package import Scaling
package import Time

/// The replicas of one model, which come and go as the scaler decides.
///
/// Driven by whoever owns it, on one thread: `turn` a few times a second, and where it says so the
/// endpoints put in force. A replica that goes takes no new work, finishes what it has, and ends.
package final class ScaledFleet {
    /// A replica, from its being asked for to its end.
    private struct Replica {
        var endpoint: EngineEndpoint
        var asked: Instant
        var life = Life.starting

        enum Life { case starting, ready, draining }
    }

    package let plan: ScalingPlan
    private let model: String
    private let host: any EngineHost
    private let log: DecisionLog?
    private var scaler: Scaler
    private var meter: DemandMeter
    private var replicas: [Replica] = []
    private var seen = FrontDoor()
    private var starts: [UInt64] = []
    private var nextDecision: Instant
    /// Since when requests wait where there is no replica.
    private var awaitedSince: Instant?
    private var missedWork = 0.0
    private var paidSince: Instant
    private var paidNanos = 0.0
    /// Decisions that changed something, the latest last; at most `recentMax`.
    package private(set) var recent: [ScalingDecision] = []
    /// The latest decision, of whatever kind.
    package private(set) var last: ScalingDecision?
    package private(set) var decisions: UInt64 = 0
    /// Of them, those for more and those for fewer.
    package private(set) var ups: UInt64 = 0
    package private(set) var downs: UInt64 = 0
    /// Why the last replica asked for could not be had.
    package private(set) var trouble: String?

    package static let recentMax = 50
    private let intervalNanos: UInt64
    /// With no replica a rate is looked at for so long before it is answered.
    private static let lookNanos: UInt64 = 2_000_000_000

    /// Nobody is there yet; `begin` asks for those that are always kept.
    ///
    /// - Parameter intervalNanos: between two decisions.
    package init(
        model: String, plan: ScalingPlan, host: any EngineHost, log: DecisionLog?, now: Instant,
        intervalNanos: UInt64 = 5_000_000_000
    ) {
        self.model = model
        self.plan = plan
        self.host = host
        self.log = log
        self.scaler = Scaler(plan: plan, replicas: plan.replicasMin)
        self.meter = DemandMeter(from: now)
        self.intervalNanos = intervalNanos
        self.nextDecision = now.advanced(byNanos: intervalNanos)
        self.paidSince = now
    }

    /// Asks for the warm floor.
    package func begin(now: Instant) throws {
        for _ in 0..<self.plan.replicasMin { try self.start(now: now) }
    }

    /// Where there are replicas that take work or will.
    package var endpoints: [EngineEndpoint] {
        self.replicas.filter { $0.life != .draining }.map(\.endpoint)
    }

    /// When each of those that start was asked for.
    package var startingSince: [Instant] {
        self.replicas.filter { $0.life == .starting }.map(\.asked)
    }

    package var readyCount: Int { self.replicas.count { $0.life == .ready } }
    package var drainingCount: Int { self.replicas.count { $0.life == .draining } }

    /// Replica-seconds since the start, each from its being asked for to its end.
    package func replicaSeconds(now: Instant) -> Double {
        (self.paidNanos + Double(self.replicas.count) * Double(now.nanosSince(self.paidSince)))
            / 1e9
    }

    /// Looks at the gateway, and decides where it is time; whether `endpoints` have changed.
    package func turn(_ core: GatewayCore, now: Instant) throws(DecisionLogFault) -> Bool {
        let before = self.endpoints
        self.pay(to: now)
        let view = self.view(core)
        self.take(view, now: now)
        if view.isAwaited, self.endpoints.isEmpty {
            // Soon, and not at once: who waits alone says nothing of how many come.
            if self.awaitedSince == nil {
                self.awaitedSince = now
                self.nextDecision = now.advanced(byNanos: Self.lookNanos)
            }
        } else {
            self.awaitedSince = nil
        }
        if now >= self.nextDecision {
            self.nextDecision = now.advanced(byNanos: self.intervalNanos)
            try self.decide(view, now: now)
        }
        return self.endpoints != before
    }

    // MARK: What there is

    /// What the gateway knows of the model.
    private struct View {
        var frontDoor = FrontDoor()
        var inFlight = 0
        var queued = 0
        var isAwaited = false
        /// By endpoint; those that are forgotten are not in it.
        var gauges: [EngineEndpoint: EndpointGauges] = [:]
    }

    private func view(_ core: GatewayCore) -> View {
        let config = core.currentConfig
        guard let index = config.models.firstIndex(where: { $0.spec.name == self.model }) else {
            return View()
        }
        let id = ModelID(raw: index)
        let places = config.endpoints.indices.filter { config.endpoints[$0].model == id }
        var view = View()
        let gauges: [EndpointGauges?]
        (view.frontDoor, view.inFlight, view.queued, view.isAwaited, gauges) = core.inspect {
            admission in
            let live = admission.liveRequests(of: id)
            return (
                admission.frontDoor(of: id), live.inFlight, live.queued, admission.isAwaited(id),
                places.map { admission.gauges(of: EndpointID(raw: $0)) }
            )
        }
        for (place, gauges) in zip(places, gauges) {
            view.gauges[config.endpoints[place].engine] = gauges
        }
        return view
    }

    private func take(_ view: View, now: Instant) {
        let offered = view.frontDoor.offeredNanos - self.seen.offeredNanos
        self.meter.offer(offered, now: now)
        self.missedWork += view.frontDoor.missedNanos - self.seen.missedNanos
        self.seen = view.frontDoor
        for index in self.replicas.indices.reversed() {
            let replica = self.replicas[index]
            let gauges = view.gauges[replica.endpoint]
            if replica.life == .starting, gauges?.isOpen == true {
                self.replicas[index].life = .ready
                self.starts.append(now.nanosSince(replica.asked))
            }
            let isDone = replica.life == .draining && gauges == nil
            if isDone || !self.host.isAlive(replica.endpoint) {
                self.host.stop(replica.endpoint)
                self.replicas.remove(at: index)
            }
        }
    }

    private func pay(to now: Instant) {
        self.paidNanos += Double(self.replicas.count) * Double(now.nanosSince(self.paidSince))
        self.paidSince = now
    }

    // MARK: Decisions

    private func decide(_ view: View, now: Instant) throws(DecisionLogFault) {
        var input = ScalingInput(
            at: now, work: self.meter.take(now: now), ready: self.readyCount)
        input.missedWork = self.missedWork
        input.starts = self.starts
        input.starting = self.startingSince
        input.inFlight = view.inFlight
        input.queued = view.queued
        self.missedWork = 0
        self.starts = []
        let decision = self.scaler.decide(input)
        self.decisions += 1
        self.last = decision
        try self.log?.add(DecisionRecord(input: input, decision: decision))
        guard decision.target != decision.current else { return }
        self.recent.append(decision)
        if self.recent.count > Self.recentMax { self.recent.removeFirst() }
        if decision.target > decision.current {
            self.ups += 1
            self.grow(by: decision.target - decision.current, now: now)
        } else {
            self.downs += 1
            self.shrink(by: decision.current - decision.target, view)
        }
    }

    private func grow(by count: Int, now: Instant) {
        do {
            for _ in 0..<count { try self.start(now: now) }
            self.trouble = nil
        } catch {
            // The next decision asks again.
            self.trouble = "\(error)"
        }
    }

    private func start(now: Instant) throws {
        self.replicas.append(Replica(endpoint: try self.host.start(), asked: now))
    }

    /// Those that start go first, the youngest of them; then those with least to do.
    private func shrink(by count: Int, _ view: View) {
        for _ in 0..<count {
            let starting = self.replicas.lastIndex { $0.life == .starting }
            let idlest = self.replicas.indices.filter { self.replicas[$0].life == .ready }
                .min { self.inFlight($0, view) < self.inFlight($1, view) }
            guard let index = starting ?? idlest else { return }
            self.replicas[index].life = .draining
        }
    }

    private func inFlight(_ index: Int, _ view: View) -> Int {
        view.gauges[self.replicas[index].endpoint]?.inFlight ?? 0
    }
}
