// `DecisionCost QUEUED ENDPOINTS REQUESTS [untimed]`: what a step of admission costs on a saturated
// model. Prints one JSON object of nanoseconds; untimed it prints nothing and takes no clock, so
// that what it allocates is admission's alone. Built and read by `Benchmarks/evidence decision`.

import Glibc

let words = CommandLine.arguments.dropFirst()
let numbers = words.prefix(3).compactMap { Int($0) }
guard numbers.count == 3, numbers.allSatisfy({ $0 > 0 }),
    words.count == 3 || (words.count == 4 && words.last == "untimed")
else {
    print("usage: DecisionCost QUEUED ENDPOINTS REQUESTS [untimed]")
    exit(2)
}
var model = SaturatedModel(queued: numbers[0], endpoints: numbers[1])
// Learned, and grown to their largest, before anything counts.
model.run(requests: max(20_000, 10 * numbers[1]))
model.fill(to: numbers[0])
if words.count == 4 {
    model.run(requests: numbers[2])
} else {
    var samples = Samples(requests: numbers[2])
    model.run(requests: numbers[2], into: &samples)
    print(samples.json(queued: model.queued))
}
