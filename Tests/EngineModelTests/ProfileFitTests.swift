import EngineModel
import Statistics
import Testing

/// The fit on points whose truth is known.
@Suite("Profile fits")
struct ProfileFitTests {
    private static let truth = EngineCost(
        step: StepCost(
            base: 8_250_000, perPrefillToken: 56_900, perSequence: 202_000, perKVToken: 75.8),
        prefillOnlyBase: 4_000_000)
    private static let lengths = [64, 128, 256, 512, 1_024, 2_048, 4_096]
    /// Sequences and the KV tokens of all.
    private static let groups: [(sequences: Int, kvTokens: Double)] =
        lengths.map { (1, Double($0)) }
        + [2, 4, 8, 16, 32].map { ($0, Double($0 * 96)) } + [(2, 8_250), (4, 16_500), (8, 8_700)]

    private static func prompt(_ tokens: Int) -> Double {
        let chunks = (tokens + 1_023) / 1_024
        return truth.prefillOnlyBase * Double(chunks) + truth.step.perPrefillToken * Double(tokens)
    }

    private static func step(_ group: (sequences: Int, kvTokens: Double)) -> Double {
        truth.step.base + truth.step.perSequence * Double(group.sequences)
            + truth.step.perKVToken * group.kvTokens
    }

    /// Points with this relative noise.
    private static func fit(noise: Double, seed: UInt64) throws -> ProfileFit {
        var random = SeededRandom(seed: seed)
        let prefill = lengths.map {
            PrefillPoint(
                promptTokens: $0,
                nanos: prompt($0) * random.normal(mean: 1, deviation: noise))
        }
        let decode = groups.map {
            DecodePoint(
                sequences: $0.sequences, kvTokens: $0.kvTokens,
                nanos: step($0) * random.normal(mean: 1, deviation: noise))
        }
        return try ProfileFit(prefill: prefill, decode: decode, batchedTokensMax: 1_024)
    }

    private func near(_ value: Double, _ truth: Double, within share: Double) -> Bool {
        abs(value - truth) <= share * truth
    }

    @Test("points without noise give the coefficients back, and no error")
    func exact() throws {
        let fit = try Self.fit(noise: 0, seed: 1)
        let (cost, truth) = (fit.cost, Self.truth)
        #expect(near(cost.step.base, truth.step.base, within: 1e-6))
        #expect(near(cost.step.perPrefillToken, truth.step.perPrefillToken, within: 1e-6))
        #expect(near(cost.step.perSequence, truth.step.perSequence, within: 1e-6))
        #expect(near(cost.step.perKVToken, truth.step.perKVToken, within: 1e-6))
        #expect(near(cost.prefillOnlyBase, truth.prefillOnlyBase, within: 1e-6))
        #expect(fit.prefillError.p90 < 1e-6 && fit.decodeError.p90 < 1e-6)
    }

    @Test(
        "noise of 1 % moves the base by 5 % at most, the small parts by 25 %",
        arguments: 1...20 as ClosedRange<UInt64>)
    func noisy(seed: UInt64) throws {
        let fit = try Self.fit(noise: 0.01, seed: seed)
        let (cost, truth) = (fit.cost, Self.truth)
        #expect(near(cost.step.base, truth.step.base, within: 0.05))
        #expect(near(cost.step.perPrefillToken, truth.step.perPrefillToken, within: 0.05))
        #expect(near(cost.step.perSequence, truth.step.perSequence, within: 0.25))
        #expect(near(cost.step.perKVToken, truth.step.perKVToken, within: 0.25))
        #expect(fit.prefillError.p90 < 0.05 && fit.decodeError.p90 < 0.05)
    }

    @Test("a third of the points is held out, never the least or the greatest, and judges the fit")
    func heldOut() throws {
        // What is held out is 10 % and 20 % slower than the line that the rest lies on.
        let slower = [2: 1.1, 5: 1.2]
        let prefill = Self.lengths.enumerated().map { index, length in
            PrefillPoint(
                promptTokens: length, nanos: Self.prompt(length) * (slower[index] ?? 1))
        }
        let decode = Self.groups.map {
            DecodePoint(
                sequences: $0.sequences, kvTokens: $0.kvTokens, nanos: Self.step($0))
        }
        let fit = try ProfileFit(
            prefill: prefill.reversed(), decode: decode, batchedTokensMax: 1_024)
        #expect(fit.prefill.map(\.isHeldOut) == [false, false, true, false, false, true, false])
        #expect(fit.decode.filter(\.isHeldOut).count == 4)
        #expect(fit.decode.first?.isHeldOut == false && fit.decode.last?.isHeldOut == false)
        #expect(fit.prefillError.points == 2)
        #expect(abs(fit.prefillError.median - 0.1 / 1.1) < 1e-6)
        #expect(abs(fit.prefillError.p90 - 0.2 / 1.2) < 1e-6)
        #expect(fit.decodeError.p90 < 1e-6)
    }

