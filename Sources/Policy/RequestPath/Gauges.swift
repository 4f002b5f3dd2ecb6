/// Where one endpoint stands, for metrics and the console.
package struct EndpointGauges: Sendable, Equatable {
    /// Takes work: healthy, ready and staying.
    package var isOpen: Bool
    /// Came back from an ejection and is tried with one request at a time.
    package var isHalfOpen: Bool
    /// Requests sent and not settled.
    package var inFlight: Int
    /// Prefill tokens sent whose first token has not come.
    package var prefillWaiting: Int
    /// Prompt and expected output tokens of everything in flight.
    package var contextTokens: Double
    /// Sequences it may hold now; at most 1,024.
    package var sequencesMax: Int
    /// Prefill tokens that may wait at it now; one larger prompt may wait alone.
    package var prefillTokensMax: Int
    /// Learned mean time between tokens of one answer.
    package var interTokenNanos: Double
    /// Learned time to first token: fixed, and for each token of prefill ahead.
    package var firstTokenNanos: Double
    package var perPrefillTokenNanos: Double
}

/// Where one class of one model stands, for metrics and the console.
package struct ClassGauges: Sendable, Equatable {
    package var queuedRequests: Int
    package var queuedPrefillTokens: Int
    package var queuedBytes: UInt64
    /// The ladder step in force; 0 is off.
    package var ladderStep: Int
    /// What predictions are multiplied by to have the confidence asked for.
    package var errorFactor: Double
}

extension Admission {
    /// Requests admitted and not settled, queued or at an engine.
    package var liveRequests: Int { self.slab.liveCount }

    /// `nil` for an endpoint that is not known.
    package func gauges(of id: EndpointID) -> EndpointGauges? {
        guard self.endpoints.indices.contains(id.raw), self.endpoints[id.raw].isKnown else {
            return nil
        }
        let endpoint = self.endpoints[id.raw]
        let line = endpoint.steps.line
        return EndpointGauges(
            isOpen: endpoint.isOpen, isHalfOpen: endpoint.health.state == .halfOpen,
            inFlight: endpoint.ledger.inFlight, prefillWaiting: endpoint.ledger.prefillWaiting,
            contextTokens: endpoint.ledger.contextTokens,
            sequencesMax: endpoint.sequencesMax(self.pools[endpoint.model].bounds),
            prefillTokensMax: Int(endpoint.prefillWindow(self.pools[endpoint.model].bounds)),
            interTokenNanos: endpoint.steps.interTokenNanos, firstTokenNanos: line.fixed,
            perPrefillTokenNanos: line.perToken)
    }

    /// `nil` for a model or a class the plan does not have.
    package func gauges(of model: ModelID, classIndex: Int) -> ClassGauges? {
        guard self.pools.indices.contains(model.raw) else { return nil }
        let lanes = self.pools[model.raw].lanes
        guard classIndex >= 0, classIndex < lanes.count else { return nil }
        let lane = self.queues.lanes[lanes.lowerBound + classIndex]
        return ClassGauges(
            queuedRequests: Int(lane.queued.requests),
            queuedPrefillTokens: Int(lane.queued.prefillTokens), queuedBytes: lane.bytes,
            ladderStep: lane.ladder.step, errorFactor: lane.errors.current)
    }

    /// What has been asked of a model so far; nothing of one the plan does not have.
    package func frontDoor(of model: ModelID) -> FrontDoor {
        self.pools.indices.contains(model.raw) ? self.pools[model.raw].frontDoor : FrontDoor()
    }

    /// Whether requests wait for a model without a replica that is ready.
    package func isAwaited(_ model: ModelID) -> Bool {
        guard self.pools.indices.contains(model.raw) else { return false }
        return self.pools[model.raw].capacity.open == 0
            && self.pools[model.raw].lanes.contains { self.queues.lanes[$0].queued.requests > 0 }
    }

    /// Requests of a model at its engines, and waiting for one.
    package func liveRequests(of model: ModelID) -> (inFlight: Int, queued: Int) {
        guard self.pools.indices.contains(model.raw) else { return (0, 0) }
        let queued = self.pools[model.raw].lanes.reduce(0.0) {
            $0 + self.queues.lanes[$1].queued.requests
        }
        let inFlight = self.pools[model.raw].endpoints.reduce(0) {
            $0 + self.endpoints[Int($1)].ledger.inFlight
        }
        return (inFlight, Int(queued))
    }

    /// Token work charged to a tenant so far, in all classes and models, settled where known.
    package func attainedWork(of tenant: TenantID) -> Double {
        self.queues.flows.reduce(0) {
            $0 + (Int($1.tenant) == tenant.raw ? $1.attained : 0)
        }
    }
}
