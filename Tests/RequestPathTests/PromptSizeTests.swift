import RequestPath
import Testing
import Time

/// What admission makes of a prompt's bytes, seen by what it refuses as too long.
@Suite struct PromptSizeTests {
    private static let plan = Plan(
        models: [
            ModelPlan(
                name: "chat",
                classes: [ClassPlan(name: "only", planNanos: 1 << 60, deadlineNanos: 1 << 60)],
                maxContextTokens: 8_192)
        ], tenants: [TenantPlan(name: "one", weight: 1)])

    /// Sends prompts of `bytes` one after another; how many were refused as too long.
    private func send(
        _ bench: inout Bench, from id: UInt64, count: UInt64, bytes: UInt32, tokens: UInt32
    ) -> Int {
        let before = bench.refusals.count
        for number in id..<(id + count) {
            let request = RequestID(raw: number)
            _ = bench.tell(
                .arrive(
                    Arrival(
                        request: request, model: ModelID(raw: 0), tenant: TenantID(raw: 0),
                        classIndex: 0, promptBytes: bytes)))
            _ = bench.tell(.firstToken(request))
            _ = bench.tell(
                .finish(request, usage: Usage(promptTokens: tokens, outputTokens: 1)))
        }
        return bench.refusals[before...].count { $0.reason == .tooLong }
    }

    @Test func `short prompts with a template's tokens do not make long ones look longer`() {
        var bench = Bench(plan: Self.plan)
        #expect(self.send(&bench, from: 0, count: 300, bytes: 5, tokens: 40) == 0)
        #expect(self.send(&bench, from: 1_000, count: 1, bytes: 12_000, tokens: 3_040) == 0)
        #expect(self.send(&bench, from: 2_000, count: 300, bytes: 5, tokens: 40) == 0)
        #expect(self.send(&bench, from: 3_000, count: 1, bytes: 24_000, tokens: 6_040) == 0)
    }

    @Test func `a language with more tokens to a byte is learned from its prompts`() {
        var bench = Bench(plan: Self.plan)
        // Half of the texts' bytes are tokens, whatever their length.
        for round in UInt64(0)..<100 {
            let bytes = UInt32(1_000 + 70 * round)
            #expect(
                self.send(
                    &bench, from: round, count: 1, bytes: bytes, tokens: bytes / 2 + 40) == 0)
        }
        #expect(self.send(&bench, from: 1_000, count: 1, bytes: 16_000, tokens: 8_040) == 0)
        #expect(self.send(&bench, from: 1_001, count: 1, bytes: 40_000, tokens: 20_040) == 1)
    }
}
