package import EngineModel
package import Report
import RequestPath
import Statistics
package import Workload

/// What is known of a workload before any run, from one pass over it: how much it asks for, and
/// what idle engines would make of it. Memory does not follow its length.
package struct WorkloadSurvey: Sendable {
    /// Requests that will be offered.
    package private(set) var requests: UInt64 = 0
    /// Requests left out because they exceed the context.
    package private(set) var tooLong: UInt64 = 0
    /// When the first and the last one come, in nanoseconds.
    package private(set) var firstNanos: UInt64 = 0
    package private(set) var lastNanos: UInt64 = 0
    /// Mean prompt in tokens.
    package var inputMean: Double { requests == 0 ? 0 : Double(inputTokens) / Double(requests) }
    /// Mean answer in tokens.
    package var outputMean: Double { requests == 0 ? 0 : Double(outputTokens) / Double(requests) }
    /// Requests a second: the gaps between them over the time they take; nil for a load of one
    /// moment, which has none.
    package var meanRate: Double? {
        guard requests > 1, lastNanos > firstNanos else { return nil }
        return Double(requests - 1) / Double(lastNanos - firstNanos) * 1e9
    }
    /// Classes and tenants that requests name and the plan does not have.
    package private(set) var unknown: UnknownNames
    /// By the engines given: how the budget is kept when every request has an idle engine to
    /// itself, nothing cached. Its TTFT is the unloaded TTFT of the workload.
    package private(set) var unloaded: [Report] = []

    private var inputTokens: UInt64 = 0
    private var outputTokens: UInt64 = 0

    /// Reads all arrivals.
    ///
    /// - Parameters:
    ///   - arrivals: from the first on; throws what is wrong with them.
    ///   - scenario: its budget and classes judge.
    ///   - engines: those to compare.
    package init(
        _ arrivals: ArrivalStream, scenario: Scenario, engines: [EngineConfiguration]
    ) throws(TraceFault) {
        var arrivals = arrivals
        var books = engines.map { _ in BudgetReport(budget: scenario.budget) }
        let classes = scenario.plan.models[scenario.model.raw].classes.map(\.name)
        unknown = UnknownNames(scenario)
        while let arrival = try arrivals.next() {
            if requests == 0 { firstNanos = arrival.atNanos }
            requests += 1
            unknown.note(arrival)
            lastNanos = arrival.atNanos
            inputTokens += UInt64(arrival.inputTokens)
            outputTokens += UInt64(arrival.outputTokens)
            let named = arrival.serviceClass.flatMap { classes.contains($0) ? $0 : nil }
            for (index, engine) in engines.enumerated() {
                books[index].add(
                    Self.outcome(
                        arrival, engine, className: named ?? classes[scenario.defaultClass]))
            }
        }
        tooLong = arrivals.tooLong
        unloaded = books.map {
            $0.report(source: .simulated, durationNanos: max(1, lastNanos - firstNanos))
        }
    }

    private static func outcome(
        _ arrival: Workload.Arrival, _ engine: EngineConfiguration, className: String
    ) -> RequestOutcome {
        let output = max(1, arrival.outputTokens)
        guard
            let times = engine.timesAlone(inputTokens: arrival.inputTokens, outputTokens: output)
        else {
            return RequestOutcome(
                serviceClass: className, status: .failed(reason: "http_400", at: .prefill),
                e2eNanos: 0, inputTokens: UInt64(arrival.inputTokens),
                outputTokens: UInt64(output))
        }
        return RequestOutcome(
            serviceClass: className, status: .completed, ttftNanos: UInt64(times.ttftNanos),
            itlMeanNanos: times.itlNanos.map { UInt64($0) }, e2eNanos: UInt64(times.e2eNanos),
            inputTokens: UInt64(arrival.inputTokens), outputTokens: UInt64(output))
    }
}
