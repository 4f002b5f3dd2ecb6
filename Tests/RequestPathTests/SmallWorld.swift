import RequestPath
import Time

/// A closed loop in virtual time: clients, admission, a network of 1 ms each way, engines.
struct SmallWorld {
    struct Load {
        var requestsPerSecond: Double
        var promptMedian = 400.0
        var promptSigma = 0.7
        var outputMedian = 120.0
        var outputSigma = 0.7
        var seconds = 120.0
        var warmUpSeconds = 50.0
        var tenants = 1
        /// Whole answers: the first byte comes with the last.
        var streams = true
        /// Engines say how many tokens they made, with each of them and at the end.
        var tellsTokens = true
        /// A refused client waits as long as it is told and asks again, as often as this.
        var retriesMax = 0
        /// The rate is multiplied by this inside `surge`, in seconds.
        var surgeFactor = 1.0
        var surge = 0.0..<0.0
        /// One engine answers nothing from then on, in seconds, and its connections break.
        var deathSeconds: Double?
    }

    struct Outcome {
        var offered = 0
        var offeredWork = 0.0
        var refused = 0
        var late = 0
        var aborted = 0
        var failed = 0
        var degraded = 0
        var ladderMoves = 0
        var lastRefusalMs = 0.0
        var ttftMs: [Double] = []
        var itlMs: [Double] = []
        /// Work of requests inside both bounds that ended between warm-up and the load's end.
        var goodWork = 0.0
        var goodRequests = 0
        var prefillWaitingPeak = 0
        /// Longest time in which a request waited and none was sent.
        var stallMs = 0.0
        /// Questions asked, retries among them.
        var asked = 0
        /// Clients that got an answer, and those that gave up after their last try.
        var servedClients = 0
        var gaveUp = 0
        var reasons: [String: Int] = [:]

