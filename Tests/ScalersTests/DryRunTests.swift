import Scalers
import Scaling
import Testing
import Time

/// What another scaler would have done with what was recorded.
@Suite struct DryRunTests {
    private let second: UInt64 = 1_000_000_000

    /// A fleet of four with so many requests, busy to `level`, every five seconds.
    private func record(
        _ run: inout DryRun, from start: UInt64, to end: UInt64, requests: Int, level: Double
    ) {
        var scaler = Scaler(
            plan: ScalingPlan(replicasMax: 16, waitNanos: second, leadNanos: 60 * second),
            replicas: 4)
        for at in stride(from: start, to: end, by: 5) {
            var input = ScalingInput(
                at: Instant(nanos: at * self.second),
                work: Array(repeating: level * 0.2e9, count: 25), ready: 4)
            input.inFlight = requests
            var decision = scaler.decide(input)
            decision.terms.now = level
            run.add(input, decision)
        }
    }

    @Test func `its replicas come after the lead time and are paid for from its decision on`() {
        var run = DryRun(
            scaler: BaselineScaler.hpa.make(perReplica: 10, bounds: 1...16), replicas: 1)
        self.record(&run, from: 0, to: 300, requests: 40, level: 3.5)
        #expect(run.replicas == 4)
        #expect(run.changes == 1)
        // One replica until the sixtieth second, with four recorded throughout.
        #expect((55...65).contains(run.shortNanos / self.second), "\(run.shortNanos)")
        #expect(run.shortNanosKept == 0)
        #expect(run.nanosKept == 4 * 295e9)
        #expect(run.nanos == run.nanosKept, "asked for in the first decision")
    }

    @Test func `a gap in what was recorded is no time in which it decided`() {
        var run = DryRun(
            scaler: BaselineScaler.kpa.make(perReplica: 10, bounds: 1...16), replicas: 4)
        self.record(&run, from: 0, to: 100, requests: 40, level: 3.5)
        self.record(&run, from: 1_000_000, to: 1_000_100, requests: 40, level: 3.5)
        #expect(run.changes == 0)
        #expect(run.replicas == 4)
    }
}
