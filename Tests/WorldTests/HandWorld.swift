import Baselines
import EngineModel
import Report
import RequestPath
import Statistics
import Time
import Workload
import World

/// A policy that does what a test says.
struct HandPolicy: RequestPolicy {
    var abortCause = AbortCause.deadline
    var prefillTarget: Int?
    /// When it wants to be woken, taken out when that is asked for the next time.
    var due: () -> Instant? = { nil }
    var decide: (Event, Instant, inout ActionBuffer) -> Void

    mutating func step(_ event: Event, now: Instant, into actions: inout ActionBuffer) {
        decide(event, now, &actions)
    }

    func nextDeadline() -> Instant? { due() }

    func prefillTokensMax(at endpoint: EndpointID) -> Int? { prefillTarget }

    /// Sends every request to endpoint 0 as it comes, and answers every fault with a failure.
    static func sendsAll() -> HandPolicy {
        HandPolicy { event, _, actions in
            switch event {
            case .arrive(let arrival): actions.send(arrival.request)
            case .attemptFailed(let id, let failure, _): actions.append(.fail(id, failure))
            default: break
            }
        }
    }
}

extension ActionBuffer {
    mutating func send(_ id: RequestID, to endpoint: Int = 0, attempt: Int = 1) {
        append(
            .dispatch(
                id,
                Dispatch(
                    endpoint: EndpointID(raw: endpoint), model: ModelID(raw: 0), attempt: attempt)))
    }

    mutating func refuse(_ id: RequestID) {
        append(.refuse(id, Refusal(reason: .saturated, retryAfterNanos: 1_000_000_000)))
    }
}

/// A world small enough to work out by hand: every step takes 10 ms, whatever is in it, and has
/// 1,000 tokens at most.
enum HandWorld {
    static let millisecond: UInt64 = 1_000_000
    static let second: UInt64 = 1_000_000_000

    static func engine() -> EngineConfiguration {
        var engine = EngineConfiguration(
            cost: EngineCost(
                step: StepCost(
                    base: 10_000_000, perPrefillToken: 0, perSequence: 0, perKVToken: 0)),
            kvBlocks: 10_000)
        engine.batchedTokensMax = 1_000
        return engine
    }

    /// One model, one class with a TTFT bound of 500 ms and a deadline of a second.
    static func scenario(
        engines: Int = 1, tenants: [TenantPlan] = [TenantPlan(name: "anonymous")]
    ) -> Scenario {
        let standard = ClassPlan(
            name: "standard", planNanos: second / 2, deadlineNanos: second)
        var scenario = Scenario(
            plan: Plan(
                models: [ModelPlan(name: "m", classes: [standard])], tenants: tenants),
            model: ModelID(raw: 0), defaultClass: 0,
            budget: ReportBudget(objectives: [
                ReportBudget.Objective(
                    stage: .ttft, quantilePerMillion: 990_000, boundNanos: second / 2)
            ]),
            pools: [Scenario.EnginePool(engine: engine(), replicas: engines, gpus: 2)])
        scenario.monitor.scrapeNanos = nil
        return scenario
    }

    /// Arrivals from the rows of a plain trace: what `columns` says, in its order.
    static func arrivals(
        _ rows: [String], columns: String = "arrival_s,input_tokens,output_tokens"
    ) -> ArrivalStream {
        var text: [UInt8]? = Array(([columns] + rows).joined(separator: "\n").utf8)
        return ArrivalStream(format: .csv) { () throws(TraceFault) in
            defer { text = nil }
            return text
        }
    }

    static func run(
        _ scenario: Scenario, _ policy: HandPolicy, _ rows: [String],
        columns: String = "arrival_s,input_tokens,output_tokens"
    ) throws -> RunOutcome {
        var simulation = Simulation(
            scenario: scenario, policy: policy, arrivals: arrivals(rows, columns: columns))
        return try simulation.run()
    }
}
