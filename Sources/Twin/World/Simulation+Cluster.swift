import EngineModel
import RequestPath
import Scalers
import Scaling
import Statistics
import Time
import Workload

/// Replicas of the model asked for come and go as a scaler decides.
extension Simulation {
    /// A scaler and what it moves.
    struct Fleet: Sendable {
        let cluster: Cluster
        var scaler: any ReplicaPolicy
        var random: SeededRandom
        var account: ReplicaAccount
        /// Engine nanoseconds of work that came since the scaler was last asked.
        var work = 0.0
    }

    /// Begins to pay for what is there and sets the scaler's clock.
    mutating func beginScaling(by cluster: Cluster) {
        let replicas = scenario.pools[scenario.model.raw].replicas
        guard let scaler = cluster.makeScaler(replicas: replicas) else { return }
        var fleet = Fleet(
            cluster: cluster, scaler: scaler, random: chance.fork(),
            account: ReplicaAccount(from: scenario.warmUpNanos))
        fleet.account.pay(replicas, now: now)
        heap.add(.scale, at: now.nanos + scaler.intervalNanos)
        self.fleet = fleet
    }

    /// A client asks for the first time.
    mutating func offerToScaler(_ slot: Int) {
        guard let perReplica = fleet?.cluster.workPerReplica else { return }
        let work = account.measure.nanos(
            inputTokens: live[slot].arrival.inputTokens, outputTokens: live[slot].outputWanted
        ).total
        fleet?.work += work
        fleet?.scaler.offer(work: work / perReplica, now: now)
    }

    /// Asks the scaler and does what it says.
    mutating func scale() {
        guard var fleet = self.fleet else { return }
        let interval = fleet.scaler.intervalNanos
        heap.add(.scale, at: now.nanos + interval)
        let view = fleetView
        let needed = fleet.work / Double(interval) / fleet.cluster.workPerReplica
        fleet.account.judge(isShort: Double(view.ready) < needed, nanos: interval, now: now)
        fleet.work = 0
        let plan = fleet.cluster.plan
        let target = min(
            max(fleet.scaler.target(view, now: now), plan.replicasMin), plan.replicasMax)
        let change = target - view.replicas
        if change != 0 { fleet.account.moved(by: change) }
        self.fleet = fleet
        if change > 0 { for _ in 0..<change { startReplica() } }
        if change < 0 { dropReplicas(-change) }
    }

    private var fleetView: FleetView {
        var view = FleetView()
        for endpoint in endpoints where endpoint.model == scenario.model.raw {
            switch endpoint.life {
            case .ready: view.ready += 1
            case .starting(let asked): view.starting.append(asked)
            case .draining, .gone: break
            }
        }
        for slot in live.slots {
            if slot.phase == .atEngine { view.inFlight += 1 }
            if slot.phase == .waiting { view.queued += 1 }
        }
        return view
    }

    private mutating func startReplica() {
        guard var fleet = self.fleet else { return }
        let index: Int
        if let free = endpoints.firstIndex(where: {
            $0.life == .gone && !$0.isWatched && $0.model == scenario.model.raw
        }) {
            index = free
        } else {
            index = endpoints.count
            endpoints.append(ModelEndpoint(model: scenario.model.raw, engine: freshEngine()))
        }
        let epoch = endpoints[index].epoch &+ 1
        endpoints[index] = ModelEndpoint(model: scenario.model.raw, engine: freshEngine())
        endpoints[index].epoch = epoch
        endpoints[index].isDown = true
        endpoints[index].life = .starting(asked: now)
        fleet.account.pay(1, now: now)
        let lead = fleet.cluster.lead.draw(&fleet.random)
        heap.add(
            .replicaReady(endpoint: Int32(index), epoch: epoch),
            at: now.advanced(byNanos: lead).nanos)
        self.fleet = fleet
        tell(.endpointAdded(EndpointID(raw: index), model: scenario.model, ready: false))
    }

    private func freshEngine() -> BatchingEngine {
        var configuration = scenario.pools[scenario.model.raw].engine
        configuration.tellsEvery = Self.tokensPerProgress
        return BatchingEngine(configuration: configuration, seed: scenario.seed)
    }

    mutating func replicaReady(_ index: Int, epoch: UInt32) {
        guard endpoints[index].epoch == epoch, case .starting(let asked) = endpoints[index].life
        else { return }
        fleet?.scaler.started(nanos: now.nanosSince(asked), now: now)
        endpoints[index].life = .ready
        endpoints[index].isDown = false
        refreshIdle(index)
        watch(index)
        tell(.endpointAdded(EndpointID(raw: index), model: scenario.model, ready: true))
    }

    /// Lets so many go: those that start, the youngest first, then those that have least to do.
    private mutating func dropReplicas(_ count: Int) {
        for _ in 0..<count {
            guard let index = leastMissed else { return }
            let wasStarting = endpoints[index].life != .ready
            endpoints[index].life = .draining
            tell(.endpointRemoved(EndpointID(raw: index)))
            if wasStarting || endpoints[index].hasNothing { retire(index) }
        }
    }

    private var leastMissed: Int? {
        var best: (index: Int, rank: UInt64)?
        for index in endpoints.indices where endpoints[index].model == scenario.model.raw {
            let rank: UInt64
            switch endpoints[index].life {
            case .starting(let asked): rank = .max / 2 - asked.nanos
            case .ready:
                let gauges = endpoints[index].engine.gauges
                rank = .max / 2 + 1 + UInt64(gauges.running + gauges.waiting)
            case .draining, .gone: continue
            }
            if rank < best?.rank ?? .max { best = (index, rank) }
        }
        return best?.index
    }

    /// A replica that was let go has nothing left to do.
    mutating func retire(_ index: Int) {
        endpoints[index].life = .gone
        endpoints[index].isDown = true
        endpoints[index].epoch &+= 1
        refreshIdle(index)
        fleet?.account.pay(-1, now: now)
    }
}