    @Test("quantiles of the error are nearest ranks")
    func ranks() {
        let ten = (1...10).map { (fitted: 100 + Double($0), measured: 100.0) }
        #expect(HeldOutError(of: ten) == HeldOutError(points: 10, median: 0.05, p90: 0.09))
        #expect(HeldOutError(of: []) == HeldOutError(points: 0, median: 0, p90: 0))
        let one = [(fitted: 90.0, measured: 100.0)]
        #expect(HeldOutError(of: one) == HeldOutError(points: 1, median: 0.1, p90: 0.1))
    }

    @Test("no coefficient is negative, whatever the points say")
    func nonNegative() throws {
        // More sequences, faster steps.
        let decode = (1...6).map {
            DecodePoint(
                sequences: $0, kvTokens: Double($0 % 3 * 100), nanos: 1e6 - Double($0) * 1e4)
        }
        let prefill = (1...5).map {
            PrefillPoint(promptTokens: $0 * 100, nanos: 2e6 - Double($0) * 1e5)
        }
        let cost = try ProfileFit(prefill: prefill, decode: decode, batchedTokensMax: 1_024).cost
        #expect(cost.step.base > 9e5 && cost.prefillOnlyBase > 1e6)
        #expect(cost.step.perSequence == 0 && cost.step.perPrefillToken == 0)
        #expect(cost.step.perKVToken >= 0)
    }

    @Test("too few points are refused with what a fit needs")
    func tooFew() throws {
        let prefill = Self.lengths.map { PrefillPoint(promptTokens: $0, nanos: Self.prompt($0)) }
        let decode = Self.groups.map {
            DecodePoint(sequences: $0.sequences, kvTokens: $0.kvTokens, nanos: Self.step($0))
        }
        #expect(throws: ProfileFitFault.fewPrompts(3)) {
            try ProfileFit(
                prefill: Array(prefill[..<3]) + [PrefillPoint(promptTokens: 9, nanos: .nan)],
                decode: decode, batchedTokensMax: 1_024)
        }
        #expect(throws: ProfileFitFault.fewGroups(7, sizes: 1)) {
            try ProfileFit(
                prefill: prefill, decode: Array(decode[..<7]), batchedTokensMax: 1_024)
        }
    }

    @Test("the model's own times, measured as a client would, give its coefficients back")
    func ownModel() throws {
        var configuration = EngineConfiguration(cost: Self.truth, kvBlocks: 10_000)
        configuration.batchedTokensMax = 1_024
        func run(_ streams: Int, _ prompt: Int) -> [[UInt64]] {
            var harness = EngineHarness(configuration)
            for id in 1...UInt64(streams) { harness.submit(id, prompt: prompt, output: 33) }
            harness.runUntilIdle()
            return (1...UInt64(streams)).map { harness.tokenTimes[$0] ?? [] }
        }
        var decode: [DecodePoint] = []
        for (streams, prompt) in [(1, 64), (1, 1_000), (1, 4_000), (2, 64), (4, 64), (8, 64)]
            + [(16, 64), (4, 4_000)]
        {
            let times = run(streams, prompt)
            let start = try #require(times.compactMap(\.first).max())
            let last = try #require(times.first { $0.first == start })
            let steps = Double(last.count - 1)
            decode.append(
                DecodePoint(
                    sequences: streams, kvTokens: Double(streams) * (Double(prompt) + steps / 2),
                    nanos: Double(last[last.count - 1] - start) / steps))
        }
        let prefill = try Self.lengths.map { length in
            PrefillPoint(
                promptTokens: length, nanos: Double(try #require(run(1, length).first?.first)))
        }
        let cost = try ProfileFit(prefill: prefill, decode: decode, batchedTokensMax: 1_024).cost
        #expect(near(cost.step.base, Self.truth.step.base, within: 0.05))
        #expect(near(cost.step.perSequence, Self.truth.step.perSequence, within: 0.1))
        #expect(near(cost.step.perKVToken, Self.truth.step.perKVToken, within: 0.1))
        #expect(
            near(cost.step.perPrefillToken, Self.truth.step.perPrefillToken, within: 1e-3))
    }
}
