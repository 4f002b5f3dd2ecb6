import Scaling
import Statistics
import Testing
import Time

private let second: UInt64 = 1_000_000_000

/// A budget of which 1 % may be late, a request waiting at most half a second.
private func plan(
    min least: Int = 1, max most: Int = 64, lead: UInt64 = 120, coldStart: UInt64 = 0,
    stabilization: UInt64 = 600
) -> ScalingPlan {
    ScalingPlan(
        replicasMin: least, replicasMax: most, stabilizationNanos: stabilization * second,
        waitNanos: second / 2, coldStartNanos: coldStart * second, leadNanos: lead * second)
}

@Suite struct ScalerTests {
    @Test func `terms add up to the target in every decision`() {
        var work = PoissonWork(seed: 1)
        var fleet = FluidFleet(plan(), replicas: 1)
        for index in 0..<3_600 {
            fleet.second(work.second(level: index % 1_500 < 300 ? 9 : 3))
        }
        #expect(fleet.decisions.count == 720)
        for decision in fleet.decisions {
            #expect(abs(decision.terms.sum - Double(decision.target)) < 1e-9)
        }
    }

    @Test(arguments: zip([2, 8, 8, 32], [0.5, 0.1, 0.95, 0.95]))
    func `a constant load turns the fleet at most once an hour`(_ replicas: Int, _ load: Double) {
        var work = PoissonWork(seed: UInt64(replicas * 100) + UInt64(load * 100))
        var fleet = FluidFleet(plan(), replicas: replicas)
        let hours = 2
        for _ in 0..<(hours * 3_600) {
            fleet.second(work.second(level: load * Double(replicas)))
        }
        #expect(fleet.turns <= hours, "\(fleet.turns) turns")
        #expect(fleet.missedAfterDown <= 0.01 * fleet.offered)
        #expect(fleet.missed <= 0.02 * fleet.offered)
    }

    @Test func `a step is answered in one decision, and the fleet goes no higher later`() {
        var fleet = FluidFleet(plan(), replicas: 2)
        var work = PoissonWork(seed: 3)
        for _ in 0..<1_800 { fleet.second(work.second(level: 1.5)) }
        let before = fleet.decisions.count
        for _ in 0..<900 { fleet.second(work.second(level: 12)) }
        let ups = fleet.decisions[before...].filter { $0.target > $0.current }
        // Twelve, and what holds the tail: the first decision asks for nearly all of it.
        let most = ups.map(\.target).max() ?? 0
        #expect((14...18).contains(most), "\(ups.map(\.target))")
        #expect(Double(ups.first?.target ?? 0) >= 0.75 * Double(most))
    }

    @Test func `from zero one decision asks for what the rate and the wait need`() {
        var fleet = FluidFleet(plan(min: 0, lead: 60, coldStart: 120), replicas: 0)
        var work = PoissonWork(seed: 4)
        for _ in 0..<600 { fleet.second(work.second(level: 3)) }
        let ups = fleet.decisions.filter { $0.target > $0.current }
        #expect(fleet.missed < 0.01 * fleet.offered)
        #expect(ups.count == 1)
    }

    @Test func `without work the fleet goes to its floor, a step at a time`() {
        var fleet = FluidFleet(plan(min: 0, stabilization: 60), replicas: 5)
        var work = PoissonWork(seed: 5)
        for _ in 0..<900 { fleet.second(work.second(level: 3)) }
        for _ in 0..<1_800 { fleet.second([]) }
        #expect(fleet.replicas == 0)
        #expect(fleet.decisions.allSatisfy { $0.target >= $0.current - 1 })
    }

    @Test func `what starts take is believed as declared, and then as it was seen`() {
        var lead = LeadTime(declaredNanos: 60 * second)
        #expect((58...62).contains(lead.nanos(0.9, now: .zero) / second))
        for hour in 1...20 as ClosedRange<UInt64> {
            lead.learn(nanos: 200 * second, now: Instant(nanos: hour * 3_600 * second))
        }
        let seen = lead.nanos(0.9, now: Instant(nanos: 72_000 * second)) / second
        #expect((190...210).contains(seen), "\(seen)")
    }

    @Test func `replicas on their way are counted, so that waiting for them asks for no more`() {
        var fleet = FluidFleet(plan(lead: 300), replicas: 1)
        var work = PoissonWork(seed: 6)
        for _ in 0..<1_200 { fleet.second(work.second(level: 6)) }
        let most = fleet.decisions.map(\.target).max() ?? 0
        #expect((8...10).contains(most))
    }
}
