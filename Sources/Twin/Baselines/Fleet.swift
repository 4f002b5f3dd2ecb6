import RequestPath
import Time

/// One endpoint as a gateway of the field sees it.
struct FleetEndpoint: Sendable {
    /// False before it is added and after it is forgotten.
    var isKnown = false
    /// It takes no new work and is forgotten when its last request ends.
    var isLeaving = false
    var isReady = false
    var model = 0
    /// Requests sent and not ended.
    var inFlight = 0
    /// Prompt tokens sent whose first token has not come.
    var prefillTokens = 0
    /// Prompt tokens sent since the last scrape.
    var tokensSinceScrape = 0
    /// The last scrape; `nil` before the first.
    var gauges: EngineGauges?
    var scrapedAt = Instant.zero
    var failedProbes = 0
    var probeAt = Instant.zero

    var isOpen: Bool { self.isKnown && self.isReady && !self.isLeaving }
}

/// The endpoints of all models: who is ready, what was scraped, what was sent.
///
/// Readiness is Kubernetes': a probe each period, out after `failedProbesMax` failures in a row,
/// in after one success. Nothing else takes an endpoint out: none of the gateways whose gates
/// stand here ejects by default for failed requests before readiness does.
struct Fleet: Sendable {
    /// Indexed by `EndpointID`.
    private(set) var endpoints: [FleetEndpoint] = []
    /// Ready endpoints of each model, ascending.
    private(set) var ready: [[Int32]]
    /// Ready endpoints of all models.
    private(set) var readyCount = 0
    /// No probe is due before it; it may be early.
    private(set) var nextProbe: Instant?
    private let health: BaselineKnobs.Health

    init(models: Int, health: BaselineKnobs.Health) {
        self.ready = Array(repeating: [], count: models)
        self.health = health
    }

    subscript(index: Int) -> FleetEndpoint {
        _read { yield self.endpoints[index] }
        _modify { yield &self.endpoints[index] }
    }

    /// Whether an id is known; others are a race that means nothing any more.
    func isKnown(_ id: EndpointID) -> Bool {
        self.endpoints.indices.contains(id.raw) && self.endpoints[id.raw].isKnown
    }

    /// Models were appended.
    mutating func grow(models: Int) {
        while self.ready.count < models { self.ready.append([]) }
    }

    /// Adds an endpoint, keeps one that was leaving, or makes a starting one ready.
    mutating func add(_ id: EndpointID, model: Int, ready: Bool, now: Instant) {
        while self.endpoints.count <= id.raw { self.endpoints.append(FleetEndpoint()) }
        if self.endpoints[id.raw].isKnown {
            self.change(id.raw) {
                $0.isLeaving = false
                $0.isReady = $0.isReady || ready
            }
        } else {
            self.endpoints[id.raw] = FleetEndpoint()
            self.endpoints[id.raw].model = model
            self.change(id.raw) {
                $0.isKnown = true
                $0.isReady = ready
            }
        }
        self.setProbe(id.raw, now: now)
    }

    /// Takes no more work to it, and forgets it when nothing is there.
    mutating func remove(_ id: EndpointID) {
        self.change(id.raw) { $0.isLeaving = true }
        self.forgetIfDone(id.raw)
    }

    mutating func scraped(_ id: EndpointID, _ gauges: EngineGauges, now: Instant) {
        self.endpoints[id.raw].gauges = gauges
        self.endpoints[id.raw].scrapedAt = now
        self.endpoints[id.raw].tokensSinceScrape = 0
    }

    /// A request was sent to it.
    mutating func sent(_ request: LiveRequest, to index: Int) {
        self.endpoints[index].inFlight += 1
        self.endpoints[index].prefillTokens += Int(request.promptTokens)
        self.endpoints[index].tokensSinceScrape += Int(request.promptTokens)
    }

    /// The request's first token came.
    mutating func answered(_ request: LiveRequest) {
        self.endpoints[Int(request.endpoint)].prefillTokens -= Int(request.promptTokens)
    }

    /// The request's attempt is over.
    mutating func ended(_ request: LiveRequest) {
        let index = Int(request.endpoint)
        self.endpoints[index].inFlight -= 1
        if !request.hasAnswered { self.answered(request) }
        self.forgetIfDone(index)
    }

    // MARK: Probes

    /// A probe came back. Whether readiness changed.
    mutating func probed(_ id: EndpointID, healthy: Bool, now: Instant) -> Bool {
        let wasReady = self.endpoints[id.raw].isReady
        let failed = healthy ? 0 : self.endpoints[id.raw].failedProbes + 1
        let isReady = healthy || (wasReady && failed < self.health.failedProbesMax)
        self.change(id.raw) {
            $0.failedProbes = failed
            $0.isReady = isReady
        }
        if wasReady != isReady { self.setProbe(id.raw, now: now) }
        return wasReady != isReady
    }

    /// Names every endpoint whose probe is due.
    mutating func probe(now: Instant, into actions: inout ActionBuffer) {
        guard let due = self.nextProbe, due <= now else { return }
        self.nextProbe = nil
        for index in self.endpoints.indices
        where self.endpoints[index].isKnown && !self.endpoints[index].isLeaving {
            if self.endpoints[index].probeAt <= now {
                actions.append(.probe(EndpointID(raw: index)))
                self.setProbe(index, now: now)
            } else {
                self.nextProbe = min(
                    self.nextProbe ?? self.endpoints[index].probeAt, self.endpoints[index].probeAt)
            }
        }
    }

    private mutating func setProbe(_ index: Int, now: Instant) {
        let period =
            self.endpoints[index].isReady
            ? self.health.probePeriodNanos : self.health.startingProbePeriodNanos
        let probeAt = now.advanced(byNanos: period)
        self.endpoints[index].probeAt = probeAt
        self.nextProbe = min(self.nextProbe ?? probeAt, probeAt)
    }

    // MARK: Readiness

    /// Changes an endpoint and keeps the lists of ready ones in step.
    private mutating func change(_ index: Int, _ body: (inout FleetEndpoint) -> Void) {
        let wasOpen = self.endpoints[index].isOpen
        body(&self.endpoints[index])
        let isOpen = self.endpoints[index].isOpen
        guard wasOpen != isOpen else { return }
        let model = self.endpoints[index].model
        if isOpen {
            let at = self.ready[model].firstIndex { $0 > Int32(index) }
            self.ready[model].insert(Int32(index), at: at ?? self.ready[model].count)
        } else {
            self.ready[model].removeAll { $0 == Int32(index) }
        }
        self.readyCount += isOpen ? 1 : -1
    }

    private mutating func forgetIfDone(_ index: Int) {
        guard self.endpoints[index].isLeaving, self.endpoints[index].inFlight == 0 else { return }
        self.change(index) { $0.isKnown = false }
    }
}
