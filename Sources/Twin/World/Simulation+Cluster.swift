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
        var nodes: Nodes?
        /// Engine nanoseconds of work that came since the scaler was last asked.
        var work = 0.0

        /// Nanoseconds of a GPU that are paid for: of whole nodes where they are told apart.
        func gpuNanos(gpusPerReplica: Int) -> Double {
            guard let nodes, let pool = cluster.nodes else {
                return account.paidNanos * Double(gpusPerReplica)
            }
            return nodes.paidNanos * Double(pool.gpusPerNode)
        }
    }

    /// Begins to pay for what is there and sets the scaler's clock.
    mutating func beginScaling(by cluster: Cluster) {
        guard let scaler = cluster.makeScaler(scenario) else { return }
        var fleet = Fleet(
            cluster: cluster, scaler: scaler, random: chance.fork(),
            account: ReplicaAccount(from: scenario.warmUpNanos))
        fleet.account.pay(scenario.pools[scenario.model.raw].replicas, now: now)
        if let pool = cluster.nodes {
            fleet.nodes = Nodes(pool, from: scenario.warmUpNanos)
            for index in endpoints.indices where endpoints[index].model == scenario.model.raw {
                let place = fleet.nodes?.place(
                    now: now.nanos, random: &fleet.random, isThere: true)
                endpoints[index].node = place?.node
            }
        }
        heap.add(.scale, at: now.nanos + scaler.intervalNanos)
        self.fleet = fleet
    }

    /// A client asks for the first time.
    mutating func offerToScaler(_ slot: Int) {
        guard fleet != nil else { return }
        let work = workWanted(slot)
        fleet?.work += work
        fleet?.scaler.offer(
            OfferedRequest(
                work: work, inputTokens: live[slot].arrival.inputTokens,
                outputTokens: live[slot].outputWanted), now: now)
    }

    /// A client's first try was refused.
    mutating func refusalToScaler(_ slot: Int, _ refusal: Refusal) {
        guard fleet != nil, live[slot].tries == 1 else { return }
        switch refusal.reason {
        case .saturated, .queueFull, .noCapacity:
            let work = workWanted(slot)
            fleet?.scaler.missed(work: work)
        case .rateLimited, .infeasible, .tooLong: break
        }
    }

    /// A request is over that was let in at once: its first token may have come too late.
    mutating func latenessToScaler(_ slot: Int, boundNanos: UInt64) {
        guard fleet != nil, live[slot].tries == 1, let first = live[slot].firstTokenAt,
            first.nanosSince(live[slot].offeredAt) > boundNanos
        else { return }
        let work = workWanted(slot)
        fleet?.scaler.missed(work: work)
    }

    private func workWanted(_ slot: Int) -> Double {
        account.measure.nanos(
            inputTokens: live[slot].arrival.inputTokens, outputTokens: live[slot].outputWanted
        ).total
    }

    /// Asks the scaler and does what it says.
    mutating func scale() {
        guard var fleet = self.fleet else { return }
        let interval = fleet.scaler.intervalNanos
        heap.add(.scale, at: now.nanos + interval)
        let view = fleetView
        let needed = fleet.work / Double(interval) / fleet.cluster.plan.workPerReplica
        fleet.account.judge(ready: view.ready, needed: needed, nanos: interval, now: now)
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
        let engine = scenario.pools[scenario.model.raw].engine
        let kvTokens = engine.kvBlocks * engine.blockTokens
        for endpoint in endpoints where endpoint.model == scenario.model.raw {
            switch endpoint.life {
            case .ready:
                view.ready += 1
                view.prefillWaiting += endpoint.prefillWaiting
                let gauges = endpoint.engine.gauges
                view.running += gauges.running
                view.kvTokens += Int(gauges.kvUsage * Double(kvTokens))
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
        var beginsAt = now.nanos
        var node: Int?
        if fleet.nodes != nil {
            // The pool is full: the scaler asks again.
            guard let place = fleet.nodes?.place(now: now.nanos, random: &fleet.random) else {
                fleet.account.refused += 1
                self.fleet = fleet
                return
            }
            (node, beginsAt) = (place.node, place.startsAt)
        }
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
        endpoints[index].node = node
        endpoints[index].isDown = true
        endpoints[index].life = .starting(asked: now)
        fleet.account.pay(1, now: now)
        let lead = fleet.cluster.lead.draw(&fleet.random)
        heap.add(
            .replicaReady(endpoint: Int32(index), epoch: epoch),
            at: Instant(nanos: beginsAt).advanced(byNanos: lead).nanos)
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
        if let node = endpoints[index].node { fleet?.nodes?.leave(node, now: now.nanos) }
        endpoints[index].node = nil
    }
}
