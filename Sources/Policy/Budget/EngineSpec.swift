/// How a model's engine is reached or run.
package struct EngineSpec: Sendable, Equatable {
    package var kind: EngineKind
    /// Fixed endpoints on one machine; empty on Kubernetes, and for engines `plimsoll up` starts.
    package var endpoints: [EngineEndpoint]
    /// The workload, where the model runs on Kubernetes.
    package var workload: EngineWorkload?
    /// Port of the engine's container.
    package var port: UInt16?
    /// The name the engine itself knows the model by; `nil`: the model's own name.
    package var servedModelName: String?
    /// Where the engine's bearer token is read; a client's own is never forwarded.
    package var bearer: BearerSource?
    /// Written cap on requests in one endpoint; `nil` is none.
    package var concurrentRequestsMax: UInt32?
    /// Written cap on tokens in one endpoint; `nil` is none.
    package var tokensInFlightMax: UInt64?
    /// Prompt and output together.
    package var maxContextTokens: UInt32?

    package init(
        kind: EngineKind, endpoints: [EngineEndpoint] = [], workload: EngineWorkload? = nil,
        port: UInt16? = nil, servedModelName: String? = nil, bearer: BearerSource? = nil,
        concurrentRequestsMax: UInt32? = nil, tokensInFlightMax: UInt64? = nil,
        maxContextTokens: UInt32? = nil
    ) {
        self.kind = kind
        self.endpoints = endpoints
        self.workload = workload
        self.port = port
        self.servedModelName = servedModelName
        self.bearer = bearer
        self.concurrentRequestsMax = concurrentRequestsMax
        self.tokensInFlightMax = tokensInFlightMax
        self.maxContextTokens = maxContextTokens
    }
}

/// Which engine it is: decides metrics names, health and drain habits.
package enum EngineKind: String, CaseIterable, Sendable {
    case vllm
    case sglang
    case trtllm
    case triton
    case openai
    case simulated
}

/// One engine's address. There is no path: requests keep their own.
package struct EngineEndpoint: Hashable, Sendable {
    /// TLS, the certificate verified.
    package var isTLS: Bool
    /// A name in lower case, an IPv4 address, or an IPv6 address without its brackets.
    package var host: String
    package var port: UInt16

    package init(isTLS: Bool = false, host: String, port: UInt16) {
        self.isTLS = isTLS
        self.host = host
        self.port = port
    }

    /// What a `Host` header says: the port only where it is not the scheme's own.
    package var authority: String {
        let host = self.host.utf8.contains(UInt8(ascii: ":")) ? "[\(self.host)]" : self.host
        return self.port == (self.isTLS ? 443 : 80) ? host : "\(host):\(self.port)"
    }

    /// The canonical URL, without a trailing slash.
    package var url: String {
        "\(self.isTLS ? "https" : "http")://\(self.authority)"
    }
}

/// Where a secret is read from; the secret itself is never part of a configuration.
package enum BearerSource: Sendable, Equatable {
    /// Name of an environment variable.
    case env(String)
    /// Path of a file that holds nothing else.
    case file(String)
}

/// Who owns the engine's workload on Kubernetes.
package enum EngineWorkload: Sendable, Equatable {
    /// Plimsoll writes it from an image, its arguments and what the pod template adds.
    case owned(image: String, arguments: [String], podTemplate: FreeForm?)
    /// It is someone else's, scaled through its scale subresource.
    case adopted(apiVersion: String, kind: String, name: String)
}
