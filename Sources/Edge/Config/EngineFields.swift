import Budget

extension Field {
    /// Reads `engine`.
    func engine() -> EngineSpec? {
        guard var fields = Fields(self) else { return nil }
        let kind = fields.required("kind", "which engine it is")?.choice(of: EngineKind.self)
        let endpoints = fields.optional("endpoints")?.endpoints() ?? []
        let workload = self.workload(&fields)
        let port = fields.optional("port")?.integer(in: UInt16(1)...UInt16.max)
        let servedName = fields.optional("servedModelName")?.modelAlias()
        let auth = fields.optional("auth")
        let bearer = auth?.auth()
        let limits = fields.optional("limits")?.engineLimits()
        let context = fields.optional("maxContextTokens")?.integer(
            in: UInt32(1)...UInt32(100_000_000))
        fields.close()
        guard let kind else { return nil }
        let isRunElsewhere = kind == .simulated || fields.has("image") || fields.has("workload")
        if !isRunElsewhere, !fields.has("endpoints") {
            self.faults.add(
                self.keyPosition,
                "\(self.path) has no endpoints: write endpoints: [\"http://host:port\"], "
                    + "or on Kubernetes an image or a workload")
        }
        if let auth, let open = endpoints.first(where: { !$0.isTLS && !$0.isLoopback }) {
            self.faults.warn(
                auth.keyPosition,
                "\(auth.path) is sent unencrypted to \(open.url): use https")
        }
        return EngineSpec(
            kind: kind, endpoints: endpoints, workload: workload, port: port,
            servedModelName: servedName, bearer: bearer,
            concurrentRequestsMax: limits?.concurrentRequests,
            tokensInFlightMax: limits?.tokensInFlight, maxContextTokens: context)
    }

    private func endpoints() -> [EngineEndpoint]? {
        guard let items = self.items(max: 1024) else { return nil }
        if items.isEmpty {
            self.fault("\(self.path) is empty: write a URL such as http://127.0.0.1:8001")
        }
        var seen: Set<EngineEndpoint> = []
        return items.compactMap { item -> EngineEndpoint? in
            guard let text = item.string("a URL") else { return nil }
            do throws(EndpointFault) {
                let endpoint = try EngineEndpoint(parsing: text)
                if !seen.insert(endpoint).inserted {
                    item.fault("\(item.path) repeats \(endpoint.url): remove one")
                }
                return endpoint
            } catch {
                item.fault("\(item.path) \(error.message)", suggestion: error.suggestion)
                return nil
            }
        }
    }

    private func workload(_ fields: inout Fields) -> EngineWorkload? {
        let imageField = fields.optional("image")
        let image = imageField?.string("an image reference", lengthMax: 512) {
            $0 > 0x20 && $0 < 0x7F
        }
        let arguments = fields.optional("args")?.engineArguments() ?? []
        let template = fields.optional("podTemplate")
        let podTemplate = template?.freeFormMap()
        let adoptedField = fields.optional("workload")
        let adopted = adoptedField?.adoptedWorkload()
        if let adoptedField {
            for key in ["image", "args", "podTemplate"] where fields.has(key) {
                self.faults.add(
                    adoptedField.keyPosition,
                    "\(self.path) has both workload and \(key): an adopted workload keeps its own,"
                        + " remove one")
            }
            return adopted
        }
        return image.map {
            .owned(image: $0, arguments: arguments, podTemplate: podTemplate)
        }
    }

    private func engineArguments() -> [String]? {
        self.items(max: 256)?.compactMap { item in
            guard let text = item.argument() else { return nil }
            if text.hasPrefix("--api-key") {
                item.fault(
                    "\(item.path): a secret must not be written here: "
                        + "pass it to the engine in an environment variable from a Secret")
            }
            return text
        }
    }

    /// An argument of a program: text, also where it looks like a number.
    private func argument() -> String? {
        self.string("a string, quoted where it is a number")
    }

    private func adoptedWorkload() -> EngineWorkload? {
        guard var fields = Fields(self) else { return nil }
        let apiVersion = fields.required("apiVersion", "such as apps/v1")?.string()
        let kind = fields.required("kind", "such as Deployment")?.string()
        let name = fields.required("name", "the workload's name")?.string()
        fields.close()
        guard let apiVersion, let kind, let name else { return nil }
        return .adopted(apiVersion: apiVersion, kind: kind, name: name)
    }

    private func engineLimits() -> (concurrentRequests: UInt32?, tokensInFlight: UInt64?)? {
        guard var fields = Fields(self) else { return nil }
        let requests = fields.optional("concurrentRequests")?.integer(
            in: UInt32(1)...UInt32(1_000_000))
        let tokens = fields.optional("tokensInFlight")?.integer(
            in: UInt64(1)...UInt64(1_000_000_000_000))
        fields.close()
        return (requests, tokens)
    }
}

extension EngineEndpoint {
    /// The endpoint is this machine.
    fileprivate var isLoopback: Bool {
        self.host == "localhost" || self.host == "::1" || self.host.hasPrefix("127.")
    }
}
