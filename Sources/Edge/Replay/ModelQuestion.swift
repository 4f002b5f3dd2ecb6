package import EventLoop
import FoundationEssentials
import HTTP
import Time
import Wire

/// A model that a server lists.
package struct ServedModel: Sendable, Equatable {
    /// What requests ask for.
    package var name: String
    /// Prompt and answer together, in tokens; `nil` where the server does not tell it
    /// (`max_model_len` is vLLM's and SGLang's).
    package var contextTokens: Int?

    /// Names a model.
    package init(name: String, contextTokens: Int? = nil) {
        self.name = name
        self.contextTokens = contextTokens
    }
}

extension Replayer {
    /// The first model that the target lists at `/v1/models`.
    ///
    /// Blocks for at most ten seconds. Throws when the target cannot be reached or lists none.
    package static func firstModel(
        of target: Target, tls: TLSContext? = nil, tenantKey: String? = nil
    ) throws(ReplayFault) -> String {
        let models = try Self.models(of: target, tls: tls, tenantKey: tenantKey)
        guard let first = models.first else {
            throw ReplayFault("\(target.authority) lists no model; name one with --model")
        }
        return first.name
    }

    /// The models that the target lists at `/v1/models`, in its order; empty when the answer is no
    /// such list.
    ///
    /// Blocks for at most ten seconds. Throws when the target cannot be reached or answers with an
    /// error.
    package static func models(
        of target: Target, tls: TLSContext? = nil, tenantKey: String? = nil
    ) throws(ReplayFault) -> [ServedModel] {
        let address = try target.resolve()
        let question = ModelQuestion(Loop(), target, address, tls: tls, tenantKey: tenantKey)
        return ModelList.models(try question.ask())
    }
}

/// OpenAI's list of models, with what engines add to it.
private struct ModelList: Decodable {
    struct Entry: Decodable {
        var id: String?
        var contextTokens: Int?

        enum CodingKeys: String, CodingKey {
            case id
            case contextTokens = "max_model_len"
        }
    }

    var data: [Entry]

    static func models(_ body: [UInt8]) -> [ServedModel] {
        guard let list = try? JSONDecoder().decode(Self.self, from: Data(body)) else { return [] }
        return list.data.compactMap { entry in
            guard let id = entry.id, !id.isEmpty else { return nil }
            let context = entry.contextTokens.flatMap { $0 > 0 ? $0 : nil }
            return ServedModel(name: id, contextTokens: context)
        }
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

    /// The body of the answer.
    func ask() throws(ReplayFault) -> [UInt8] {
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
        return self.body
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
