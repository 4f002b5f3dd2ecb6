import Budget
import Config
import EngineModel
import EventLoop
import Fleet
import Foundation
import Gateway
import RequestPath
import Scaling
import SimulatedEngine
import TestSockets
import Testing
import Time

private let second: UInt64 = 1_000_000_000

/// A model's replicas under the scaler: a real gateway, real engines that take a second to start.
@Suite struct ScaledFleetTests {
    @Test func `from zero one decision brings a replica, and who waited is served`() throws {
        // How many a rate needs is the scaler's own test: on a slow machine the rate is another.
        let world = try ScaledWorld(min: 0, max: 1)
        let clients = (0..<6).map { _ in world.ask() }
        world.run { clients.allSatisfy { $0.isAnswered } }
        #expect(clients.map(\.status) == Array(repeating: 200, count: 6))
        #expect(world.fleet.ups == 1)
        // Nobody asked again for what was on its way.
        #expect(world.host.started == 1)
        world.run { world.fleet.endpoints.isEmpty && world.host.stopped == world.host.started }
        #expect(world.fleet.downs >= 1)
    }

    @Test func `a replica that ends by itself is asked for again`() throws {
        let world = try ScaledWorld(min: 1, max: 2)
        let first = try #require(world.fleet.endpoints.first)
        world.run { world.openCount == 1 }
        world.host.kill(first)
        world.run { world.openCount == 1 && world.fleet.endpoints.first != first }
        let client = world.ask()
        world.run { client.isAnswered }
        #expect(client.status == 200)
    }

    @Test func `a replica that goes finishes what it has`() throws {
        let world = try ScaledWorld(min: 0, max: 2, outputTokens: 300)
        let client = world.ask()
        world.run { world.fleet.downs > 0 || client.isAnswered }
        world.run { client.isAnswered && world.host.stopped == world.host.started }
        #expect(client.status == 200)
        #expect(client.text.contains("\"completion_tokens\":300"), "\(client.text)")
    }

    @Test func `where no replica can be had, it says so and asks again`() throws {
        let world = try ScaledWorld(min: 0, max: 1)
        world.host.refuse(next: 1)
        let client = world.ask()
        world.run { world.fleet.trouble != nil }
        #expect(world.fleet.trouble == "no more of them")
        world.run { client.isAnswered }
        #expect(client.status == 200)
        #expect(world.fleet.trouble == nil)
    }
}

/// A gateway in front of one model whose engines the fleet starts.
private final class ScaledWorld {
    let host = ThreadHost()
    let fleet: ScaledFleet
    private let gateway: Gateway
    private let text: String
    private let outputTokens: Int

    init(min least: Int, max most: Int, outputTokens: Int = 8) throws {
        self.outputTokens = outputTokens
        self.text = """
            apiVersion: plimsoll.dev/v1alpha1
            kind: Model
            metadata: {name: m}
            spec:
              engine: {kind: simulated}
              budget:
                objectives: {timeToFirstToken: {p99: 10s}}
                deadline: {timeToFirstToken: 20s, coldStart: 1m}
              scaling: {replicas: {min: \(least), max: \(most)}}
            """
        var options = GatewayOptions()
        options.probeNanos = 50_000_000
        let now = Loop.monotonicNow()
        let plan = ScalingPlan(
            replicasMin: least, replicasMax: most, stabilizationNanos: second,
            waitNanos: 5 * second, coldStartNanos: 60 * second, leadNanos: second)
        self.fleet = ScaledFleet(
            model: "m", plan: plan, host: self.host, log: nil, now: now,
            intervalNanos: second / 5)
        try self.fleet.begin(now: now)
        let config = try GatewayConfig(Self.parsed(self.text, self.fleet.endpoints))
        self.gateway = try Gateway(
            core: GatewayCore(config: config, options: options), loops: 1,
            address: SocketAddress(host: "127.0.0.1", port: 0))
    }

    deinit { self.gateway.stop() }

    private static func parsed(
        _ text: String, _ endpoints: [EngineEndpoint]
    ) throws -> Configuration {
        guard
            case .accepted(let configuration, _) = Configuration.parse(
                bytes: Array(text.utf8), fileName: "budget.yaml")
        else { throw HostFault(description: "the budget of the test is refused") }
        var models = configuration.models
        models[0].engine.endpoints = endpoints
        return Configuration(models: models)
    }

