import Baselines
import RequestPath
import Time

/// A policy on a desk: events by hand, at instants in milliseconds, ticks in between as asked for.
struct Desk {
    private(set) var policy: Baseline
    private(set) var nowMs = 0.0
    private(set) var faults: [AuditFault] = []
    /// Ticks the policy asked for.
    private(set) var ticks = 0
    /// Everything it did, with the instant in milliseconds.
    private(set) var log: [(atMs: Double, action: Action)] = []
    private var buffer = ActionBuffer()

    init(
        _ gate: BaselineGate, _ choice: BaselineChoice = .roundRobin, classes: Int = 1,
        models: Int = 1, seed: UInt64 = 1, change: (inout BaselineKnobs) -> Void = { _ in }
    ) {
        var knobs = BaselineKnobs()
        change(&knobs)
        self.policy = Baseline.make(
            gate: gate, choice: choice, plan: Self.plan(classes: classes, models: models),
            seed: seed, knobs: knobs)
    }

    static func plan(classes: Int, models: Int = 1) -> Plan {
        Plan(
            models: (0..<models).map { model in
                ModelPlan(
                    name: "model\(model)",
                    classes: (0..<classes).map {
                        ClassPlan(
                            name: "class\($0)", planNanos: 1_000_000_000,
                            deadlineNanos: 3_000_000_000)
                    })
            }, tenants: [TenantPlan(name: "tenant")])
    }

    /// Adds ready endpoints 0, 1, ... with fresh gauges.
    mutating func start(_ endpoints: Int, model: Int = 0, first: Int = 0) {
        for index in first..<(first + endpoints) {
            self.tell(
                .endpointAdded(
                    EndpointID(raw: index), model: ModelID(raw: model), ready: true))
            self.scrape(index)
        }
    }

    @discardableResult
    mutating func arrive(
        _ id: UInt64, atMs: Double? = nil, model: Int = 0, classIndex: Int = 0,
        tokens: UInt32 = 100,
        hash: UInt64 = 0, bytes: UInt32 = 10, retryable: Bool = true
    ) -> [Action] {
        self.tell(
            .arrive(
                Arrival(
                    request: RequestID(raw: id), model: ModelID(raw: model),
                    tenant: TenantID(raw: 0), classIndex: classIndex, promptBytes: tokens * 4,
                    promptTokensExact: tokens, retryable: retryable, promptHash: hash,
                    bodyBytes: bytes)), atMs: atMs)
    }

    @discardableResult
    mutating func scrape(
        _ endpoint: Int, waiting: UInt32 = 0, running: UInt32 = 0, kv: Double = 0,
        atMs: Double? = nil
    ) -> [Action] {
        self.tell(
            .scraped(
                EndpointID(raw: endpoint),
                EngineGauges(running: running, waiting: waiting, kvCacheShare: kv)), atMs: atMs)
    }

    @discardableResult
    mutating func finish(_ id: UInt64, atMs: Double? = nil) -> [Action] {
        self.tell(.finish(RequestID(raw: id), usage: nil), atMs: atMs)
    }

    /// Lets time pass with the ticks that fall into it, then tells an event.
    @discardableResult
    mutating func tell(_ event: Event, atMs: Double? = nil) -> [Action] {
        if let atMs { self.pass(untilMs: atMs) }
        return self.step(event)
    }

    /// Ticks whenever the policy asks for it, until an instant; what it did by then.
    @discardableResult
    mutating func pass(untilMs: Double) -> [Action] {
        var done: [Action] = []
        while let due = self.policy.nextDeadline(), due <= Self.instant(untilMs) {
            self.nowMs = max(self.nowMs, Double(due.nanos) / 1e6)
            self.ticks += 1
            done += self.step(.tick)
        }
        self.nowMs = max(self.nowMs, untilMs)
        return done
    }

    private mutating func step(_ event: Event) -> [Action] {
        self.buffer.removeAll()
        self.policy.step(event, now: Self.instant(self.nowMs), into: &self.buffer)
        for action in self.buffer.actions { self.log.append((self.nowMs, action)) }
        self.faults += self.policy.audit(now: Self.instant(self.nowMs))
        return self.buffer.actions
    }

    static func instant(_ ms: Double) -> Instant { Instant(nanos: UInt64((ms * 1e6).rounded())) }
}

extension [Action] {
    /// Requests sent, in order.
    var sent: [UInt64] {
        self.compactMap { if case .dispatch(let id, _) = $0 { id.raw } else { nil } }
    }

    /// Endpoints sent to, in order.
    var endpoints: [Int] {
        self.compactMap {
            if case .dispatch(_, let dispatch) = $0 { dispatch.endpoint.raw } else { nil }
        }
    }

    /// Reasons of refusals, in order.
    var refusals: [RefusalReason] {
        self.compactMap { if case .refuse(_, let refusal) = $0 { refusal.reason } else { nil } }
    }

    /// Requests aborted, in order.
    var aborted: [UInt64] {
        self.compactMap { if case .abort(let id) = $0 { id.raw } else { nil } }
    }
}

extension Desk {
    /// Requests sent so far, in order.
    var sent: [UInt64] { self.log.map(\.action).sent }
}
