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

    @Test func `from zero one who waits is enough, however little it asks for`() {
        var scaler = Scaler(plan: plan(min: 0, coldStart: 120), replicas: 0)
        var input = ScalingInput(at: Instant(nanos: second), work: [1, 0, 0, 0, 0], ready: 0)
        #expect(scaler.decide(input).target == 0)
        input.queued = 1
        let decision = scaler.decide(input)
        #expect(decision.target == 1)
        #expect(decision.binding == .backlog)
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

    @Test func `what was kept of a decision is enough to make it again`() {
        var work = PoissonWork(seed: 7)
        var fleet = FluidFleet(plan(), replicas: 2)
        for index in 0..<9_000 {
            fleet.second(work.second(level: index % 4_000 < 800 ? 8 : 2))
        }
        var again = Scaler(plan: fleet.plan, replicas: 2)
        #expect(fleet.inputs.map { again.decide($0) } == fleet.decisions)
        #expect(fleet.decisions.contains { !$0.rejected.isEmpty })
    }

    @Test func `a written standby is kept above need, whatever the past says`() {
        var written = plan()
        written.standby = 5
        var fleet = FluidFleet(written, replicas: 1)
        var work = PoissonWork(seed: 8)
        for _ in 0..<7_200 { fleet.second(work.second(level: 2)) }
        // Two and chance, and five.
        #expect((8...9).contains(fleet.replicas), "\(fleet.replicas)")
    }

    /// Decisions every five seconds on a fleet of four, each replica of which really serves
    /// `really`, while `asked` times what the four serve is asked for; what was believed last.
    private func belief(really: Double, asked: Double, hours: Int) -> Double {
        var scaler = Scaler(plan: plan(max: 4), replicas: 4)
        var last = 0.0
        for index in 1...UInt64(hours * 720) {
            let bins = Array(repeating: asked * 4 * really * 0.2e9, count: 25)
            var input = ScalingInput(
                at: Instant(nanos: index * 5 * second), work: bins, ready: 4)
            input.missedWork = max(0, 1 - 1 / asked) * bins.reduce(0, +)
            last = scaler.decide(input).workPerReplica
        }
        return last
    }

    @Test(arguments: [0.5, 2], [1.3, 2])
    func `what a replica serves is learned where more is asked for`(
        _ really: Double, _ asked: Double
    ) {
        let belief = self.belief(really: really, asked: asked, hours: 4)
        // Where it is believed to serve more than is asked for, only the tolerated may be missed.
        #expect(abs(belief / really - 1) < 0.1, "\(belief)")
    }

    @Test func `a fleet in use that misses nothing is believed to serve more`() {
        let belief = self.belief(really: 1.5, asked: 0.6, hours: 12)
        #expect(belief > 1.1, "\(belief)")
        #expect(belief < 1.9, "\(belief)")
    }

    @Test func `a fleet with little to do teaches nothing of its limit`() {
        #expect(self.belief(really: 1, asked: 0.3, hours: 2) == 1)
    }
}

@Suite struct DemandMeterTests {
    @Test func `work falls into the bin it came in, and each bin is given once`() {
        var meter = DemandMeter(from: .zero)
        meter.offer(1, now: Instant(nanos: 0))
        meter.offer(2, now: Instant(nanos: 199_999_999))
        meter.offer(4, now: Instant(nanos: 200_000_000))
        meter.offer(.nan, now: Instant(nanos: 200_000_000))
        meter.offer(-8, now: Instant(nanos: 200_000_000))
        #expect(meter.take(now: Instant(nanos: 999_999_999)) == [3, 4, 0, 0])
        meter.offer(16, now: Instant(nanos: 1_000_000_000))
        #expect(meter.take(now: Instant(nanos: 1_200_000_000)) == [0, 16])
        #expect(meter.take(now: Instant(nanos: 1_200_000_000)) == [])
    }

    @Test func `a gap of years is an hour of nothing`() {
        var meter = DemandMeter(from: .zero)
        meter.offer(1, now: .zero)
        let bins = meter.take(now: Instant(nanos: .max))
        #expect(bins.count == 18_000)
        #expect(bins.first == 1)
    }
}
