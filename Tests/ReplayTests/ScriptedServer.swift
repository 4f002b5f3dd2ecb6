import EventLoop
import Foundation
import HTTP
import Synchronization
import Wire

/// A server that answers each request as its `max_tokens` says; real sockets, a port of its own.
final class ScriptedServer: Sendable {
    /// What is done with one request.
    enum Answer: Sendable {
        /// A whole answer with these extra header lines.
        case plain(status: Int, fields: String = "", body: String)
        /// Events, and how the stream ends.
        case events([String], fields: String = "", end: End = .done)
        /// Nothing, ever.
        case silence
    }

    enum End: Sendable {
        /// `[DONE]` and the last chunk.
        case done
        /// The last chunk alone.
        case cut
        /// A reset.
        case reset
    }

    struct Request: Sendable {
        var head: String
        var body: String

        /// The value of a header field.
        func field(_ name: String) -> String? {
            self.head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("\(name): ") }
                .map { String($0.dropFirst(name.count + 2)) }
        }

        /// The text of its one message.
        var prompt: String {
            self.body.components(separatedBy: "\"content\":\"").last?
                .components(separatedBy: "\"").first ?? ""
        }

        var maxTokens: Int {
            let rest = self.body.components(separatedBy: "\"max_tokens\":").last ?? ""
            return Int(rest.prefix { $0.isNumber }) ?? -1
        }
    }

    let address: SocketAddress
    private let seen: Seen

    /// Requests so far, in the order they were read.
    var requests: [Request] { self.seen.all }

    /// `script` gets a request and how many came with the same `max_tokens` before it.
    init(_ script: @escaping @Sendable (Request, Int) -> Answer) {
        let seen = Seen()
        let semaphore = DispatchSemaphore(value: 0)
        let bound = Bound()
        _ = Loop.spawn { loop in
            let handler = ScriptedHandler(script, seen)
            let server = HTTPServer(loop, handler: handler)
            bound.set(try? server.listen(SocketAddress(host: "127.0.0.1", port: 0)))
            // Both live as long as the test process: the loop is never torn down.
            _ = Unmanaged.passRetained(handler)
            _ = Unmanaged.passRetained(server)
            semaphore.signal()
        }
        semaphore.wait()
        self.seen = seen
        self.address = bound.address ?? SocketAddress(host: "127.0.0.1", port: 1)
    }

    private final class Bound: Sendable {
        private let value = Mutex<SocketAddress?>(nil)

        var address: SocketAddress? { self.value.withLock { $0 } }

        func set(_ address: SocketAddress?) { self.value.withLock { $0 = address } }
    }
}

/// The requests a server has read; looked at from the test's thread.
final class Seen: Sendable {
    private let requests = Mutex<[ScriptedServer.Request]>([])

    var all: [ScriptedServer.Request] { self.requests.withLock { $0 } }

    /// Returns how many with the same `max_tokens` came before.
    func add(_ request: ScriptedServer.Request) -> Int {
        self.requests.withLock { requests in
            let before = requests.count { $0.maxTokens == request.maxTokens }
            requests.append(request)
            return before
        }
    }
}

private final class ScriptedHandler: ServerHandler {
    private let script: @Sendable (ScriptedServer.Request, Int) -> ScriptedServer.Answer
    private let seen: Seen

    init(
        _ script: @escaping @Sendable (ScriptedServer.Request, Int) -> ScriptedServer.Answer,
        _ seen: Seen
    ) {
        self.script = script
        self.seen = seen
    }

    func serverHead(_ connection: ServerConnection) -> Bool { true }

    func serverRequest(_ connection: ServerConnection) {
        let bytes = connection.buffer.bytes
        let body = connection.bodyRange
        let request = ScriptedServer.Request(
            head: String(decoding: bytes[..<connection.headEnd], as: UTF8.self),
            body: String(decoding: bytes[body.start..<body.end], as: UTF8.self))
        switch self.script(request, self.seen.add(request)) {
        case .plain(let status, let fields, let body):
            connection.respond(
                status: status, fields: { $0.append(text: fields) }, body: Array(body.utf8))
        case .events(let events, let fields, let end):
            self.stream(events + (end == .done ? ["[DONE]"] : []), fields, end, to: connection)
        case .silence: break
        }
    }

    private func stream(
        _ events: [String], _ fields: String, _ end: ScriptedServer.End,
        to connection: ServerConnection
    ) {
        let head = HeadBuilder()
        head.statusLine(200)
        head.append("content-type: text/event-stream\r\n")
        head.append(text: fields)
        connection.appendFraming(head, length: nil)
        head.append("\r\n")
        let body = Array(events.map { "data: \($0)\n\n" }.joined().utf8)
        body.withUnsafeBytes { connection.send(head: head, body: [$0], ends: end != .reset) }
        if end == .reset { connection.abortResponse() }
    }

    func serverFault(_ connection: ServerConnection, _ fault: WireFault) {
        connection.respond(status: 400, body: [])
    }
    func serverOverflow(_ connection: ServerConnection) {
        connection.respond(status: 503, body: [])
    }
    func serverGone(_ connection: ServerConnection) {}
    func serverClosed(_ connection: ServerConnection) {}
    func serverDrained(_ connection: ServerConnection) {}
}

/// Events of the chat surface.
enum Chat {
    static let role = #"{"choices":[{"delta":{"role":"assistant","content":""}}]}"#
    static let word = #"{"choices":[{"delta":{"content":"yes"},"finish_reason":null}]}"#
    static let finish = #"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#

    static func answer(tokens: Int) -> [String] {
        [self.role] + Array(repeating: self.word, count: tokens) + [self.finish]
    }

    static func usage(tokens: Int) -> String {
        #"{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":\#(tokens)}}"#
    }

    static func error(code: String) -> String {
        #"{"error":{"message":"no","type":"t","param":null,"code":"\#(code)"}}"#
    }
}

/// A file that is removed with its owner.
final class TemporaryFile {
    let path: String

    init(_ bytes: some Sequence<UInt8>) throws {
        self.path = NSTemporaryDirectory() + "replay-\(UUID().uuidString)"
        try Data(bytes).write(to: URL(filePath: self.path))
    }

    convenience init(_ text: String) throws {
        try self.init(text.utf8)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: self.path)
    }
}
