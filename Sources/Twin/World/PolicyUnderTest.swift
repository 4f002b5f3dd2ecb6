package import Baselines
import RequestPath
package import Workload

/// What a run tests.
package enum PolicyUnderTest: Sendable, Hashable {
    /// The product's admission, with its own choice by ledger.
    case plimsoll
    /// A gate and a choice of the field.
    case baseline(BaselineGate, BaselineChoice, BaselineSetting = .published)

    /// Its name on the command line and in reports.
    package var policyName: String {
        switch self {
        case .plimsoll: "plimsoll"
        case .baseline(let gate, _, _): gate.rawValue
        }
    }

    /// The name of its choice.
    package var choiceName: String {
        switch self {
        case .plimsoll: "ledger"
        case .baseline(_, let choice, _): choice.rawValue
        }
    }

    /// The name of its setting.
    package var settingName: String {
        switch self {
        case .plimsoll: BaselineSetting.published.label
        case .baseline(_, _, let setting): setting.label
        }
    }

    /// How often it has engines scraped unless told otherwise, in nanoseconds: the product's
    /// gateway once a second, the field's routers every 50 ms.
    package var scrapeNanos: UInt64 { self == .plimsoll ? 1_000_000_000 : 50_000_000 }

    /// Runs a scenario under this policy; throws what is wrong with the arrivals.
    package func run(
        _ scenario: Scenario, arrivals: ArrivalStream
    ) throws(TraceFault) -> RunOutcome {
        switch self {
        case .plimsoll:
            let admission = Admission(plan: scenario.plan, seed: scenario.seed)
            var simulation = Simulation(scenario: scenario, policy: admission, arrivals: arrivals)
            return try simulation.run()
        case .baseline(let gate, let choice, let setting):
            let baseline = Baseline.make(
                gate: gate, choice: choice, plan: scenario.plan, seed: scenario.seed,
                knobs: setting.knobs)
            var simulation = Simulation(scenario: scenario, policy: baseline, arrivals: arrivals)
            return try simulation.run()
        }
    }
}
