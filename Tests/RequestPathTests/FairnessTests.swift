import RequestPath
import Testing
import Time

/// Order among tenants and classes, by direct calls with one slot at one endpoint.
@Suite struct FairnessTests {
    private static func plan(
        classes: [ClassPlan], tenants: [TenantPlan], slots: UInt32 = 1
    ) -> Plan {
        Plan(
            models: [
                ModelPlan(name: "chat", classes: classes, concurrentRequestsMax: slots)
            ], tenants: tenants)
    }

    private static func patient(_ name: String, maxWaitNanos: UInt64? = nil) -> ClassPlan {
        ClassPlan(
            name: name, planNanos: 1 << 60, deadlineNanos: 1 << 60,
            maxWaitNanos: maxWaitNanos, queueRequestsMax: 100_000)
    }

    @Test func `backlogged tenants attain work in proportion to their weights`() {
        let tenants = [
            TenantPlan(name: "one", weight: 1), TenantPlan(name: "three", weight: 3),
            TenantPlan(name: "whale", weight: 1),
        ]
        var bench = Bench(
            plan: Self.plan(classes: [Self.patient("only")], tenants: tenants, slots: 8))
        var random = SmallRandom(seed: 5)
        // A whale's requests cost a hundred times those of the others.
        let prompts: [UInt32] = [100, 100, 10_000]
        for tenant in 0..<3 {
            for _ in 0..<(tenant == 2 ? 200 : 12_000) {
                bench.arrive(tenant: tenant, promptTokens: prompts[tenant])
            }
        }
        var worst = 0.0
        for _ in 0..<6000 {
            let output = UInt32(1 + random.below(3))
            bench.finishOldest(outputTokens: output, prompts: prompts)
            let shares = (0..<3).map {
                bench.admission.attainedWork(of: TenantID(raw: $0)) / tenants[$0].weight
            }
            worst = max(worst, (shares.max() ?? 0) - (shares.min() ?? 0))
        }
        // Quantum + in flight * largest estimate error + one largest request; output is expected to
        // be 256 tokens at most and ends at 1 at least.
        let bound = 4096 + 8 * 4 * 256 + (10_000 + 4 * 256.0)
        #expect(worst <= bound)
        #expect(worst > 0)
    }

    @Test func `a higher class goes first and the lowest waits no longer than its maximum`() {
        let classes = [
            Self.patient("high"), Self.patient("low", maxWaitNanos: 2_000_000_000),
        ]
        var bench = Bench(plan: Self.plan(classes: classes, tenants: [TenantPlan(name: "one")]))
        for _ in 0..<500 { bench.arrive(classIndex: 0, promptTokens: 100) }
        for _ in 0..<10 { bench.arrive(classIndex: 1, promptTokens: 100) }
        var lowAt: [Double] = []
        for _ in 0..<500 {
            bench.now = bench.now.advanced(byNanos: 20_000_000)
            for (id, _) in bench.finishOldest(outputTokens: 2, prompts: [100]) where id >= 500 {
                lowAt.append(Double(bench.now.nanos - Bench.start.nanos) / 1e9)
            }
        }
        #expect(lowAt.count == 10)
        // None jumps the queue early; the ten take every other turn once they have waited.
        #expect((lowAt.first ?? 0) > 1.5)
        #expect((lowAt.last ?? .infinity) < 2.5)
    }

    @Test func `inside a tenant the earliest deadline goes first`() {
        var bench = Bench(
            plan: Self.plan(classes: [Self.patient("only")], tenants: [TenantPlan(name: "one")]))
        bench.arrive(promptTokens: 10)
        let deadlines: [UInt64] = [900, 300, 600, 100]
        for seconds in deadlines {
            bench.arrive(promptTokens: 10, deadlineNanos: seconds * 1_000_000_000)
        }
        var order: [UInt64] = []
        for _ in 0..<5 {
            order += bench.finishOldest(outputTokens: 1, prompts: [10]).map(\.id)
        }
        #expect(order == [4, 2, 3, 1])
    }

    @Test func `a tenant at its concurrency limit holds nobody else up`() {
        let tenants = [TenantPlan(name: "capped", concurrency: 1), TenantPlan(name: "free")]
        var bench = Bench(
            plan: Self.plan(classes: [Self.patient("only")], tenants: tenants, slots: 4))
        for _ in 0..<3 { bench.arrive(tenant: 0, promptTokens: 10) }
        let sent = (0..<3).flatMap { _ in bench.arrive(tenant: 1, promptTokens: 10) }
        #expect(sent.count == 3)
        bench.now = bench.now.advanced(byNanos: 1_000_000)
        let next = bench.finishOldest(outputTokens: 1, prompts: [10, 10])
        #expect(next.map(\.id) == [1])
        #expect(next.map(\.dispatch.waited) == [.quota])
    }
}
