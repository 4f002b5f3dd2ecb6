package import EventLoop
import HTTP
import Time
import Wire

extension Replayer {
    /// The first model that the target lists at `/v1/models`.
    ///
    /// Blocks for at most ten seconds. Throws when the target cannot be reached or lists none.
    package static func firstModel(
        of target: Target, tls: TLSContext? = nil, tenantKey: String? = nil
    ) throws(ReplayFault) -> String {
        let address = try target.resolve()
        let question = ModelQuestion(Loop(), target, address, tls: tls, tenantKey: tenantKey)
        return try question.ask()
    }
}

/// Asks a server once which models it has.
private final class ModelQuestion: ClientHandler {
    private static let timeoutNanos: UInt64 = 10_000_000_000
    private static let answerBytesMax = 1 << 20

    private let loop: Loop
    private let target: Target
    private let tenantKey: String?
    private let endpoint: ClientEndpoint
    private var status = 0
    private var body: [UInt8] = []
    private var problem: String?

    init(
        _ loop: Loop, _ target: Target, _ address: SocketAddress, tls: TLSContext?,
        tenantKey: String?
    ) {
        self.loop = loop
        self.target = target
        self.tenantKey = tenantKey
        self.endpoint = ClientEndpoint(
            loop, address: address, host: target.host, tls: target.isTLS ? tls : nil)
    }

    func ask() throws(ReplayFault) -> String {
        let head = HeadBuilder()
        head.append(text: "GET \(self.target.path)/v1/models HTTP/1.1\r\n")
        head.field("host", text: self.target.authority)
        head.field("user-agent", "plimsoll-replay")
        if let key = self.tenantKey { head.field("authorization", text: "Bearer \(key)") }
        head.append("\r\n")
        let connection = self.endpoint.connection()
        head.withBytes { bytes in
            var one = [WriteBuffer(bytes)]
            one.withUnsafeMutableBufferPointer { connection.send($0, handler: self) }
        }
        let timer = LoopTimer(self.loop) { [unowned self] in
            self.problem = "does not answer within 10 s"
            self.loop.stop()
        }
        timer.arm(at: self.loop.now.advanced(byNanos: Self.timeoutNanos))
        self.loop.run()
        timer.close()
        connection.close()
        self.endpoint.close()
        if self.problem == nil, self.status != 200 { self.problem = "answers \(self.status)" }
        if let problem = self.problem {
            let url = "\(self.target.authority)\(self.target.path)/v1/models"
            throw ReplayFault("\(url) \(problem); name the model with --model")
        }
        guard let name = Self.firstID(self.body) else {
            throw ReplayFault(
                "\(self.target.authority) lists no model; name one with --model")
        }
        return name
    }

    /// The first `id` behind `data` of an OpenAI list.
    private static func firstID(_ body: [UInt8]) -> String? {
        let bytes = body.span
        let all = ByteRange(start: 0, end: body.count)
        guard let data = Bytes.find("\"data\"", in: bytes, all),
            let key = Bytes.find("\"id\"", in: bytes, ByteRange(start: data, end: body.count))
        else { return nil }
        var at = Bytes.skippingBlanks(bytes, key + 4, body.count)
        guard at < body.count, body[at] == Bytes.colon else { return nil }
        at = Bytes.skippingBlanks(bytes, at + 1, body.count)
        guard at < body.count, body[at] == UInt8(ascii: "\"") else { return nil }
        var name: [UInt8] = []
        at += 1
        while at < body.count, body[at] != UInt8(ascii: "\"") {
            // A slash, a quote or a backslash may be escaped; nothing else is in a model's name.
            if body[at] == UInt8(ascii: "\\"), at + 1 < body.count { at += 1 }
            name.append(body[at])
            at += 1
        }
        return at < body.count && !name.isEmpty ? String(decoding: name, as: UTF8.self) : nil
    }

    func clientHead(_ connection: ClientConnection, _ head: ResponseHead, _ bytes: Span<UInt8>) {
        self.status = head.status
    }

    func clientBody(_ connection: ClientConnection, _ bytes: UnsafeRawBufferPointer) {
        if self.body.count < Self.answerBytesMax { self.body.append(contentsOf: bytes) }
    }

    func clientFlush(_ connection: ClientConnection) {}

    func clientEnd(_ connection: ClientConnection) {
        self.loop.stop()
    }

    func clientFailed(_ connection: ClientConnection, _ failure: ClientFailure) {
        switch failure {
        case .connect(let error): self.problem = "cannot be reached: \(error.message)"
        case .disconnected: self.problem = "broke the connection"
        case .malformed: self.problem = "does not speak HTTP/1.1"
        }
        self.loop.stop()
    }
}
