import EngineModel
import Report
import RequestPath
import Statistics
import Testing
import Workload
import World

/// The clairvoyant bound.
@Suite struct FluidServerTests {
    @Test func `work that fits is done, and what ends before its turn is let go`() {
        var server = FluidServer(rate: 1)
        // Two pieces of 10 within 12: one and a fifth of the other fit.
        server.add(work: 10, from: 0, until: 12)
        server.add(work: 10, from: 0, until: 12)
        server.add(work: 5, from: 20, until: 25)
        server.finish()
        #expect(server.served == 17)
    }

    @Test func `the piece that ends first goes first, even past one that came before it`() {
        var server = FluidServer(rate: 1)
        server.add(work: 10, from: 0, until: 20)
        server.add(work: 10, from: 5, until: 15)
        server.finish()
        #expect(server.served == 20)
    }

    @Test func `twice the rate does twice the work of a burst`() {
        for (rate, served) in [(1.0, 100.0), (2, 200), (8, 800), (16, 1_000)] {
            var server = FluidServer(rate: rate)
            for _ in 0..<10 { server.add(work: 100, from: 50, until: 150) }
            server.finish()
            #expect(server.served == served)
        }
    }

    @Test func `pieces without an end are all done`() {
        var server = FluidServer(rate: 0.001)
        for at in UInt64(0)..<100 { server.add(work: 1_000, from: at, until: .max) }
        server.finish()
        #expect(abs(server.served - 100_000) < 1e-6)
    }

    @Test func `no assignment of units of work to units of time does more`() {
        for seed in UInt64(1)...300 {
            var random = SeededRandom(seed: seed)
            var server = FluidServer(rate: 1)
            var windows: [Range<Int>] = []
            var at = 0
            for _ in 0..<(1 + Int(random.uniform(below: 8))) {
                at += Int(random.uniform(below: 3))
                let length = 1 + Int(random.uniform(below: 6))
                let work = 1 + Int(random.uniform(below: 4))
                server.add(work: Double(work), from: UInt64(at), until: UInt64(at + length))
                for _ in 0..<work { windows.append(at..<(at + length)) }
            }
            server.finish()
            #expect(server.served == Double(Self.matching(windows)), "seed \(seed)")
        }
    }

    /// The size of a maximum matching of units to slots, by augmenting paths.
    private static func matching(_ windows: [Range<Int>]) -> Int {
        var holder: [Int: Int] = [:]
        func place(_ unit: Int, _ seen: inout Set<Int>) -> Bool {
            for slot in windows[unit] where seen.insert(slot).inserted {
                let other = holder[slot]
                if let other, !place(other, &seen) { continue }
                holder[slot] = unit
                return true
            }
            return false
        }
        return windows.indices.count { unit in
            var seen: Set<Int> = []
            return place(unit, &seen)
        }
    }

    @Test func `memory follows what waits, not the length of the trace`() {
        var server = FluidServer(rate: 1)
        var most = 0
        for index in UInt64(0)..<100_000 {
            server.add(work: 15, from: index * 10, until: index * 10 + 100)
            most = max(most, server.waiting)
        }
        server.finish()
        #expect(most <= 11)
        // Half as much again as it can do: it is never idle, and what it does ends with the last.
        #expect(server.served > 999_990)
        #expect(server.waiting == 0)
    }

    @Test func `below capacity the bound is everything and regret is what a policy lost`() throws {
        var scenario = HandWorld.scenario()
        scenario.capacityWork = 1
        let rows = (0..<20).map { "\($0),100,10" }
        let served = try HandWorld.run(scenario, .sendsAll(), rows)
        #expect(served.bound?.share == 1)
        #expect(served.goodputInWork.share == 1)
        #expect(served.regret == 0)
        var count = 0
        let policy = HandPolicy { event, _, actions in
            guard case .arrive(let arrival) = event else { return }
            count += 1
            if count % 4 == 0 {
                actions.refuse(arrival.request)
            } else {
                actions.send(arrival.request)
            }
        }
        let refused = try HandWorld.run(scenario, policy, rows)
        #expect(refused.bound?.share == 1)
        #expect(abs(refused.goodputInWork.share - 0.75) < 1e-9)
        #expect(abs((refused.regret ?? 0) - 0.25) < 1e-9)
    }

    @Test func `without a capacity there is neither bound nor regret`() throws {
        let outcome = try HandWorld.run(HandWorld.scenario(), .sendsAll(), ["0,100,10"])
        #expect(outcome.bound == nil)
        #expect(outcome.regret == nil)
    }

    @Test func `a burst beyond its windows bounds every policy, and the product stays inside`()
        throws
    {
        // The hand world's steps cost the same whatever is in them; this needs a real one.
        var scenario = HandWorld.scenario(engines: 2)
        var engine = EngineProfile.llama31With8B.configuration
        engine.batchedTokensMax = 1_024
        scenario.pools[0].engine = engine
        scenario.budget = ReportBudget(objectives: [
            ReportBudget.Objective(
                stage: .ttft, quantilePerMillion: 990_000, boundNanos: HandWorld.second / 2),
            ReportBudget.Objective(
                stage: .itl, quantilePerMillion: 990_000, boundNanos: 100_000_000),
        ])
        scenario.capacityWork = 2
        let load = GeneratorSpec(
            process: .step(rate: 1, peak: 200, atSeconds: 5, forSeconds: 2),
            input: LengthRange(100, 1_900), output: LengthRange(1, 100))
        var transform = ArrivalStream.Transform()
        transform.durationNanos = 20 * HandWorld.second
        let outcome = try PolicyUnderTest.plimsoll.run(
            scenario, arrivals: ArrivalStream(spec: load, seed: 1, transform: transform))
        let bound = try #require(outcome.bound)
        #expect(bound.share < 0.8)
        #expect(outcome.goodputInWork.share < bound.share)
        #expect(outcome.goodputInWork.share > 0)
        #expect(bound.perSecond <= 2)
        // Two engines do as much as a capacity of two engine seconds a second.
        #expect(outcome.engineBound == bound)
    }
}