    /// Engines that take work.
    var openCount: Int {
        let core = self.gateway.core
        let count = core.currentConfig.endpoints.count
        return core.inspect { admission in
            (0..<count).filter { admission.gauges(of: .init(raw: $0))?.isOpen == true }.count
        }
    }

    /// Lets the scaler look until `condition` holds; a minute at most.
    func run(until condition: () -> Bool) {
        let start = Loop.monotonicNow()
        while !condition() {
            guard Loop.monotonicNow().nanosSince(start) < 60 * second else {
                Issue.record("it did not come to that in a minute")
                return
            }
            do {
                if try self.fleet.turn(self.gateway.core, now: Loop.monotonicNow()) {
                    self.gateway.adopt(
                        try GatewayConfig(
                            Self.parsed(self.text, self.fleet.endpoints),
                            previous: self.gateway.core.currentConfig))
                }
            } catch {
                Issue.record("\(error)")
            }
            usleep(10_000)
        }
    }

    /// A client that asks on a thread of its own.
    func ask() -> AskingClient {
        AskingClient(port: self.gateway.address.port, outputTokens: self.outputTokens)
    }
}

/// One request and what came of it.
private final class AskingClient: Sendable {
    private let answer = Locked<RawMessage?>(nil)

    init(port: UInt16, outputTokens: Int) {
        let socket = RawSocket(port: port)
        let body =
            #"{"model":"m","messages":[{"role":"user","content":"hello"}],"#
            + "\"max_tokens\":\(outputTokens)}"
        socket.send(
            Array(
                ("POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json"
                    + "\r\ncontent-length: \(body.utf8.count)\r\n\r\n\(body)").utf8))
        let answer = self.answer
        Thread.detachNewThread {
            let message = socket.message()
            answer.withLock { $0 = message }
        }
    }

    var isAnswered: Bool { self.answer.withLock { $0 != nil } }
    var status: Int { self.answer.withLock { $0?.status ?? 0 } }
    var text: String { self.answer.withLock { $0?.text ?? "" } }
}

/// Simulated engines on threads of this process, each ready a second after it was asked for.
private final class ThreadHost: EngineHost {
    private(set) var started = 0
    private(set) var stopped = 0
    private var dead: Set<EngineEndpoint> = []
    private var refusals = 0
    private var ends: [EngineEndpoint: @Sendable () -> Void] = [:]

    func refuse(next count: Int) { self.refusals = count }

    func kill(_ endpoint: EngineEndpoint) {
        self.dead.insert(endpoint)
        self.ends[endpoint]?()
    }

    func start() throws -> EngineEndpoint {
        if self.refusals > 0 {
            self.refusals -= 1
            throw HostFault(description: "no more of them")
        }
        self.started += 1
        var settings = EngineSettings(
            modelNames: ["m"], engine: EngineProfile.llama31With8B.configuration)
        settings.startupNanos = second
        let bound = Handover<Result<SocketAddress, any Error>>()
        let end = Locked<(@Sendable () -> Void)?>(nil)
        let wanted = settings
        _ = Loop.spawn { loop in
            let engine = SimulatedEngine(loop, settings: wanted)
            let mailbox = loop.mailbox
            let box = Unmanaged.passRetained(loop)
            nonisolated(unsafe) let held = box
            end.withLock {
                $0 = { mailbox.post { held.takeUnretainedValue().stop() } }
            }
            bound.give(Result { try engine.listen(SocketAddress(host: "127.0.0.1", port: 0)) })
            _ = Unmanaged.passRetained(engine)
        }
        let address = try bound.take().get()
        let endpoint = EngineEndpoint(host: address.host, port: address.port)
        self.ends[endpoint] = end.withLock { $0 }
        return endpoint
    }

    func stop(_ endpoint: EngineEndpoint) {
        self.stopped += 1
        self.ends[endpoint]?()
    }

    func isAlive(_ endpoint: EngineEndpoint) -> Bool { !self.dead.contains(endpoint) }
}

private struct HostFault: Error, CustomStringConvertible {
    var description: String
}