        func quantile(_ values: [Double], _ share: Double) -> Double {
            let sorted = values.sorted()
            guard !sorted.isEmpty else { return 0 }
            return sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]
        }
    }

    private struct Live {
        var arrivedAt: Double
        var prompt: Int
        var output: Int
        var attempt = 0
        var engine = -1
        var firstAt: Double?
        var cap: Int?
        /// When this try came, and how many came before it.
        var askedAt: Double
        var retries = 0

        init(arrivedAt: Double, prompt: Int, output: Int) {
            self.arrivedAt = arrivedAt
            self.prompt = prompt
            self.output = output
            self.askedAt = arrivedAt
        }
    }

    private enum Happening {
        case arrival
        case retry(Live)
        case reach(engine: Int, id: UInt64, attempt: Int)
        case stepEnd(engine: Int)
        case hear(Event)
    }

    private struct Entry: Comparable {
        var atMs: Double
        var order: Int
        var what: Happening
        static func < (left: Entry, right: Entry) -> Bool {
            left.atMs == right.atMs ? left.order < right.order : left.atMs < right.atMs
        }
        static func == (left: Entry, right: Entry) -> Bool { left.order == right.order }
    }

    let load: Load
    let planMs: Double
    let itlBoundMs: Double
    private var admission: Admission
    private var engines: [SmallEngine]
    private var random: SmallRandom
    private var agenda = Agenda<Entry>()
    private var order = 0
    private var nowMs = 0.0
    private var live: [UInt64: Live] = [:]
    private var nextID: UInt64 = 0
    private var lastDispatchMs = 0.0
    private var actions = ActionBuffer()
    private(set) var outcome = Outcome()

    init(
        plan: Plan, engines: [SmallEngine.Profile], load: Load, seed: UInt64, planMs: Double,
        itlBoundMs: Double
    ) {
        self.load = load
        self.planMs = planMs
        self.itlBoundMs = itlBoundMs
        self.admission = Admission(plan: plan, seed: seed)
        self.engines = engines.map { SmallEngine(profile: $0) }
        self.random = SmallRandom(seed: seed)
        for index in engines.indices {
            self.tell(.endpointAdded(EndpointID(raw: index), model: ModelID(raw: 0), ready: true))
        }
    }

    mutating func run() -> Outcome {
        self.schedule(0, .arrival)
        while true {
            let due = self.admission.nextDeadline().map { Double($0.nanos) / 1e6 }
            let next = self.agenda.first?.atMs
            if let due, due <= next ?? .infinity {
                self.nowMs = max(self.nowMs, due)
                if self.live.isEmpty, next == nil { break }
                self.tell(.tick)
                continue
            }
            guard let entry = self.agenda.pop() else { break }
            self.nowMs = entry.atMs
            self.carryOut(entry.what)
        }
        self.outcome.prefillWaitingPeak = self.engines.map(\.prefillWaitingPeak).max() ?? 0
        return self.outcome
    }

    private mutating func schedule(_ atMs: Double, _ what: Happening) {
        self.order += 1
        self.agenda.push(Entry(atMs: atMs, order: self.order, what: what))
    }

    private mutating func carryOut(_ what: Happening) {
        switch what {
        case .arrival:
            self.arrive()
        case .retry(let request):
            self.ask(request)
        case .reach(let engine, let id, let attempt):
            guard let request = self.live[id], request.attempt == attempt else { return }
            if self.isDead(engine) { return self.fail(id) }
            let output = min(request.output, request.cap ?? .max)
            self.engines[engine].add(
                SmallEngine.Sequence(id: id, prefillLeft: request.prompt, outputLeft: output))
            if !self.engines[engine].isStepping { self.step(engine) }
        case .stepEnd(let engine):
            var heard: [Event] = []
            self.engines[engine].endStep { id, produced, isLast in
                let request = RequestID(raw: id)
                if produced == 1 {
                    heard.append(.firstToken(request))
                } else {
                    heard.append(.progress(request, outputTokens: produced))
                }
                if isLast {
                    heard.append(
                        .finish(request, usage: Usage(promptTokens: 0, outputTokens: produced)))
                }
            }
            for event in heard { self.schedule(self.nowMs + 1, .hear(event)) }
            self.step(engine)
        case .hear(let event):
            self.hear(event)
        }
    }

    private func isDead(_ engine: Int) -> Bool {
        guard engine == 0, let death = self.load.deathSeconds else { return false }
        return self.nowMs >= death * 1000
    }

    private mutating func fail(_ id: UInt64) {
        guard let request = self.live[id] else { return }
        self.tell(
            .attemptFailed(
                RequestID(raw: id), .disconnected, beforeFirstByte: request.firstAt == nil))
    }

    private mutating func step(_ engine: Int) {
        if self.isDead(engine) {
            let lost = self.live.filter { $0.value.engine == engine }.map(\.key).sorted()
            for id in lost { self.fail(id) }
            return
        }
        guard let ms = self.engines[engine].beginStep() else { return }
        let noise = 0.95 + 0.1 * self.random.unit()
        self.schedule(self.nowMs + ms * noise, .stepEnd(engine: engine))
    }

    private mutating func arrive() {
        let prompt = Int(
            self.random.logNormal(median: self.load.promptMedian, sigma: self.load.promptSigma))
        let output = Int(
            self.random.logNormal(median: self.load.outputMedian, sigma: self.load.outputSigma))
        let request = Live(
            arrivedAt: self.nowMs, prompt: max(8, min(prompt, 8000)),
            output: max(1, min(output, 2000)))
        self.outcome.offered += 1
        self.outcome.offeredWork += Self.work(request)
        self.ask(request)
        let factor = self.load.surge.contains(self.nowMs / 1000) ? self.load.surgeFactor : 1
        let rate = self.load.requestsPerSecond * factor
        let gap = self.random.exponential(mean: 1000 / rate)
        if self.nowMs + gap < self.load.seconds * 1000 {
            self.schedule(self.nowMs + gap, .arrival)
        }
    }

    private mutating func ask(_ asking: Live) {
        let id = self.nextID
        self.nextID += 1
        var request = asking
        request.askedAt = self.nowMs
        self.live[id] = request
        self.outcome.asked += 1
        self.tell(
            .arrive(
                Arrival(
                    request: RequestID(raw: id), model: ModelID(raw: 0),
                    tenant: TenantID(raw: self.random.below(self.load.tenants)), classIndex: 0,
                    promptBytes: UInt32(request.prompt * 4), streams: self.load.streams,
                    promptHash: id)))
    }

    /// The client goes away, or comes back when it was told to, and up to a quarter later.
    private mutating func turnAway(_ id: UInt64, _ refusal: Refusal) {
        guard var request = self.live.removeValue(forKey: id) else { return }
        // As the SDKs do: longer advice is not followed.
        guard request.retries < self.load.retriesMax, refusal.retryAfterNanos <= 60_000_000_000
        else {
            self.outcome.gaveUp += 1
            return
        }
        request.retries += 1
        let spread = 1 + 0.25 * self.random.unit()
        let waitMs = Double(refusal.retryAfterNanos) / 1e6 * spread
        self.schedule(self.nowMs + waitMs, .retry(request))
    }

    private mutating func hear(_ event: Event) {
        if case .progress = event, !self.load.tellsTokens { return }
        if !self.load.streams {
            guard case .finish(let id, _) = event else { return }
            self.tell(.firstToken(id))
        }
        switch event {
        case .firstToken(let id):
            guard let request = self.live[id.raw] else { return }
            self.live[id.raw]?.firstAt = self.nowMs
            self.outcome.ttftMs.append(self.nowMs - request.askedAt)
        case .finish(let id, let usage):
            guard let request = self.live[id.raw], let usage else { return }
            self.live[id.raw] = nil
            self.judge(request, tokens: Int(usage.outputTokens))
            let told = Usage(
                promptTokens: UInt32(request.prompt), outputTokens: usage.outputTokens)
            self.tell(.finish(id, usage: self.load.tellsTokens ? told : nil))
            return
        default:
            break
        }
        self.tell(event)
    }

    private mutating func judge(_ request: Live, tokens: Int) {
        self.outcome.servedClients += 1
        guard let firstAt = request.firstAt else { return }
        let itl = tokens > 1 ? (self.nowMs - firstAt) / Double(tokens - 1) : 0
        if tokens > 1 { self.outcome.itlMs.append(itl) }
        let isGood = firstAt - request.askedAt <= self.planMs && itl <= self.itlBoundMs
        let isCounted = (self.load.warmUpSeconds * 1000...self.load.seconds * 1000)
            .contains(self.nowMs)
        if isGood, isCounted {
            self.outcome.goodWork += Self.work(request)
            self.outcome.goodRequests += 1
        }
    }

    private mutating func tell(_ event: Event) {
        self.actions.removeAll()
        self.admission.step(
            event, now: Instant(nanos: UInt64((self.nowMs * 1e6).rounded(.up))),
            into: &self.actions)
        for action in self.actions.actions { self.act(action) }
    }

    private mutating func act(_ action: Action) {
        switch action {
        case .dispatch(let id, let dispatch):
            guard var request = self.live[id.raw] else { return }
            request.attempt = dispatch.attempt
            request.engine = dispatch.endpoint.raw
            request.cap = dispatch.outputTokensCap.map { Int($0) }
            if dispatch.ladderStep > 0 { self.outcome.degraded += 1 }
            self.outcome.stallMs = max(
                self.outcome.stallMs, self.nowMs - max(self.lastDispatchMs, request.askedAt))
            self.lastDispatchMs = self.nowMs
            self.live[id.raw] = request
            self.schedule(
                self.nowMs + 1,
                .reach(engine: request.engine, id: id.raw, attempt: request.attempt))
        case .refuse(let id, let refusal):
            self.turnAway(id.raw, refusal)
            self.outcome.refused += 1
            self.outcome.lastRefusalMs = self.nowMs
            if refusal.late { self.outcome.late += 1 }
            self.outcome.reasons["\(refusal.reason)", default: 0] += 1
        case .hedge: break
        case .abort(let id):
            if let request = self.live.removeValue(forKey: id.raw) {
                self.engines[request.engine].cancel(id.raw)
            }
            self.outcome.aborted += 1
        case .fail(let id, _):
            self.live[id.raw] = nil
            self.outcome.failed += 1
        case .probe(let id):
            self.schedule(
                self.nowMs + 2, .hear(.probed(id, healthy: !self.isDead(id.raw))))
        case .ladderMoved:
            self.outcome.ladderMoves += 1
        case .healthChanged:
            break
        }
    }

    private static func work(_ request: Live) -> Double {
        Double(request.prompt) + 4 * Double(request.output)
    }
}

/// A binary heap: what happens next.
struct Agenda<Element: Comparable> {
    private var elements: [Element] = []

    var first: Element? { self.elements.first }

    mutating func push(_ element: Element) {
        self.elements.append(element)
        var child = self.elements.count - 1
        while child > 0, self.elements[child] < self.elements[(child - 1) / 2] {
            self.elements.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func pop() -> Element? {
        guard let first = self.elements.first else { return nil }
        let last = self.elements.removeLast()
        guard !self.elements.isEmpty else { return first }
        self.elements[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < self.elements.count && self.elements[child] < self.elements[least] {
                least = child
            }
            if least == parent { return first }
            self.elements.swapAt(parent, least)
            parent = least
        }
    }
}
