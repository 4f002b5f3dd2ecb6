import RequestPath
import Time

/// What a gate has decided; carried out in order.
enum Decision: Sendable {
    /// Send it where the choice says. It is refused as `noCapacity` when no endpoint is ready.
    case send(Int)
    case refuse(Int, RefusalReason)
    /// Take it off its engine for another one's sake. Its place with the gate is free already.
    case preempt(Int)
}

/// What every gate and choice looks at: live requests and endpoints, and where a gate leaves its
/// decisions.
struct Books: Sendable {
    var requests: RequestBook
    var fleet: Fleet
    var decisions: [Decision] = []

    init(models: Int, health: BaselineKnobs.Health) {
        self.requests = RequestBook(capacity: Self.startCapacity)
        self.fleet = Fleet(models: models, health: health)
        self.decisions.reserveCapacity(64)
    }

    private static let startCapacity = 1024

    /// Ready endpoints of the request's model.
    func ready(for slot: Int) -> [Int32] {
        self.fleet.ready[Int(self.requests[slot].model)]
    }

    mutating func send(_ slot: Int) { self.decisions.append(.send(slot)) }

    mutating func refuse(_ slot: Int, _ reason: RefusalReason) {
        self.decisions.append(.refuse(slot, reason))
    }

    mutating func preempt(_ slot: Int) { self.decisions.append(.preempt(slot)) }
}
