import RequestPath
import Testing

/// Properties over seeded random event sequences; a failure names its seed.
@Suite struct InvariantTests {
    @Test func `every request is settled once and the books balance after every event`() {
        var settled = 0
        var hedges = 0
        for seed in UInt64(1)...200 {
            var world = RandomWorld(seed: seed)
            world.run(steps: 700)
            #expect(world.faults == [], "seed \(seed)")
            #expect(world.settled == world.arrivals, "seed \(seed)")
            settled += world.settled
            hedges += world.hedges
            if !world.faults.isEmpty { return }
        }
        #expect(settled > 40_000 && hedges > 100)
    }

    /// The books tell of a request that waits although an endpoint has room, and of an index that
    /// differs from the endpoints.
    @Test func `a pool too large to be compared whole misses no room`() {
        var waits = 0
        for seed in UInt64(1)...60 {
            var world = RandomWorld(seed: seed, endpointsMax: 80, hasPrefixes: seed % 2 == 0)
            world.run(steps: 1000)
            #expect(world.faults == [], "seed \(seed)")
            #expect(world.settled == world.arrivals, "seed \(seed)")
            waits += world.waits
            if !world.faults.isEmpty { return }
        }
        #expect(waits > 100)
    }

    @Test func `the same events give the same actions`() {
        for seed in UInt64(1)...10 {
            var first = RandomWorld(seed: seed)
            var second = RandomWorld(seed: seed)
            first.run(steps: 500)
            second.run(steps: 500)
            #expect(first.log == second.log, "seed \(seed)")
        }
    }
}
