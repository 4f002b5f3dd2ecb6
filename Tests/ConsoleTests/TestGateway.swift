import Budget
import Config
import Console
import EventLoop
import Foundation
import Gateway
import HTTP
import Telemetry
import Wire

/// A whole gateway in this process: one engine that answers at once, clients' and admin listeners
/// on ports of the system's choice.
final class TestGateway: Sendable {
    let gateway: Gateway
    let status: ServiceStatus
    let admin: AdminServer

    /// `engine`: where the model's engine is; nothing listens on the default.
    init(
        engine: SocketAddress = SocketAddress(host: "127.0.0.1", port: 1),
        options: AdminServer.Options = AdminServer.Options()
    ) throws {
        let config = try Self.config(engine: engine, bound: "10s")
        let core = GatewayCore(config: config)
        self.gateway = try Gateway(
            core: core, loops: 1, address: SocketAddress(host: "127.0.0.1", port: 0))
        self.status = ServiceStatus(version: "1.2.3", startedUnixNanos: WallClock.unixNanos())
        let anyPort = SocketAddress(host: "127.0.0.1", port: 0)
        self.admin = try AdminServer(
            gateway: self.gateway, status: self.status, admin: anyPort, probe: anyPort,
            options: options)
    }

    deinit { self.gateway.stop() }

    /// A budget of one model, its class names and alias full of what must be escaped somewhere.
    static func config(
        engine: SocketAddress, bound: String, previous: GatewayConfig? = nil
    ) throws -> GatewayConfig {
        let text = """
            apiVersion: plimsoll.dev/v1alpha1
            kind: Model
            metadata: {name: chat}
            spec:
              engine: {kind: openai, endpoints: ["http://\(engine)"]}
              budget:
                objectives: {timeToFirstToken: {p50: 4s, p99: \(bound)}, endToEnd: {p99: 20s}}
              classes:
                interactive: {priority: 100}
                standard: {priority: 50}
              overload: {degrade: [{cap: {outputTokens: 64}}]}
            """
        switch Configuration.parse(bytes: Array(text.utf8), fileName: "budget.yaml") {
        case .accepted(let configuration, _):
            return try GatewayConfig(configuration, previous: previous)
        case .refused(let faults): throw TestFault(faults.map(\.text).joined(separator: "\n"))
        }
    }

    /// Waits until the endpoint takes work.
    func waitUntilReady() throws {
        for _ in 0..<2000 {
            if try self.get("/readyz").status == 200 { return }
            usleep(5000)
        }
        throw TestFault("the endpoint never took work")
    }

    /// One chat request; returns its status.
    func chat(id: String = "r", class name: String = "standard") throws -> Int {
        let body = #"{"model":"chat","messages":[{"role":"user","content":"secret words"}]}"#
        return try Client.exchange(
            self.gateway.address,
            "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nx-request-id: \(id)\r\n"
                + "x-plimsoll-class: \(name)\r\ncontent-type: application/json\r\n"
                + "content-length: \(body.utf8.count)\r\nconnection: close\r\n\r\n" + body
        ).status
    }

    /// One GET of the admin listener, or of the probe's.
    func get(_ path: String, host: String = "localhost", probe: Bool = false) throws -> Answer {
        let listener = probe ? self.admin.probeAddress : self.admin.adminAddress
        guard let address = listener else { throw TestFault("no such listener") }
        return try Client.exchange(
            address, "GET \(path) HTTP/1.1\r\nHost: \(host)\r\nconnection: close\r\n\r\n")
    }

    /// The metrics page, each sample's line without its value to the value.
    func metrics() throws -> [String: Double] {
        let page = try self.get("/metrics", probe: true).body
        var samples: [String: Double] = [:]
        for line in page.split(separator: "\n") where !line.hasPrefix("#") {
            guard let space = line.lastIndex(of: " ") else { continue }
            samples[String(line[..<space])] = Double(line[line.index(after: space)...])
        }
        return samples
    }
}

struct TestFault: Error {
    var message: String

    init(_ message: String) {
        self.message = message
    }
}

/// An answer taken apart.
struct Answer {
    var status: Int
    var head: String
    var body: String
}

/// A blocking client of one request.
enum Client {
    static func exchange(_ address: SocketAddress, _ request: String) throws -> Answer {
        let socket = try Self.connect(address)
        defer { close(socket) }
        try Self.send(socket, request)
        var bytes: [UInt8] = []
        while let more = Self.receive(socket) { bytes += more }
        let text = String(decoding: bytes, as: UTF8.self)
        guard let split = text.range(of: "\r\n\r\n") else { throw TestFault("no head: \(text)") }
        let head = String(text[..<split.lowerBound])
        let status = Int(head.split(separator: " ").dropFirst().first ?? "") ?? 0
        return Answer(status: status, head: head, body: String(text[split.upperBound...]))
    }

    static func connect(_ address: SocketAddress) throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var target = sockaddr_in()
        target.sin_family = sa_family_t(AF_INET)
        target.sin_port = address.port.bigEndian
        target.sin_addr.s_addr = inet_addr(address.host)
        let status = withUnsafePointer(to: &target) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Foundation.connect(
                    descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { throw TestFault("no connection to \(address)") }
        // No test waits longer than this for bytes.
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(
            descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        return descriptor
    }

    static func send(_ descriptor: Int32, _ text: String) throws {
        let bytes = Array(text.utf8)
        let count = Foundation.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        guard count == bytes.count else { throw TestFault("the request could not be sent") }
    }

    /// Bytes as they come; `nil` at the end.
    static func receive(_ descriptor: Int32) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        return count > 0 ? Array(buffer[..<count]) : nil
    }
}

/// An engine that answers every chat request at once with a fixed usage.
final class TestEngine: ServerHandler {
    static let answer =
        #"{"choices":[{"message":{"content":"hidden answer"}}],"#
        + #""usage":{"prompt_tokens":7,"completion_tokens":5,"total_tokens":12}}"#

    /// Starts one on a thread of its own.
    static func start() throws -> SocketAddress {
        let bound = Handover<Result<SocketAddress, any Error>>()
        _ = Loop.spawn { loop in
            let engine = TestEngine()
            let server = HTTPServer(loop, handler: engine)
            bound.give(Result { try server.listen(SocketAddress(host: "127.0.0.1", port: 0)) })
            // Both live as long as their thread: for ever.
            _ = Unmanaged.passRetained(server)
            _ = Unmanaged.passRetained(engine)
        }
        return try bound.take().get()
    }

    func serverHead(_ connection: ServerConnection) -> Bool { true }

    func serverRequest(_ connection: ServerConnection) {
        connection.respond(status: 200, body: Array(Self.answer.utf8))
    }

    func serverFault(_ connection: ServerConnection, _ fault: WireFault) { connection.close() }
    func serverOverflow(_ connection: ServerConnection) { connection.close() }
    func serverGone(_ connection: ServerConnection) {}
    func serverClosed(_ connection: ServerConnection) {}
    func serverDrained(_ connection: ServerConnection) {}
}
