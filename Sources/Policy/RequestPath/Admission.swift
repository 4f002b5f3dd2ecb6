package import Time

/// Decides, for every request, whether, when and where it is served: the load line itself.
///
/// A pure function of its events: the same events at the same instants give the same actions.
package struct Admission: Sendable {
    var plan: Plan
    var slab = RequestSlab(capacity: Self.startCapacity)
    var timers = DeadlineHeap(capacity: Self.startCapacity)
    var queues: ClassQueues
    var pools: [Pool]
    var tenants: [TenantLimits]
    /// Indexed by `EndpointID`; some may be unknown.
    var endpoints: [Endpoint] = []
    /// Room of each endpoint, kept apart so that a choice reads little memory.
    var rooms: [Room] = []
    /// Probes due and ends of busy pauses, by endpoint.
    var endpointTimers = DeadlineHeap(capacity: 64)
    /// What endpoints were sent, and the blocks of each live request by slot.
    var prefixes = PrefixIndex(blocksMax: Self.prefixBlocksMax)
    var chains: [PrefixChain] = []
    var refusedLately = RefusedLately()
    var random: UInt64
    /// In this step a tenant met its concurrency limit or came off it: who is first in line may
    /// have changed in every model.
    var holdsChanged = false

    private static let startCapacity = 1024
    /// Blocks remembered of each endpoint: 8 million tokens of 512-token blocks, more than the KV
    /// cache of any one engine holds; 1 MB.
    private static let prefixBlocksMax = 16_384

    /// Holds `plan` from now on. `seed` spreads work over endpoints that are equal, and refused
    /// clients over time; nothing else depends on it.
    package init(plan: Plan, seed: UInt64) {
        self.plan = plan
        self.random = seed
        self.tenants = plan.tenants.map { TenantLimits(plan: $0) }
        (self.pools, self.queues) = Self.rooms(for: plan)
    }

    /// Takes one event and appends what must be done about it.
    ///
    /// - Complexity: O(log live requests + log endpoints of the model) for each request that is
    ///   sent or refused. O(endpoints of the model) where one fails or leaves, where none is open,
    ///   and at worst in a choice: see `pick`. No allocation once as many requests have been live
    ///   as ever will be, but while replicas start and work waits longer than a second.
    package mutating func step(_ event: Event, now: Instant, into actions: inout ActionBuffer) {
        switch event {
        case .arrive(let arrival):
            self.arrive(arrival, now: now, into: &actions)
        case .firstToken(let id):
            self.withSlot(id) { $0.firstToken($1, now: now, into: &actions) }
        case .progress(let id, let outputTokens):
            self.withSlot(id) {
                $0.progress($1, outputTokens: outputTokens, now: now, into: &actions)
            }
        case .finish(let id, let usage):
            self.withSlot(id) { $0.finish($1, usage: usage, now: now, into: &actions) }
        case .declined(let id):
            self.withSlot(id) { $0.declined($1, now: now, into: &actions) }
        case .attemptFailed(let id, let failure, let beforeFirstByte):
            self.withSlot(id) {
                $0.attemptFailed(
                    $1, failure, beforeFirstByte: beforeFirstByte, now: now, into: &actions)
            }
        case .hedgeWon(let id):
            self.withSlot(id) { $0.hedgeWon($1, now: now, into: &actions) }
        case .hedgeFailed(let id, let failure):
            self.withSlot(id) { $0.hedgeFailed($1, failure, now: now, into: &actions) }
        case .cancel(let id):
            self.withSlot(id) { $0.cancel($1, now: now, into: &actions) }
        case .endpointAdded(let id, let model, let ready):
            self.addEndpoint(id, model: model, ready: ready, now: now, into: &actions)
        case .endpointRemoved(let id):
            self.removeEndpoint(id, now: now, into: &actions)
        case .probed(let id, let healthy):
            self.probed(id, healthy: healthy, now: now, into: &actions)
        case .scraped(let id, let gauges):
            self.scraped(id, gauges, now: now, into: &actions)
        case .replan(let plan):
            self.replan(plan, now: now, into: &actions)
        case .tick:
            self.tick(now: now, into: &actions)
        }
        while self.holdsChanged {
            self.holdsChanged = false
            for model in self.pools.indices { self.pump(model, now: now, into: &actions) }
        }
    }

    /// When `tick` is due next; `nil` while nothing waits for time to pass.
    package func nextDeadline() -> Instant? {
        var due = self.timers.first?.at
        if let other = self.endpointTimers.first?.at { due = min(due ?? other, other) }
        for lane in self.queues.lanes {
            if let other = lane.ladder.dueAt { due = min(due ?? other, other) }
        }
        return due
    }

    /// An event about a request that is no longer live is a race the edge may lose; it means
    /// nothing any more.
    private mutating func withSlot(_ id: RequestID, _ body: (inout Admission, Int) -> Void) {
        guard let slot = self.slab.slot(of: id) else { return }
        body(&self, slot)
    }

    static func rooms(for plan: Plan) -> ([Pool], ClassQueues) {
        var pools: [Pool] = []
        var lanes: [Lane] = []
        for model in plan.models {
            let range = lanes.count..<(lanes.count + model.classes.count)
            pools.append(
                Pool(
                    lanes: range, bounds: EngineBounds(model),
                    coldStartNanos: model.coldStartNanos))
            let quantile = max(model.confidence, Self.leastConfidence)
            for written in model.classes {
                lanes.append(Lane(quantile: quantile, lowerBounds: written.lowerBounds))
            }
        }
        return (pools, ClassQueues(lanes: lanes, tenantCount: plan.tenants.count))
    }

    /// The plan is a bound for the ninety-ninth percentile, whatever confidence is written; half of
    /// what that allows is kept for what no prediction sees.
    private static let leastConfidence = 0.995
}
