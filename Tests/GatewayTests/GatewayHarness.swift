import Budget
import Config
import EventLoop
import Foundation
import Gateway
import Glibc
import HTTP
import RequestPath
import TestSockets
import Testing

/// One engine of a test: healthy, and answering requests as the test says.
func engine(
    health: Int = 200, metrics: String? = nil,
    _ serve: @escaping @Sendable (RawSocket, RawMessage) -> Bool
) -> RawServer {
    RawServer { socket, request in
        switch request.path {
        case "/health", "/v1/models": return socket.send(Wire.text(health, ""))
        case "/metrics":
            guard let metrics else { return socket.send(Wire.text(404, "")) }
            return socket.send(Wire.text(200, metrics, type: "text/plain"))
        default: return serve(socket, request)
        }
    }
}

/// Answers as engines write them.
enum Wire {
    static let done = "data: [DONE]\n\n"
    static let role =
        #"data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}"# + "\n\n"

    static func text(_ status: Int, _ body: String, type: String = "application/json") -> String {
        "HTTP/1.1 \(status) X\r\ncontent-type: \(type)\r\ncontent-length: \(body.utf8.count)\r\n"
            + "\r\n" + body
    }

    static let streamHead =
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
        + "transfer-encoding: chunked\r\n\r\n"

    static func token(_ text: String, _ more: String = "") -> String {
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\(text)\"}}]\(more)}\n\n"
    }

    static func chunk(_ text: String) -> String {
        "\(String(text.utf8.count, radix: 16))\r\n\(text)\r\n"
    }

    static let lastChunk = "0\r\n\r\n"

    static func stream(_ events: [String]) -> String {
        Wire.streamHead + events.map(Wire.chunk).joined() + Wire.lastChunk
    }

    static let answer =
        #"{"id":"c","choices":[{"index":0,"message":{"role":"assistant","content":"hi"}}],"#
        + #""usage":{"prompt_tokens":3,"completion_tokens":1}}"#
}

/// A gateway in front of a test's engines, which stops with its test.
final class TestGateway: Sendable {
    let gateway: Gateway
    let records: Locked<[RequestRecord]>

    /// `ports`: of the engines of model `m`, whose alias is `alias`. Waits until they are ready.
    /// `heard` is told of each record on its loop's thread.
    init(
        _ ports: [UInt16], loops: Int = 1, budget: String? = nil, ready: Int? = nil,
        tls: TLSContext? = nil, options change: (inout GatewayOptions) -> Void = { _ in },
        heard: @escaping @Sendable (RequestRecord) -> Void = { _ in }
    ) throws {
        var options = GatewayOptions()
        options.probeNanos = 50_000_000
        options.scrapeNanos = 50_000_000
        change(&options)
        let healthy = DispatchSemaphore(value: 0)
        let events = GatewayEvents { change in
            if case .healthChanged(_, healthy: true) = change { healthy.signal() }
        }
        let records = Locked<[RequestRecord]>([])
        let config = try Self.config(budget ?? Self.budget(ports))
        let core = GatewayCore(config: config, options: options, tls: tls, events: events)
        self.gateway = try Gateway(
            core: core, loops: loops, address: SocketAddress(host: "127.0.0.1", port: 0),
            recorder: { record in
                records.withLock { $0.append(record) }
                heard(record)
            })
        self.records = records
        for _ in 0..<(ready ?? ports.count) {
            #expect(healthy.wait(timeout: .now() + 60) == .success, "an engine is not ready")
        }
    }

    deinit { self.gateway.stop() }

    static func budget(
        _ ports: [UInt16], deadline: String = "30s", engine: String = "", overload: String = "",
        scheme: String = "http", host: String = "127.0.0.1"
    ) -> String {
        let list = ports.map { "\"\(scheme)://\(host):\($0)\"" }.joined(separator: ", ")
        return """
            apiVersion: plimsoll.dev/v1alpha1
            kind: Model
            metadata: {name: m}
            spec:
              aliases: [alias]
              engine: {kind: vllm, endpoints: [\(list)]\(engine)}
              budget: {deadline: {timeToFirstToken: \(deadline)}}
              classes: {high: {priority: 9}, standard: {priority: 5}, low: {priority: 1}}
              overload: {retry: {budget: 50%}\(overload)}

            """
    }

    static func config(_ text: String, previous: GatewayConfig? = nil) throws -> GatewayConfig {
        switch Configuration.parse(bytes: Array(text.utf8), fileName: "budget.yaml") {
        case .accepted(let configuration, _):
            return try GatewayConfig(configuration, previous: previous)
        case .refused(let faults):
            throw BadBudget(lines: faults.map(\.text))
        }
    }

    struct BadBudget: Error { var lines: [String] }

    func client() -> RawSocket { RawSocket(port: self.gateway.address.port) }

    static func chat(_ more: String = "", fields: String = "", model: String = "m") -> String {
        self.post(
            #"{"model":"\#(model)","messages":[{"role":"user","content":"hello"}]\#(more)}"#,
            fields: fields)
    }

    static func post(
        _ body: String, path: String = "/v1/chat/completions", fields: String = ""
    ) -> String {
        "POST \(path) HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\n"
            + "Content-Length: \(body.utf8.count)\r\n\(fields)\r\n\(body)"
    }

    /// One chat request on a connection of its own.
    func ask(_ more: String = "", fields: String = "") -> RawMessage? {
        let client = self.client()
        client.send(Self.chat(more, fields: fields))
        return client.message()
    }
}

/// Asks until `condition` holds, for at most a minute.
func eventually(_ condition: () -> Bool) -> Bool {
    let end = monotonicNanos() + 60_000_000_000
    while monotonicNanos() < end {
        if condition() { return true }
        usleep(1000)
    }
    return condition()
}

/// The code of an OpenAI-shaped error; `nil` when the answer is none.
func errorCode(_ message: RawMessage?) -> String? {
    guard let message, message["content-type"] == "application/json",
        let json = try? JSONSerialization.jsonObject(with: Data(message.body)) as? [String: Any],
        let error = json["error"] as? [String: Any], error["message"] is String,
        error["type"] is String, error.keys.contains("param")
    else { return nil }
    return error["code"] as? String
}
