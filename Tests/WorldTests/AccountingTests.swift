import Baselines
import Report
import RequestPath
import Statistics
import Testing
import Time
import Workload
import World

/// Every figure of a run, on worlds that are worked out by hand.
@Suite struct AccountingTests {
    private let ms = HandWorld.millisecond
    private let second = HandWorld.second

    // MARK: Refusals and deadlines

    @Test func `a client that is refused and served when it asks again was not refused`() throws {
        var scenario = HandWorld.scenario()
        scenario.clients.retry = .ignore
        var asked = 0
        let policy = HandPolicy { event, _, actions in
            guard case .arrive(let arrival) = event else { return }
            asked += 1
            if asked < 3 { actions.refuse(arrival.request) } else { actions.send(arrival.request) }
        }
        let outcome = try HandWorld.run(scenario, policy, ["0,100,2"])
        #expect(outcome.earlyRefusalShare == nil)
        #expect(outcome.report.figures.refused.total == 0)
        #expect(outcome.report.retryAmplification == 3)
    }

    @Test func `a request counts once as refused early, however often its client asked`() throws {
        var scenario = HandWorld.scenario()
        scenario.clients.retry = .ignore
        // The first waits and is served late; the second is refused each of three times.
        var isWorn = false
        let policy = HandPolicy { event, _, actions in
            guard case .arrive(let arrival) = event else { return }
            if isWorn { actions.refuse(arrival.request) } else { actions.send(arrival.request) }
            isWorn = true
        }
        scenario.faults = [
            ScriptedFault(kind: .stall, endpoint: 0, startNanos: 0, endNanos: 2 * second)
        ]
        let outcome = try HandWorld.run(scenario, policy, ["0,100,2", "0.1,100,2"])
        #expect(outcome.report.figures.refused.total == 1)
        #expect(outcome.earlyRefusalShare == 0.5)
    }

    @Test func `a late answer of a policy without a deadline was not served in time`() throws {
        let outcome = try HandWorld.run(
            HandWorld.scenario(), .sendsAll(), (0..<150).map { _ in "0,1000,1" })
        // Prompts fill a step each: the hundredth token comes at a second, the deadline.
        #expect(outcome.report.figures.completed == 150)
        #expect(outcome.earlyRefusalShare == 0)
        let inTime = try HandWorld.run(
            HandWorld.scenario(), .sendsAll(), (0..<100).map { _ in "0,1000,1" })
        #expect(inTime.earlyRefusalShare == nil)
    }

    @Test func `a request that engines turned away was refused, and not early`() throws {
        var scenario = HandWorld.scenario()
        scenario.faults = [ScriptedFault(kind: .refuse, endpoint: nil, startNanos: 0)]
        let outcome = try HandWorld.run(scenario, .sendsAll(), ["0,100,2"])
        #expect(outcome.report.figures.refused.byReason["no_endpoint"] == 1)
        #expect(outcome.earlyRefusalShare == 0)
        #expect(outcome.refusalDelay.p50 != nil)
    }

    @Test func `a client that leaves while it backs off was refused`() throws {
        var scenario = HandWorld.scenario()
        scenario.clients.retry = .honour
        scenario.clients.patienceNanos = 100 * ms
        let policy = HandPolicy { event, _, actions in
            if case .arrive(let arrival) = event { actions.refuse(arrival.request) }
        }
        let outcome = try HandWorld.run(scenario, policy, ["0,100,2"])
        #expect(outcome.report.figures.refused.byReason["saturated"] == 1)
        #expect(outcome.report.figures.abandoned.total == 0)
        #expect(outcome.earlyRefusalShare == 1)
    }

    @Test func `a preempted request is called so, and its client may ask again`() throws {
        var scenario = HandWorld.scenario()
        var victim: RequestID?
        var policy = HandPolicy { event, _, actions in
            guard case .arrive(let arrival) = event else { return }
            if let id = victim { actions.append(.abort(id)) }
            victim = victim == nil ? arrival.request : nil
            actions.send(arrival.request)
        }
        policy.abortCause = .preempted(retryAfterNanos: second)
        let once = try HandWorld.run(scenario, policy, ["0,3000,2", "0.001,100,2"])
        #expect(once.report.figures.refused.byReason["preempted"] == 1)
        #expect(once.report.figures.refused.byWhen["prefill"] == 1)
        #expect(once.report.figures.failed.total == 0)
        #expect(once.earlyRefusalShare == 0)
        victim = nil
        scenario.clients.retry = .honour
        let again = try HandWorld.run(scenario, policy, ["0,3000,2", "0.001,100,2"])
        #expect(again.report.figures.completed == 2)
        #expect(again.earlyRefusalShare == nil)
    }

