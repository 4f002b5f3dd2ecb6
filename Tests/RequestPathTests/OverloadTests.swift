import RequestPath
import Testing

/// The load line under load: a closed loop with small engines, at and far past their capacity.
///
/// Capacity is a fluid bound no policy can pass: the highest rate at which mean steps stay inside
/// the inter-token bound, the chunk and the sequences.
@Suite struct OverloadTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var profile: SmallEngine.Profile
        var overload: Double
        var seed: UInt64
        var testDescription: String {
            "\(self.profile.name) at \(self.overload)x, seed \(self.seed)"
        }
    }

    static let ttftMs = 2000.0
    static let itlMs = 80.0

    /// Fewer in a debug build, where a simulated minute takes a second.
    #if DEBUG
        static let seeds: [UInt64] = [1]
        static let profiles: [SmallEngine.Profile] = [.large]
    #else
        static let seeds: [UInt64] = [1, 2, 3]
        static let profiles: [SmallEngine.Profile] = [.large, .small]
    #endif

    static let cases: [Case] = Self.profiles.flatMap { profile in
        [0.5, 1, 1.5, 3].flatMap { overload in
            Self.seeds.map { Case(profile: profile, overload: overload, seed: $0) }
        }
    }

    @Test(arguments: Self.cases)
    func `admitted requests hold the objective and capacity is not wasted`(_ run: Case) {
        let capacity = 2 * Self.capacity(of: run.profile)
        let load = SmallWorld.Load(requestsPerSecond: capacity * run.overload)
        var world = SmallWorld(
            plan: Self.plan, engines: [run.profile, run.profile], load: load, seed: run.seed,
            planMs: Self.ttftMs, itlBoundMs: Self.itlMs)
        let outcome = world.run()
        let meanWork = outcome.offeredWork / Double(outcome.offered)
        let bound = capacity * (load.seconds - load.warmUpSeconds) * meanWork
        let goodput = outcome.goodWork / bound
        let p99 = outcome.quantile(outcome.ttftMs, 0.99)
        Self.printRow(run.testDescription, outcome, goodput: goodput)
        #expect(p99 <= Self.ttftMs)
        #expect(outcome.aborted + outcome.failed == 0)
        #expect(Double(outcome.late) <= 0.01 * Double(max(outcome.refused, 1)) + 1)
        if run.overload == 0.5 { #expect(outcome.refused == 0) }
        if run.overload >= 1.5 { #expect(goodput >= 0.9) }
    }

    static let plan = Plan(
        models: [
            ModelPlan(
                name: "chat",
                classes: [
                    ClassPlan(
                        name: "interactive", planNanos: 2_000_000_000, deadlineNanos: 4_000_000_000)
                ],
                interTokenBoundNanos: 80_000_000)
        ],
        tenants: [TenantPlan(name: "one")])

    /// Requests a second of one engine, all of mean size.
    static func capacity(of profile: SmallEngine.Profile) -> Double {
        let load = SmallWorld.Load(requestsPerSecond: 0)
        // exp(0.7^2 / 2), the mean of the log-normal over its median.
        let prompt = load.promptMedian * 1.278
        let output = load.outputMedian * 1.278
        var low = 0.0
        var high = 1000.0
        for _ in 0..<50 {
            let rate = (low + high) / 2
            let perRequest = profile.prefillMs * prompt + profile.sequenceMs * output
            let idle = 1 - rate / 1000 * perRequest
            let step = idle > 0 ? profile.decodeBaseMs / idle : .infinity
            let perStep = rate / 1000 * step
            let fits =
                step <= Self.itlMs && perStep * output <= Double(profile.sequencesMax)
                && perStep * (prompt + output) <= Double(profile.chunk)
            if fits { low = rate } else { high = rate }
        }
        return low
    }

    static func printRow(_ name: String, _ outcome: SmallWorld.Outcome, goodput: Double) {
        func fixed(_ value: Double, _ digits: Int = 0) -> String {
            let scale = [1.0, 10, 100, 1000][digits]
            let rounded = (value * scale).rounded() / scale
            return digits == 0 ? "\(Int(rounded))" : "\(rounded)"
        }
        let refused = Double(outcome.refused) / Double(outcome.offered)
        let late = Double(outcome.late) / Double(max(1, outcome.refused))
        let ttft50 = outcome.quantile(outcome.ttftMs, 0.5)
        let ttft99 = outcome.quantile(outcome.ttftMs, 0.99)
        let itl50 = outcome.quantile(outcome.itlMs, 0.5)
        let itl99 = outcome.quantile(outcome.itlMs, 0.99)
        print(
            name,
            "| offered \(outcome.offered) | TTFT p50 \(fixed(ttft50)) p99 \(fixed(ttft99)) ms",
            "| ITL p50 \(fixed(itl50)) p99 \(fixed(itl99)) ms",
            "| refused \(fixed(refused, 3)) late \(fixed(late, 3))",
            "| goodput \(fixed(goodput, 3)) of capacity",
            "| waiting prefill \(outcome.prefillWaitingPeak)")
    }
}
