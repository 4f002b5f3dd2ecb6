import RequestPath
import Time

/// One model with one endpoint, driven by hand: what arrives, what ends, and when.
struct Bench {
    static let start = Instant(nanos: 1_000_000_000)

    var admission: Admission
    var now = Self.start
    private var actions = ActionBuffer()
    private var nextID: UInt64 = 0
    private var tenants: [UInt64: Int] = [:]
    private var inFlight: [UInt64] = []
    private(set) var refusals: [Refusal] = []

    init(plan: Plan, endpoints: Int = 1) {
        self.admission = Admission(plan: plan, seed: 1)
        for index in 0..<endpoints {
            _ = self.tell(
                .endpointAdded(EndpointID(raw: index), model: ModelID(raw: 0), ready: true))
        }
    }

    /// One request arrives; what was dispatched in the same step.
    @discardableResult
    mutating func arrive(
        tenant: Int = 0, classIndex: Int = 0, promptTokens: UInt32, deadlineNanos: UInt64? = nil
    ) -> [(id: UInt64, dispatch: Dispatch)] {
        let id = self.nextID
        self.nextID += 1
        self.tenants[id] = tenant
        return self.tell(
            .arrive(
                Arrival(
                    request: RequestID(raw: id), model: ModelID(raw: 0),
                    tenant: TenantID(raw: tenant), classIndex: classIndex,
                    promptBytes: promptTokens * 4, promptTokensExact: promptTokens,
                    deadlineNanos: deadlineNanos)))
    }

    /// The request longest at the engine is answered; what was dispatched by that.
    @discardableResult
    mutating func finishOldest(
        outputTokens: UInt32, prompts: [UInt32]
    ) -> [(id: UInt64, dispatch: Dispatch)] {
        guard !self.inFlight.isEmpty else { return [] }
        let id = self.inFlight.removeFirst()
        let prompt = prompts[self.tenants[id] ?? 0]
        let early = self.tell(.firstToken(RequestID(raw: id)))
        let usage = Usage(promptTokens: prompt, outputTokens: outputTokens)
        return early + self.tell(.finish(RequestID(raw: id), usage: usage))
    }

    mutating func tell(_ event: Event) -> [(id: UInt64, dispatch: Dispatch)] {
        self.actions.removeAll()
        self.admission.step(event, now: self.now, into: &self.actions)
        var sent: [(id: UInt64, dispatch: Dispatch)] = []
        for action in self.actions.actions {
            switch action {
            case .dispatch(let id, let dispatch):
                self.inFlight.append(id.raw)
                sent.append((id.raw, dispatch))
            case .refuse(_, let refusal):
                self.refusals.append(refusal)
            default:
                break
            }
        }
        return sent
    }
}