    @Test func `what the product aborts at the deadline is stalled, and was not served`() throws {
        var isAborted = false
        var policy = HandPolicy { event, _, actions in
            switch event {
            case .arrive(let arrival): actions.send(arrival.request)
            case .tick:
                isAborted = true
                actions.append(.abort(RequestID(raw: 1 << 24)))
            default: break
            }
        }
        policy.due = { isAborted ? nil : Instant(nanos: HandWorld.second) }
        var scenario = HandWorld.scenario()
        scenario.faults = [ScriptedFault(kind: .slow(10), endpoint: 0, startNanos: 0)]
        let outcome = try HandWorld.run(scenario, policy, ["0,30000,2"])
        #expect(outcome.faults == [])
        #expect(outcome.report.figures.failed.byReason["engine_stalled"] == 1)
        #expect(outcome.earlyRefusalShare == 0)
    }

    // MARK: Answers that were cut

    @Test func `the inter-token latency of a cut answer ends with its last token`() throws {
        var scenario = HandWorld.scenario()
        // The first token at 10 ms, then one each 10 ms: the 25th at 250 ms.
        scenario.faults = [
            ScriptedFault(
                kind: .kill, endpoint: 0, startNanos: 257 * ms, endNanos: 300 * ms)
        ]
        let outcome = try HandWorld.run(scenario, .sendsAll(), ["0,100,1000"])
        #expect(outcome.report.figures.failed.total == 1)
        #expect((9.9...10.1).contains(outcome.report.figures.itl.p50 ?? 0))
        // The prompt and 24 tokens; the 25th token was not computed with.
        #expect(outcome.report.figures.wastedTokens == 124)
        #expect(outcome.report.figures.computedTokens == 124)
        #expect(outcome.report.figures.wastedTokenShare == 1)
    }

    @Test func `an answer that a stall cut has the latency it had before`() throws {
        var scenario = HandWorld.scenario()
        scenario.faults = [ScriptedFault(kind: .stall, endpoint: 0, startNanos: 255 * ms)]
        let outcome = try HandWorld.run(scenario, .sendsAll(), ["0,100,1000"])
        #expect(outcome.report.figures.failed.byReason["engine_stalled"] == 1)
        #expect((9.9...10.1).contains(outcome.report.figures.itl.p50 ?? 0))
    }

    // MARK: The end of a run

    @Test func `requests a fault keeps beyond the end are offered, abandoned and counted`() throws {
        var scenario = HandWorld.scenario()
        scenario.drainNanos = 30 * second
        scenario.faults = [ScriptedFault(kind: .stall, endpoint: 0, startNanos: 0)]
        let outcome = try HandWorld.run(scenario, .sendsAll(), ["0,100,2", "1,100,2"])
        #expect(outcome.report.figures.offered == 2)
        #expect(outcome.report.figures.abandoned.total == 2)
        #expect(outcome.unanswered == 2)
        #expect(outcome.faults == [])
        // Neither had a token by its deadline.
        #expect(outcome.earlyRefusalShare == 0)
    }

    @Test func `requests that nothing keeps and nobody answers break an invariant`() throws {
        var scenario = HandWorld.scenario()
        scenario.drainNanos = 5 * second
        let outcome = try HandWorld.run(scenario, HandPolicy { _, _, _ in }, ["0,100,2"])
        #expect(outcome.report.figures.offered == 1)
        #expect(outcome.report.figures.abandoned.byWhen["queue"] == 1)
        #expect(outcome.faults.count == 1)
        // Its engine idled while it waited, to the end.
        #expect(outcome.idleWhileWaitingSeconds == 5)
    }

    // MARK: Engines

