import RequestPath
import Time

/// llm-d-router with flow control off, as most clusters run it: a request of negative priority is
/// refused while the pool is full, and everything else is sent at once, however full it is.
///
/// Source: `requestcontrol/admission.go`, the legacy path.
struct NoGate: Gate {
    private var plan: Plan
    private let saturation: Saturation

    init(plan: Plan, seed: UInt64, knobs: BaselineKnobs) {
        self.plan = plan
        self.saturation = Saturation(knobs: knobs.detector)
    }

    mutating func arrive(_ slot: Int, _ books: inout Books, now: Instant) {
        let model = Int(books.requests[slot].model)
        let classIndex = Int(books.requests[slot].classIndex)
        if books.ready(for: slot).isEmpty { return books.refuse(slot, .noCapacity) }
        if Priority.isSheddable(classIndex: classIndex, of: self.plan.models[model]),
            self.saturation.value(model: model, books.fleet, now: now) >= 1
        {
            return books.refuse(slot, .saturated)
        }
        books.send(slot)
    }

    mutating func replan(_ plan: Plan, _ books: inout Books, now: Instant) {
        self.plan = plan
    }
}
