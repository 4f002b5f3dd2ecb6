package import EventLoop
package import HTTP
package import RequestPath
import Time

/// What all loops of a gateway share: admission behind one short critical section, the
/// configuration in force, and the way to each loop.
package final class GatewayCore: Sendable {
    private struct Shared {
        var admission: Admission
        var actions = ActionBuffer()
        /// Loops read their clocks apart: admission's time never runs backwards.
        var now = Instant.zero
    }

    private let shared: Lock<Shared>
    private let config: Lock<GatewayConfig>
    private let loops = Lock<[LoopLink]>([])
    private let monitor = Lock<(@Sendable (EndpointID) -> Void)?>(nil)
    package let events: GatewayEvents
    let tls: TLSContext?
    /// What all loops hash prompts with: another one in each process.
    let promptSeed = UInt64.random(in: .min ... .max)
    /// All bodies held by all loops.
    package let buffered: BufferedBytes
    package let options: GatewayOptions

    /// How other threads reach one loop of the gateway.
    struct LoopLink: Sendable {
        let mailbox: Mailbox
        let carryOut: @Sendable ([Action]) -> Void
        let tick: @Sendable () -> Void
        let adopt: @Sendable (GatewayConfig) -> Void
        let closeBehindAnswers: @Sendable () -> Void
        let drain: @Sendable () -> Void
    }

    /// `tls` is needed where an engine is reached by https.
    package init(
        config: GatewayConfig, options: GatewayOptions = GatewayOptions(), tls: TLSContext? = nil,
        events: GatewayEvents = GatewayEvents()
    ) {
        self.tls = tls
        self.events = events
        let admission = Admission(plan: config.plan, seed: 1)
        self.shared = Lock(Shared(admission: admission))
        self.config = Lock(config)
        self.options = options
        self.buffered = BufferedBytes(max: options.bufferedBytesMax)
    }

    /// The configuration in force.
    package var currentConfig: GatewayConfig { self.config.withLock { $0 } }

    func join(_ link: LoopLink) -> Int {
        self.loops.withLock { loops in
            loops.append(link)
            return loops.count - 1
        }
    }

    /// Feeds one event to admission.
    ///
    /// Actions for the calling loop's requests are appended to `own`; those of other loops are
    /// posted there. Returns when `tick` is due next.
    func step(
        _ event: Event, now: Instant, loop: Int, own: inout [Action]
    ) -> Instant? {
        var foreign: [(Int, Action)] = []
        let deadline = self.shared.withLock { shared -> Instant? in
            shared.now = max(shared.now, now)
            shared.admission.step(event, now: shared.now, into: &shared.actions)
            for index in shared.actions.actions.indices {
                let action = shared.actions.actions[index]
                let target = action.request.map { Int($0.raw >> 56) } ?? loop
                if target == loop { own.append(action) } else { foreign.append((target, action)) }
            }
            shared.actions.removeAll()
            return shared.admission.nextDeadline()
        }
        if !foreign.isEmpty { self.post(foreign) }
        return deadline
    }

    /// Reads admission's state, for metrics and the console.
    package func inspect<R>(_ body: (borrowing Admission) -> sending R) -> sending R {
        self.shared.withLock { body($0.admission) }
    }

    /// Puts a new configuration in force on every loop.
    package func adopt(_ config: GatewayConfig) {
        let old = self.config.withLock { current in
            let old = current
            current = config
            return old
        }
        self.stepFromOutside([.replan(config.plan)])
        self.announceEndpoints(replacing: old)
        self.events.add(.reloaded(version: config.version))
        for link in self.loops.withLock({ $0 }) {
            link.mailbox.post { link.adopt(config) }
        }
    }

    /// Tells admission of every active endpoint and forgets those that went; a probe makes them
    /// ready.
    func announceEndpoints(replacing old: GatewayConfig? = nil) {
        let config = self.currentConfig
        var events: [Event] = []
        for (index, endpoint) in config.endpoints.enumerated() {
            let was =
                old.map { index < $0.endpoints.count && $0.endpoints[index].isActive } ?? false
            guard was != endpoint.isActive else { continue }
            let id = EndpointID(raw: index)
            events.append(
                endpoint.isActive
                    ? .endpointAdded(id, model: endpoint.model, ready: false)
                    : .endpointRemoved(id))
        }
        self.stepFromOutside(events)
    }

    /// Feeds events that belong to no loop; what follows from them is left to the first one.
    private func stepFromOutside(_ events: [Event]) {
        var actions: [Action] = []
        let now = Loop.monotonicNow()
        for event in events { _ = self.step(event, now: now, loop: -1, own: &actions) }
        guard let first = self.loops.withLock({ $0.first }) else { return }
        let left = actions
        first.mailbox.post {
            first.carryOut(left)
            first.tick()
        }
    }

    /// Asks the monitor to probe one endpoint now.
    func probe(_ endpoint: EndpointID) {
        self.monitor.withLock { $0 }?(endpoint)
    }

    func setMonitor(_ monitor: EngineMonitor, on mailbox: Mailbox) {
        let box = MonitorBox(monitor)
        self.monitor.withLock { current in
            current = { endpoint in mailbox.post { box.monitor.probe(endpoint) } }
        }
    }

    /// Announces a drain to clients: each connection ends behind its next answer, new ones too.
    package func closeBehindAnswers() {
        for link in self.loops.withLock({ $0 }) {
            link.mailbox.post { link.closeBehindAnswers() }
        }
    }

    /// Stops taking new work on every loop.
    package func drain() {
        for link in self.loops.withLock({ $0 }) {
            link.mailbox.post { link.drain() }
        }
    }

    /// Lets every loop's thread go before ordinary ones, or no longer; see `LoopThread`.
    package func setUrgent(_ isUrgent: Bool) {
        for link in self.loops.withLock({ $0 }) {
            link.mailbox.post { LoopThread.setUrgent(isUrgent) }
        }
    }

    private func post(_ foreign: [(Int, Action)]) {
        let loops = self.loops.withLock { $0 }
        for (index, link) in loops.enumerated() {
            let actions = foreign.filter { $0.0 == index }.map { $0.1 }
            if !actions.isEmpty { link.mailbox.post { link.carryOut(actions) } }
        }
    }
}

