import Testing
import Workload

/// Loads brought to another rate, and requests that no engine would take.
struct SpacingTests {
    private func all(_ stream: ArrivalStream) throws -> (arrivals: [Arrival], tooLong: UInt64) {
        var stream = stream
        var arrivals: [Arrival] = []
        while let arrival = try stream.next() { arrivals.append(arrival) }
        return (arrivals, stream.tooLong)
    }

    @Test("A new spacing keeps lengths and order, and has the rate asked for")
    func spacing() throws {
        let spec = GeneratorSpec(
            process: .step(rate: 1, peak: 500, atSeconds: 3, forSeconds: 2),
            input: LengthRange(1, 900))
        var transform = ArrivalStream.Transform()
        transform.requestsMax = 4_000
        let before = try all(ArrivalStream(spec: spec, seed: 5, transform: transform)).arrivals
        transform.spacing = ArrivalStream.PoissonSpacing(rate: 20, seed: 1)
        let after = try all(ArrivalStream(spec: spec, seed: 5, transform: transform)).arrivals
        #expect(before.map(\.inputTokens) == after.map(\.inputTokens))
        let seconds = Double(after[after.count - 1].atNanos) / 1e9
        #expect((195...205).contains(seconds))
    }

    @Test("Requests longer than the context are left out and counted")
    func context() throws {
        let spec = GeneratorSpec(
            process: .poisson(rate: 10), input: LengthRange(1, 100), output: LengthRange(0, 100))
        var transform = ArrivalStream.Transform()
        transform.durationNanos = 100_000_000_000
        let everything = try all(ArrivalStream(spec: spec, seed: 2, transform: transform))
        transform.tokensMax = 120
        let some = try all(ArrivalStream(spec: spec, seed: 2, transform: transform))
        #expect(
            some.arrivals == everything.arrivals.filter { $0.inputTokens + $0.outputTokens <= 120 })
        #expect(some.tooLong == UInt64(everything.arrivals.count - some.arrivals.count))
        #expect(some.tooLong > 0)
    }

    @Test(
        "A process scaled by a factor has that many times the mean rate",
        arguments: [
            "poisson:rate=5", "gamma:rate=5,cv=2", "weibull:rate=5,cv=2",
            "onoff:rate=20,on=10s,off=30s", "step:rate=5,to=50,at=10s,for=2s",
            "ramp:rate=5,to=50,over=60s", "diurnal:rate=5,to=50,period=50s",
        ])
    func scaled(text: String) throws {
        guard case .generator(var spec) = try TraceSpec.parse(text) else { return }
        let mean = spec.process.meanRate(overSeconds: 80)
        spec.process = spec.process.scaled(by: 10)
        #expect(abs(spec.process.meanRate(overSeconds: 80) - 10 * mean) < 1e-9 * mean)
        var transform = ArrivalStream.Transform()
        transform.durationNanos = 80_000_000_000
        let drawn = try all(ArrivalStream(spec: spec, seed: 1, transform: transform)).arrivals
        let rate = Double(drawn.count) / 80
        #expect(abs(rate - 10 * mean) < 0.12 * 10 * mean, "\(rate) where \(10 * mean)")
    }
}