    @Test func `an engine idles while work waits that no limit of its tenant holds back`() throws {
        // Held for a second, then sent; of two engines one idles on.
        var held: [RequestID] = []
        var isSent = false
        var policy = HandPolicy { event, _, actions in
            switch event {
            case .arrive(let arrival): held.append(arrival.request)
            case .tick:
                isSent = true
                for id in held { actions.send(id) }
            default: break
            }
        }
        policy.due = { isSent ? nil : Instant(nanos: HandWorld.second) }
        let free = try HandWorld.run(HandWorld.scenario(engines: 2), policy, ["0,100,2"])
        #expect(free.idleWhileWaitingSeconds == 2)
        // A tenant that may have one request at engines has it there: the other one is held back.
        var first = true
        isSent = false
        held = []
        policy.decide = { event, _, actions in
            switch event {
            case .arrive(let arrival):
                if first { actions.send(arrival.request) } else { held.append(arrival.request) }
                first = false
            case .tick:
                isSent = true
                for id in held { actions.send(id) }
            default: break
            }
        }
        let limited = [TenantPlan(name: "anonymous", concurrency: 1)]
        let bound = try HandWorld.run(
            HandWorld.scenario(engines: 2, tenants: limited), policy, ["0,100,200", "0,100,2"])
        #expect(bound.idleWhileWaitingSeconds == 0)
    }

    @Test(arguments: [(target: Int?.none, overshoot: 1_800), (2_500, 300), (9_000, 0)])
    func `overshoot is the waiting prefill beyond target and largest prompt`(
        _ one: (target: Int?, overshoot: Int)
    ) throws {
        var policy = HandPolicy.sendsAll()
        policy.prefillTarget = one.target
        // A step of a thousand tokens is the measure of a policy without a target.
        let outcome = try HandWorld.run(
            HandWorld.scenario(), policy, ["0,800,1", "0,1000,1", "0,1000,1"])
        #expect(outcome.engineQueuePeak == 2_800)
        #expect(outcome.engineQueueOvershoot == one.overshoot)
    }

    @Test func `stalls that overlap last as long as their union`() throws {
        var scenario = HandWorld.scenario()
        scenario.faults = [
            ScriptedFault(kind: .stall, endpoint: 0, startNanos: 0, endNanos: 2 * second),
            ScriptedFault(kind: .stall, endpoint: nil, startNanos: second, endNanos: 3 * second),
        ]
        let outcome = try HandWorld.run(scenario, .sendsAll(), ["0,100,1"])
        #expect((2_985...3_040).contains(outcome.report.figures.ttft.p50 ?? 0))
    }

    @Test func `a short stall inside an endless one does not end the patience with it`() throws {
        var scenario = HandWorld.scenario()
        scenario.faults = [
            ScriptedFault(kind: .stall, endpoint: 0, startNanos: 0),
            ScriptedFault(kind: .stall, endpoint: 0, startNanos: second, endNanos: 2 * second),
        ]
        let outcome = try HandWorld.run(scenario, .sendsAll(), ["0,100,1", "30,100,1"])
        #expect(outcome.report.figures.failed.byReason["engine_stalled"] == 2)
        #expect(outcome.report.durationNanos == 30 * second)
    }

    // MARK: What it cost

    @Test func `only pools that requests can come to cost anything`() throws {
        var scenario = HandWorld.scenario(engines: 2)
        var other = scenario.plan.models[0]
        other.name = "small"
        scenario.plan.models.append(other)
        scenario.pools.append(scenario.pools[0])
        scenario.pools[0].pricePerGPUHour = 3_600
        let alone = try HandWorld.run(scenario, .sendsAll(), ["0,100,100"])
        // Four GPUs for a second, at one unit a GPU second.
        #expect(alone.gpuSeconds == 4)
        #expect(alone.costPerGoodRequest == 4)
        scenario.plan.models[0].ladder = [.model(ModelID(raw: 1))]
        let laddered = try HandWorld.run(scenario, .sendsAll(), ["0,100,100"])
        #expect(laddered.gpuSeconds == 8)
        // The other pool has no price: the cost of both is not known.
        #expect(laddered.costPerGoodRequest == nil)
    }

    @Test func `the warm-up costs nothing and counts nowhere`() throws {
        var scenario = HandWorld.scenario()
        scenario.warmUpNanos = 2 * second
        let rows = ["0,100,1", "0,900,1", "0,900,1", "2.5,100,100"]
        let outcome = try HandWorld.run(scenario, .sendsAll(), rows)
        #expect(outcome.report.figures.offered == 1)
        #expect(outcome.gpuSeconds == 3)
        #expect(outcome.engineQueuePeak == 100)
        #expect(outcome.report.durationNanos == second / 2)
    }
}
