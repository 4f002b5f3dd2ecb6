import RequestPath
import Time

/// The product's own choice under a gate of the field: least predicted completion by the ledger of
/// token work, less what the prefix cache saves. The gate decides when; this decides where.
struct LedgerChoice: Choice {
    private var ledger: Admission
    /// What is live, as it arrived: a gate's book knows less of it.
    private var arrivals: [RequestID: Arrival] = [:]

    init(plan: Plan, seed: UInt64, knobs: BaselineKnobs) {
        self.ledger = Admission(plan: plan, seed: seed)
    }

    mutating func hear(_ event: Event, now: Instant) {
        switch event {
        case .arrive(let arrival): self.arrivals[arrival.request] = arrival
        case .finish(let id, _), .declined(let id), .cancel(let id):
            self.arrivals[id] = nil
            self.tell(event, now: now)
        // Whether it is tried again is the gate's to say; it is placed anew then.
        case .attemptFailed(let id, _, _): self.tell(.cancel(id), now: now)
        // Its deadlines are not the gate's, and it holds nobody back.
        case .tick, .hedgeWon, .hedgeFailed: break
        case .firstToken, .progress, .endpointAdded, .endpointRemoved, .probed, .scraped, .replan:
            self.tell(event, now: now)
        }
    }

    mutating func pick(for request: LiveRequest, in fleet: Fleet, now: Instant) -> Int {
        let ready = fleet.ready[Int(request.model)]
        guard let arrival = self.arrivals[request.id],
            let endpoint = self.ledger.place(arrival, among: ready, now: now)
        else { return Int(ready[0]) }
        return endpoint.raw
    }

    mutating func forget(request id: RequestID, now: Instant) {
        self.arrivals[id] = nil
        self.tell(.cancel(id), now: now)
    }

    private mutating func tell(_ event: Event, now: Instant) {
        // Nothing waits here, so that nothing but looks at health can follow.
        var actions = ActionBuffer(capacity: 1)
        self.ledger.step(event, now: now, into: &actions)
    }
}
