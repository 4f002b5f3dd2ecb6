import RequestPath
import Statistics
import Time

/// A model with a long queue whose endpoints are all full: one request arrives for each that ends.
struct SaturatedModel {
    private static let tenants = 100

    private var admission: Admission
    private var actions = ActionBuffer()
    private var now = Instant(nanos: 1_000_000_000)
    private var nextID: UInt64 = 0
    /// Requests at endpoints in a ring, the oldest first.
    private var inFlight: [UInt64]
    private var oldest = 0
    private var count = 0
    private var random = SeededRandom(seed: 3)

    init(queued: Int, endpoints: Int) {
        let only = ClassPlan(
            name: "only", planNanos: 1 << 60, deadlineNanos: 1 << 60, queueRequestsMax: 2 * queued)
        let plan = Plan(
            models: [
                ModelPlan(
                    name: "chat", classes: [only], ladder: [.cap(outputTokens: 64)],
                    interTokenBoundNanos: 80_000_000, concurrentRequestsMax: 32)
            ],
            tenants: (0..<Self.tenants).map { TenantPlan(name: "tenant\($0)") })
        admission = Admission(plan: plan, seed: 1)
        inFlight = Array(repeating: 0, count: endpoints * 64)
        for index in 0..<endpoints {
            tell(.endpointAdded(EndpointID(raw: index), model: ModelID(raw: 0), ready: true))
        }
        fill(to: queued)
    }

    /// Requests arrive until so many wait.
    mutating func fill(to queued: Int) {
        while self.queued < queued { tell(.arrive(arrival())) }
    }

    /// Requests that wait at the gateway.
    var queued: Int {
        admission.gauges(of: ModelID(raw: 0), classIndex: 0)?.queuedRequests ?? 0
    }

    /// So many arrivals and ends, nothing measured.
    mutating func run(requests: Int) {
        for _ in 0..<requests {
            now = now.advanced(byNanos: 100_000)
            tell(.arrive(arrival()))
            guard let id = takeOldest() else { continue }
            tell(.firstToken(id))
            tell(.progress(id, outputTokens: 40))
            tell(.finish(id, usage: Self.usage))
        }
    }

    /// The same, with the time of every step.
    mutating func run(requests: Int, into samples: inout Samples) {
        let clock = ContinuousClock()
        for _ in 0..<requests {
            now = now.advanced(byNanos: 100_000)
            let arrival = arrival()
            samples.add(clock.measure { tell(.arrive(arrival)) }, .arrive)
            guard let id = takeOldest() else { continue }
            samples.add(clock.measure { tell(.firstToken(id)) }, .firstToken)
            samples.add(clock.measure { tell(.progress(id, outputTokens: 40)) }, .progress)
            samples.add(clock.measure { tell(.finish(id, usage: Self.usage)) }, .finish)
        }
    }

    private static let usage = Usage(promptTokens: 500, outputTokens: 80)

    private mutating func arrival() -> Arrival {
        let id = nextID
        nextID += 1
        return Arrival(
            request: RequestID(raw: id), model: ModelID(raw: 0),
            tenant: TenantID(raw: Int(random.uniform(below: UInt64(Self.tenants)))), classIndex: 0,
            promptBytes: UInt32(400 + random.uniform(below: 4_000)), outputTokensMax: 256,
            promptHash: id)
    }

    private mutating func takeOldest() -> RequestID? {
        guard count > 0 else { return nil }
        let id = RequestID(raw: inFlight[oldest])
        oldest = (oldest + 1) % inFlight.count
        count -= 1
        return id
    }

    private mutating func tell(_ event: Event) {
        actions.removeAll()
        admission.step(event, now: now, into: &actions)
        for index in 0..<actions.actions.count {
            guard case .dispatch(let id, _) = actions.actions[index] else { continue }
            precondition(count < inFlight.count, "more requests are in flight than limits allow")
            inFlight[(oldest + count) % inFlight.count] = id.raw
            count += 1
        }
    }
}
