import RequestPath
import Statistics
import Time

/// Power of two choices: of two endpoints drawn at random the one with fewer requests in flight,
/// by the gateway's own count; the first drawn when both have as many.
///
/// Source: Mitzenmacher, "The power of two choices in randomized load balancing", 2001; SMG's
/// `power_of_two` where engines report no load of their own.
struct TwoRandomChoice: Choice {
    private var random: SeededRandom

    init(plan: Plan, seed: UInt64, knobs: BaselineKnobs) {
        self.random = SeededRandom(seed: seed)
    }

    mutating func pick(for request: LiveRequest, in fleet: Fleet, now: Instant) -> Int {
        let model = Int(request.model)
        let count = fleet.ready[model].count
        guard count > 1 else { return Int(fleet.ready[model][0]) }
        let first = Int(self.random.uniform(below: UInt64(count)))
        let step = 1 + Int(self.random.uniform(below: UInt64(count - 1)))
        let one = Int(fleet.ready[model][first])
        let other = Int(fleet.ready[model][(first + step) % count])
        return fleet[one].inFlight <= fleet[other].inFlight ? one : other
    }
}
