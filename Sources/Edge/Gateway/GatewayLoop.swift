import Config
package import EventLoop
package import HTTP
import RequestPath
import Synchronization
import Time
import Wire

/// One loop's share of the gateway: its client connections, its exchanges, its engine connections.
package final class GatewayLoop {
    let core: GatewayCore
    package let loop: Loop
    private(set) var index = 0
    private(set) var config: GatewayConfig
    package private(set) var server: HTTPServer?
    let scanner: BodyScanner
    private let hasher: TenantKeyHasher
    private var exchanges: [Exchange?] = []
    /// By slot: the generation that an exchange in it begins behind.
    private var generations: [UInt32] = []
    private var freeSlots: [Int] = []
    private var endpoints: [EngineLink?] = []
    private var pendingActions: [Action] = []
    private var isCarryingOut = false
    private var timer: LoopTimer?
    private var sweeper: LoopTimer?
    private var armedFor: Instant?
    private var freshIDs: FreshIDs
    /// For the head of the request being sent.
    let scratch = HeadBuilder()
    package let metrics: LoopMetrics
    /// Requests between their last body byte and their record.
    private var active = 0
    private var onIdle: (() -> Void)?

    /// Sets up on the loop's own thread.
    package init(
        _ loop: Loop, core: GatewayCore, metrics: LoopMetrics
    ) throws(GatewayConfigFault) {
        do {
            self.hasher = try TenantKeyHasher()
        } catch {
            throw GatewayConfigFault("OpenSSL offers no SHA-256: is the library installed whole?")
        }
        self.core = core
        self.scanner = BodyScanner(seed: core.promptSeed)
        self.loop = loop
        self.metrics = metrics
        self.config = core.currentConfig
        self.freshIDs = FreshIDs(seed: loop.readClock().nanos)
        let link = LoopMailbox(self)
        self.index = core.join(
            GatewayCore.LoopLink(
                mailbox: loop.mailbox, carryOut: { actions in link.run { $0.carryOut(actions) } },
                tick: { link.run { $0.step(.tick) } },
                adopt: { config in link.run { $0.adopt(config) } },
                closeBehindAnswers: { link.run { $0.server?.closeBehindAnswers() } },
                drain: { link.run { $0.drain() } }))
        self.server = HTTPServer(
            loop, handler: self, limits: core.options.server, buffered: core.buffered)
        self.timer = LoopTimer(loop) { [unowned self] in
            self.armedFor = nil
            self.step(.tick)
        }
        let sweeper = LoopTimer(loop) { [unowned self] in self.sweep() }
        sweeper.arm(everyMillis: core.options.sweepMillis)
        self.sweeper = sweeper
        self.linkEndpoints()
    }

    /// Listens for clients; returns the bound address.
    package func listen(_ address: SocketAddress) throws(StreamError) -> SocketAddress {
        guard let server = self.server else { return address }
        return try server.listen(address)
    }

    // MARK: Admission

    /// Feeds one event to admission and carries out what it says.
    func step(_ event: Event) {
        let deadline = self.core.step(
            event, now: self.loop.now, loop: self.index, own: &self.pendingActions)
        self.arm(deadline)
        self.carryOutPending()
    }

    private func arm(_ deadline: Instant?) {
        guard let deadline else { return }
        if let armed = self.armedFor, armed <= deadline { return }
        self.armedFor = deadline
        self.timer?.arm(at: deadline)
    }

    private func carryOut(_ actions: [Action]) {
        self.pendingActions.append(contentsOf: actions)
        self.carryOutPending()
    }

    /// In order; actions that come up meanwhile wait for their turn.
    private func carryOutPending() {
        guard !self.isCarryingOut else { return }
        self.isCarryingOut = true
        var next = 0
        while next < self.pendingActions.count {
            let action = self.pendingActions[next]
            next += 1
            self.carryOut(action)
        }
        self.pendingActions.removeAll(keepingCapacity: true)
        self.isCarryingOut = false
    }

    private func carryOut(_ action: Action) {
        switch action {
        case .dispatch(let request, let dispatch):
            guard let exchange = self.exchange(request) else { return }
            exchange.send(dispatch)
        case .hedge(let request, let dispatch):
            guard let exchange = self.exchange(request) else { return }
            exchange.hedge(dispatch)
        case .refuse(let request, let refusal):
            guard let exchange = self.exchange(request) else { return }
            exchange.isAdmitted = false
            if refusal.late { exchange.record.times.dispatched = self.loop.now }
            exchange.answer(
                .refusal(refusal, model: exchange.modelName),
                outcome: .refused(refusal.reason, late: refusal.late))
        case .abort(let request):
            guard let exchange = self.exchange(request) else { return }
            exchange.isAdmitted = false
            exchange.answer(
                .failure(.stalled, model: exchange.modelName), outcome: .failed(.stalled))
        case .fail(let request, let failure):
            guard let exchange = self.exchange(request) else { return }
            exchange.isAdmitted = false
            exchange.fail(failure)
        case .probe(let endpoint): self.core.probe(endpoint)
        case .ladderMoved(let model, let classIndex, let step):
            self.core.events.ladderMoved(model, classIndex: classIndex, step: step)
        case .healthChanged(let endpoint, let healthy):
            self.core.events.healthChanged(endpoint, healthy: healthy)
        }
    }

    private func exchange(_ request: RequestID) -> Exchange? {
        let slot = Int(request.raw & 0xFF_FFFF)
        guard slot < self.exchanges.count, let exchange = self.exchanges[slot] else { return nil }
        // An action that crossed with the client's leaving finds another generation.
        return exchange.requestID == request ? exchange : nil
    }

    // MARK: Exchanges

    /// The exchange of a connection, made at its first request.
    func exchange(of connection: ServerConnection) -> Exchange {
        if let exchange = connection.context as? Exchange { return exchange }
        let slot = self.freeSlots.popLast() ?? self.exchanges.count
        let exchange = Exchange(connection, gateway: self, slot: slot)
        if slot < self.exchanges.count {
            exchange.generation = self.generations[slot]
            self.exchanges[slot] = exchange
        } else {
            self.exchanges.append(exchange)
            self.generations.append(0)
        }
        connection.context = exchange
        return exchange
    }

    /// The slot of a closed connection may be given to another.
    func free(_ exchange: Exchange) {
        exchange.connection.context = nil
        self.exchanges[exchange.slot] = nil
        self.generations[exchange.slot] = exchange.generation &+ 1
        self.freeSlots.append(exchange.slot)
    }

    /// Takes a finished request's record.
    func settled(_ record: RequestRecord) {
        self.active -= 1
        self.metrics.add(record)
        self.noteIdle()
    }

    /// Idle is a loop whose every answer has left and whose connections are closed.
    func noteIdle() {
        guard self.active == 0, self.server?.connectionCount ?? 0 == 0 else { return }
        self.onIdle?()
        self.onIdle = nil
    }

    func began() { self.active += 1 }

    // MARK: Engines

    func endpoint(_ id: EndpointID) -> EngineLink? {
        id.raw < self.endpoints.count ? self.endpoints[id.raw] : nil
    }

    private func linkEndpoints() {
        for (index, endpoint) in self.config.endpoints.enumerated() {
            if index == self.endpoints.count { self.endpoints.append(nil) }
            guard endpoint.isActive else {
                self.endpoints[index]?.client.close()
                self.endpoints[index] = nil
                continue
            }
            let authorization = self.config.models[endpoint.model.raw].authorization
            if let link = self.endpoints[index], link.matches(endpoint, authorization) { continue }
            // Connections in use are closed when their answer ends; idle ones would never be used.
            self.endpoints[index]?.client.close()
            self.endpoints[index] = EngineLink(
                self.loop, endpoint: endpoint, authorization: authorization, tls: self.core.tls,
                connectNanosMax: self.core.options.connectNanosMax)
        }
    }

    private func adopt(_ config: GatewayConfig) {
        self.config = config
        self.linkEndpoints()
    }

    // MARK: Draining

    private func drain() {
        // Admission is not told: what comes over a connection that was accepted is still served.
        self.server?.drain()
    }

    /// Gives up on engines that have fallen silent and on clients that have stopped reading.
    private func sweep() {
        let options = self.core.options
        let writeMax = options.server.writeNanosMax
        for case let exchange? in self.exchanges where exchange.isAdmitted {
            let unsent = exchange.connection.stream.unsentBytes
            if exchange.blockedSince != nil, unsent < exchange.blockedBytes {
                // Slow, but taking.
                exchange.blockedSince = self.loop.now
            }
            exchange.blockedBytes = unsent
            if let since = exchange.blockedSince, self.loop.now.nanosSince(since) > writeMax {
                self.serverGone(exchange.connection)
                exchange.connection.close(reset: true)
                continue
            }
            guard exchange.upstream != nil, exchange.blockedSince == nil else { continue }
            // Before the first token of a stream admission minds the deadline.
            let silenceMax =
                exchange.record.hasFirstToken && exchange.isEventStream
                ? options.streamSilenceNanosMax : options.answerNanosMax
            if self.loop.now.nanosSince(exchange.heardAt) > silenceMax {
                exchange.attemptFailed(.stalled)
            }
        }
    }

    /// Calls `body` once no request is under way on this loop and its connections are closed.
    package func whenIdle(_ body: @escaping () -> Void) {
        self.onIdle = body
        self.noteIdle()
    }

    // MARK: Identity

    func appendFreshID(to bytes: inout [UInt8]) {
        self.freshIDs.append(to: &bytes)
    }

    /// The tenant behind a head's credential, `nil` when there is none that counts.
    func tenant(
        _ head: RequestHead, _ raw: UnsafeRawBufferPointer, exchange: Exchange
    ) -> TenantID? {
        guard self.config.requiresKey else { return GatewayConfig.anonymous }
        guard let field = head.table.first(.authorization), field.value.count > 7,
            field.value.count <= 256
        else { return nil }
        let credential = UnsafeRawBufferPointer(
            rebasing: raw[field.value.start..<field.value.end])
        // The same bytes on the same connection were verified before: no hash is needed again.
        if exchange.knownVersion == self.config.version,
            exchange.knownCredential.count == credential.count,
            exchange.knownCredential.withUnsafeBytes({ ConstantTime.equal($0, credential) })
        {
            return exchange.knownTenant
        }
        let bearer = UnsafeRawBufferPointer(rebasing: credential[..<7])
        guard bearer.elementsEqual("Bearer ".utf8) || bearer.elementsEqual("bearer ".utf8) else {
            return nil
        }
        let token = UnsafeRawBufferPointer(rebasing: credential[7...])
        guard let tenant = self.config.tenant(ofToken: token, self.hasher) else { return nil }
        exchange.knownVersion = self.config.version
        exchange.knownTenant = tenant
        exchange.knownCredential.removeAll(keepingCapacity: true)
        exchange.knownCredential.append(contentsOf: credential)
        return tenant
    }
}