/// The engine monitor, for closures of its own loop's mailbox.
// Safety: opened only on the loop's thread.
private struct MonitorBox: @unchecked Sendable {
    let monitor: EngineMonitor

    init(_ monitor: EngineMonitor) {
        self.monitor = monitor
    }
}

/// Bounds and switches of a gateway.
package struct GatewayOptions: Sendable {
    package var server = ServerLimits()
    package var bufferedBytesMax = 256 << 20
    /// Name the endpoint that answered in `x-plimsoll-endpoint`.
    package var namesEndpoint = false
    /// Bytes of an answer that may wait for a slow client before the engine is held back.
    package var relayBytesMax = 256 << 10
    /// A connection to an engine may take this long to be made.
    package var connectNanosMax: UInt64 = 3_000_000_000
    /// A stream whose engine says nothing for this long has broken.
    package var streamSilenceNanosMax: UInt64 = 60_000_000_000
    /// An answer in one piece is waited for this long.
    package var answerNanosMax: UInt64 = 600_000_000_000
    /// Between two looks for engines that are silent and clients that do not read.
    package var sweepMillis: UInt64 = 1000
    /// Between two scrapes of an engine's metrics; jittered by a fifth.
    package var scrapeNanos: UInt64 = 1_000_000_000
    /// Between two health probes of an engine.
    package var probeNanos: UInt64 = 2_000_000_000

    package init() {}
}

extension Action {
    /// The request an action is for; `nil` when it is for none.
    var request: RequestID? {
        switch self {
        case .dispatch(let request, _), .hedge(let request, _), .refuse(let request, _),
            .abort(let request), .fail(let request, _):
            request
        case .probe, .ladderMoved, .healthChanged: nil
        }
    }
}
