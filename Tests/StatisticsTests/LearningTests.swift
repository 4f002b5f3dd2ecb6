import Statistics
import Testing
import Time

@Suite("Decaying quantile")
struct DecayingQuantileTests {
    private let second: UInt64 = 1_000_000_000

    private func at(_ seconds: Double) -> Instant {
        Instant(nanos: UInt64(seconds * 1e9))
    }

    @Test("without samples it answers with the prior")
    func prior() {
        let sketch = DecayingQuantile(halfLifeNanos: second, prior: 400, priorWeight: 10)
        #expect(sketch.quantile(0.99, now: at(5)) == 400)
        #expect(sketch.weight(now: at(5)) == 0)
    }

    @Test("many samples outweigh the prior")
    func learns() {
        var sketch = DecayingQuantile(halfLifeNanos: 100 * second, prior: 400, priorWeight: 10)
        for index in 0..<5_000 { sketch.add(1_000 + UInt64(index % 100), now: at(1)) }
        let median = Double(sketch.quantile(0.5, now: at(1)))
        #expect(abs(median - 1_050) < 0.035 * 1_050)
    }

    @Test("after a burst it returns to the prior although nothing new comes")
    func returns() {
        var sketch = DecayingQuantile(halfLifeNanos: second, prior: 100, priorWeight: 10)
        for _ in 0..<1_000 { sketch.add(50_000, now: at(1)) }
        #expect(sketch.quantile(0.9, now: at(1)) > 48_000)
        #expect(sketch.quantile(0.9, now: at(15)) == 100)
    }

    @Test("a sample weighs half after a half-life, across many rescales")
    func weights() {
        var sketch = DecayingQuantile(halfLifeNanos: second, prior: 0, priorWeight: 0)
        for seconds in 0..<200 { sketch.add(7, now: at(Double(seconds))) }
        // The sum of halves: 1 + 1/2 + 1/4 + ...
        #expect(abs(sketch.weight(now: at(199)) - 2) < 1e-6)
        #expect(abs(sketch.weight(now: at(200)) - 1) < 1e-6)
        #expect(sketch.quantile(0.5, now: at(200)) == 7)
    }

    @Test("new samples displace old ones of another size")
    func displaces() {
        var sketch = DecayingQuantile(halfLifeNanos: second, prior: 0, priorWeight: 0)
        for _ in 0..<100 { sketch.add(9_000, now: at(0)) }
        for _ in 0..<100 { sketch.add(20, now: at(10)) }
        #expect(sketch.quantile(0.95, now: at(10)) == 20)
        #expect(sketch.quantile(1, now: at(10)) > 8_000)
    }
}

@Suite("Step regression")
struct StepRegressionTests {
    private let truth = StepCost(
        base: 8.25e6, perPrefillToken: 56_900, perSequence: 202_000, perKVToken: 75.8)
    private let guess = StepCost(
        base: 20e6, perPrefillToken: 20_000, perSequence: 500_000, perKVToken: 0)

    private func randomWork(_ random: inout SeededRandom) -> StepWork {
        let sequences = Int(random.uniform(below: 128))
        let prefill = random.uniform() < 0.5 ? Int(random.uniform(below: 2_048)) : 0
        return StepWork(
            prefillTokens: prefill, sequences: sequences,
            kvTokens: sequences * (200 + Int(random.uniform(below: 3_000))))
    }

    @Test("it finds the coefficients of a noisy engine from a wrong start")
    func learns() {
        var random = SeededRandom(seed: 4)
        var model = StepRegression(starting: guess)
        for _ in 0..<4_000 {
            let work = randomWork(&random)
            model.observe(
                work, nanos: truth.nanos(of: work) * random.normal(mean: 1, deviation: 0.05))
        }
        #expect(abs(model.cost.perPrefillToken / truth.perPrefillToken - 1) < 0.03)
        #expect(abs(model.cost.perSequence / truth.perSequence - 1) < 0.1)
        #expect(abs(model.cost.perKVToken / truth.perKVToken - 1) < 0.15)
        let probe = StepWork(prefillTokens: 512, sequences: 64, kvTokens: 80_000)
        #expect(abs(model.nanos(of: probe) / truth.nanos(of: probe) - 1) < 0.02)
        #expect(model.errorNanos < 0.1 * truth.nanos(of: probe))
        #expect(abs(model.biasShare) < 0.02)
    }

    @Test("one stalled step hardly moves it")
    func outlier() {
        var random = SeededRandom(seed: 9)
        var model = StepRegression(starting: guess)
        for _ in 0..<2_000 {
            let work = randomWork(&random)
            model.observe(
                work, nanos: truth.nanos(of: work) * random.normal(mean: 1, deviation: 0.02))
        }
        let probe = StepWork(prefillTokens: 512, sequences: 64, kvTokens: 80_000)
        let before = model.nanos(of: probe)
        model.observe(probe, nanos: 5e9)
        #expect(abs(model.nanos(of: probe) / before - 1) < 0.02)
    }

    @Test("it follows an engine that became ten times slower")
    func follows() {
        var random = SeededRandom(seed: 12)
        var model = StepRegression(starting: truth, uncertainty: 1, forgetting: 0.99)
        for step in 0..<3_000 {
            let work = randomWork(&random)
            model.observe(work, nanos: truth.nanos(of: work) * (step < 1_000 ? 1 : 10))
        }
        let probe = StepWork(prefillTokens: 512, sequences: 64, kvTokens: 80_000)
        #expect(abs(model.nanos(of: probe) / (10 * truth.nanos(of: probe)) - 1) < 0.05)
    }

    @Test("no coefficient is ever negative, and sameness does not blow it up")
    func bounded() {
        var random = SeededRandom(seed: 6)
        var model = StepRegression(starting: guess, forgetting: 0.95)
        for _ in 0..<20_000 {
            let work = StepWork(prefillTokens: 0, sequences: 8, kvTokens: 8_000)
            model.observe(work, nanos: random.uniform() * 2e7)
            let cost = model.cost
            #expect(
                cost.base >= 0 && cost.perPrefillToken >= 0 && cost.perSequence >= 0
                    && cost.perKVToken >= 0)
        }
        #expect(model.cost.base < 1e8)
        model.observe(StepWork(prefillTokens: 1, sequences: 1, kvTokens: 1), nanos: .nan)
        #expect(model.observations == 20_000)
    }
}