/// Comparison whose time tells nothing about where two secrets differ.
enum ConstantTime {
    static func equal(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
        guard left.count == right.count else { return false }
        var difference: UInt8 = 0
        for index in 0..<left.count { difference |= left[index] ^ right[index] }
        return difference == 0
    }
}

/// Carries a gateway loop into the closures of its own mailbox.
// Safety: the closures run on the loop's own thread, from its own mailbox, and the loop lives as
// long as the process.
private struct LoopMailbox: @unchecked Sendable {
    private unowned let gateway: GatewayLoop

    init(_ gateway: GatewayLoop) {
        self.gateway = gateway
    }

    func run(_ body: (GatewayLoop) -> Void) {
        body(self.gateway)
    }
}

/// Request ids: 128 bits in hexadecimal, unique by a per-loop random start and a counter.
struct FreshIDs {
    private var state: UInt64
    private let high: UInt64

    init(seed: UInt64) {
        var generator = SystemRandomNumberGenerator()
        self.high = generator.next()
        self.state = generator.next() ^ seed
    }

    mutating func append(to bytes: inout [UInt8]) {
        Self.append(self.high, to: &bytes)
        Self.append(self.next(), to: &bytes)
    }

    /// The next of a splitmix64 sequence.
    private mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    private static func append(_ value: UInt64, to bytes: inout [UInt8]) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 16) { digits in
            for index in 0..<16 {
                let digit = UInt8(truncatingIfNeeded: value >> UInt64(60 - 4 * index)) & 15
                digits.initializeElement(at: index, to: digit < 10 ? 0x30 + digit : 0x57 + digit)
            }
            bytes.append(contentsOf: digits)
        }
    }
}
