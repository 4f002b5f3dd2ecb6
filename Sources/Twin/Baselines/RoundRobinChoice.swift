import RequestPath
import Time

/// Each ready endpoint of a model in turn.
struct RoundRobinChoice: Choice {
    /// Requests sent so far, by model.
    private var sent: [Int] = []

    init(plan: Plan, seed: UInt64, knobs: BaselineKnobs) {}

    mutating func pick(for request: LiveRequest, in fleet: Fleet, now: Instant) -> Int {
        let model = Int(request.model)
        while self.sent.count <= model { self.sent.append(0) }
        let position = self.sent[model] % fleet.ready[model].count
        self.sent[model] += 1
        return Int(fleet.ready[model][position])
    }
}
