import RequestPath
import Time

/// Gradient2 on the raw latency of whole requests, a limit for each model's pool: a request above
/// it is refused at once, and none waits.
///
/// That latency grows with the length of an answer as much as with load is why this is no limit
/// for generation; it stands here as it would be put in front of one. Only answers that complete
/// are samples: the library lets its caller ignore others, and its servlet filter does.
/// Source: Netflix concurrency-limits, `SimpleLimiter` over `Gradient2Limit`.
struct GradientGate: Gate {
    private struct Limiter {
        var gradient: Gradient2
        var inFlight = 0
    }

    private var limiters: [Limiter]
    private let knobs: BaselineKnobs.Gradient

    init(plan: Plan, seed: UInt64, knobs: BaselineKnobs) {
        self.knobs = knobs.gradient
        let fresh = Limiter(gradient: Gradient2(knobs: knobs.gradient))
        self.limiters = Array(repeating: fresh, count: plan.models.count)
    }

    mutating func arrive(_ slot: Int, _ books: inout Books, now: Instant) {
        let model = Int(books.requests[slot].model)
        if books.ready(for: slot).isEmpty { return books.refuse(slot, .noCapacity) }
        guard self.limiters[model].inFlight < Int(self.limiters[model].gradient.limit) else {
            return books.refuse(slot, .saturated)
        }
        self.limiters[model].inFlight += 1
        books.requests[slot].countedAtStart = Int32(self.limiters[model].inFlight)
        books.send(slot)
    }

    mutating func ended(_ slot: Int, _ ending: Ending, _ books: inout Books, now: Instant) {
        let request = books.requests[slot]
        self.limiters[Int(request.model)].inFlight -= 1
        guard ending == .finished else { return }
        self.limiters[Int(request.model)].gradient.sample(
            nanos: Double(now.nanosSince(request.arrival)), inFlight: Int(request.countedAtStart))
    }

    mutating func replan(_ plan: Plan, _ books: inout Books, now: Instant) {
        while self.limiters.count < plan.models.count {
            self.limiters.append(Limiter(gradient: Gradient2(knobs: self.knobs)))
        }
    }

    func audit(_ books: Books, into faults: inout [AuditFault]) {
        var counted = Array(repeating: 0, count: self.limiters.count)
        for slot in 0..<books.requests.slotCount where books.requests[slot].phase != .free {
            counted[Int(books.requests[slot].model)] += 1
        }
        for model in counted.indices where counted[model] != self.limiters[model].inFlight {
            faults.append(.capacity(ModelID(raw: model)))
        }
    }
}
