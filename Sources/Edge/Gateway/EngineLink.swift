import Budget
import EventLoop
import HTTP

/// One loop's way to one engine endpoint.
final class EngineLink {
    let client: ClientEndpoint
    /// `host: ...` and, where the engine wants one, `authorization: ...`: complete lines.
    let hostAndAuthorization: [UInt8]
    /// `host:port`, for headers and records.
    let name: String
    private let engine: EngineEndpoint
    private let address: SocketAddress
    private let authorization: String?

    init?(
        _ loop: Loop, endpoint: GatewayConfig.Endpoint, authorization: String?, tls: TLSContext?,
        connectNanosMax: UInt64
    ) {
        guard let address = endpoint.address else { return nil }
        // A reload may bring the first https engine: without TLS nothing is sent, least of all
        // a key.
        if endpoint.engine.isTLS, tls == nil { return nil }
        self.engine = endpoint.engine
        self.address = address
        self.authorization = authorization
        self.name = endpoint.engine.authority
        self.client = ClientEndpoint(
            loop, address: address, host: endpoint.engine.host,
            tls: endpoint.engine.isTLS ? tls : nil, connectNanosMax: connectNanosMax)
        let lines = HeadBuilder()
        lines.field("host", text: endpoint.engine.authority)
        if let authorization { lines.field("authorization", text: authorization) }
        self.hostAndAuthorization = lines.withBytes { Array($0) }
    }

    /// Whether a reload left this endpoint as it was.
    func matches(_ endpoint: GatewayConfig.Endpoint, _ authorization: String?) -> Bool {
        endpoint.engine == self.engine && endpoint.address == self.address
            && authorization == self.authorization
    }
}
