/// The part of a written budget a report is judged by.
package struct ReportBudget: Hashable, Sendable {
    /// What a bound is about.
    package enum Stage: String, Hashable, Sendable, CaseIterable {
        /// Time to first token.
        case ttft
        /// Mean time between tokens of a request.
        case itl
        /// End to end.
        case e2e

        /// The name shown to people.
        var title: String {
            switch self {
            case .ttft: "TTFT"
            case .itl: "ITL"
            case .e2e: "E2E"
            }
        }
    }

    /// At least this share of requests is within this bound.
    package struct Objective: Hashable, Sendable {
        /// What is bounded.
        package let stage: Stage
        /// The share in millionths: p99 is 990,000.
        package let quantilePerMillion: UInt64
        /// The bound in nanoseconds; a request that takes exactly this long is inside.
        package let boundNanos: UInt64

        /// Creates an objective; the share is held to a million.
        package init(stage: Stage, quantilePerMillion: UInt64, boundNanos: UInt64) {
            self.stage = stage
            self.quantilePerMillion = min(quantilePerMillion, 1_000_000)
            self.boundNanos = boundNanos
        }
    }

    /// The objectives of one class.
    package struct ServiceClass: Hashable, Sendable {
        /// The name of the class.
        package let name: String
        /// Its objectives, in the order they are shown.
        package let objectives: [Objective]

        /// Creates a class with its own objectives.
        package init(name: String, objectives: [Objective]) {
            self.name = name
            self.objectives = objectives
        }
    }

    /// Objectives of every class that has none of its own.
    package var objectives: [Objective]
    /// Classes in the order they are shown.
    package var classes: [ServiceClass]
    /// Failures allowed among a million requests that were not refused; nil for no limit.
    package var errorRatePerMillion: UInt64?
    /// Refusals allowed among a million offered requests; nil for no limit.
    package var refusalRatePerMillion: UInt64?

    /// Creates a budget.
    package init(
        objectives: [Objective], classes: [ServiceClass] = [],
        errorRatePerMillion: UInt64? = nil, refusalRatePerMillion: UInt64? = nil
    ) {
        self.objectives = objectives
        self.classes = classes
        self.errorRatePerMillion = errorRatePerMillion
        self.refusalRatePerMillion = refusalRatePerMillion
    }

    func objectives(of name: String) -> [Objective] {
        classes.first { $0.name == name }?.objectives ?? objectives
    }
}
