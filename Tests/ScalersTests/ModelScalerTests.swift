import Scalers
import Testing
import Time

/// Scalers that go by a model, on figures that are worked out by hand.
@Suite struct ModelScalerTests {
    private static let second: UInt64 = 1_000_000_000

    /// Steps of 20 ms and a tenth for each sequence; 0.1 ms for a prompt token.
    private static let engine = EngineFigures(
        base: 20e6, perPrefillToken: 100_000, perSequence: 100_000, perKVToken: 0,
        sequencesMax: 64, kvTokensMax: 1_000_000, firstTokenNanos: 2e9, interTokenNanos: 80e6)

    private func at(_ seconds: UInt64) -> Instant { Instant(nanos: seconds * Self.second) }

    private func offer(
        _ scaler: inout some ReplicaPolicy, count: Int, input: Int = 200, output: Int = 100,
        now: Instant
    ) {
        for _ in 0..<count {
            scaler.offer(
                OfferedRequest(work: 1, inputTokens: input, outputTokens: output), now: now)
        }
    }

    @Test func `means: replicas follow the rate, and longer answers take more of them`() {
        var means = MeansScaler(engine: Self.engine, headroom: 1, bounds: 1...100)
        self.offer(&means, count: 600, now: self.at(0))
        let ten = means.target(FleetView(), now: self.at(60))
        self.offer(&means, count: 1_200, now: self.at(60))
        let twenty = means.target(FleetView(), now: self.at(120))
        self.offer(&means, count: 1_200, output: 400, now: self.at(120))
        let long = means.target(FleetView(), now: self.at(180))
        #expect(ten >= 1)
        #expect(abs(Double(twenty) - 2 * Double(ten)) <= 1, "\(ten), \(twenty)")
        #expect(long > 2 * twenty, "\(twenty), \(long)")
        // Nobody came: the fewest.
        #expect(means.target(FleetView(), now: self.at(240)) == 1)
    }

    @Test func `means: a headroom multiplies, and a bound that nothing holds asks for all`() {
        var wide = MeansScaler(engine: Self.engine, headroom: 2, bounds: 1...100)
        var plain = MeansScaler(engine: Self.engine, headroom: 1, bounds: 1...100)
        self.offer(&wide, count: 6_000, now: self.at(0))
        self.offer(&plain, count: 6_000, now: self.at(0))
        let twice = wide.target(FleetView(), now: self.at(60))
        let once = plain.target(FleetView(), now: self.at(60))
        #expect(abs(twice - 2 * once) <= 1)
        var hopeless = MeansScaler(engine: Self.engine, headroom: 1, bounds: 1...100)
        self.offer(&hopeless, count: 600, input: 100_000, now: self.at(0))
        #expect(hopeless.target(FleetView(), now: self.at(60)) == 100)
    }

    @Test
    func `planner: one more where latency is beyond its objective, and none while one starts`() {
        var planner = PlannerScaler(engine: Self.engine, headroom: 1, bounds: 1...100)
        var view = FleetView()
        view.ready = 4
        view.prefillWaiting = 4 * 40_000
        #expect(planner.target(view, now: self.at(5)) == 5)
        view.starting = [self.at(5)]
        #expect(planner.target(view, now: self.at(10)) == 5)
        view.starting = []
        view.prefillWaiting = 0
        view.running = 8
        #expect(planner.target(view, now: self.at(15)) == 3)
        // Three would be beyond four fifths of the bound between tokens.
        view.running = 4 * 350
        #expect(planner.target(view, now: self.at(20)) == 4)
    }

    @Test func `oracle: asks in time for what will come, and no sooner`() {
        // Nothing for a minute, then three replicas' worth for a minute.
        let work = Array(repeating: 0.0, count: 12) + Array(repeating: 3 * 5e9, count: 12)
        var oracle = OracleScaler(
            work: work, workPerReplica: 1, leadNanos: 30 * Self.second, headroom: 1,
            bounds: 0...10)
        #expect(oracle.target(FleetView(), now: self.at(0)) == 0)
        #expect(oracle.target(FleetView(), now: self.at(20)) == 0)
        #expect(oracle.target(FleetView(), now: self.at(30)) == 3)
        #expect(oracle.target(FleetView(), now: self.at(115)) == 3)
        #expect(oracle.target(FleetView(), now: self.at(120)) == 0)
        #expect(oracle.target(FleetView(), now: self.at(100_000)) == 0)
    }
}
