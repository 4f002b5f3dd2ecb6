import Statistics

/// Collects outcomes, live or simulated, and makes a `Report` of them.
///
/// A request is good when it completed without error and within the highest-quantile bound of each
/// stage; goodput is good / offered; an objective is met when the share of requests inside its
/// bound is at least its quantile. All are counts of single requests, never averages of averages.
/// Memory is about 64 KB a class, whatever is added; classes and tenants beyond the bounds count
/// together as `other`.
package struct BudgetReport: Sendable {
    /// Classes that are told apart, at most; the budget's own classes are never folded.
    package static let classesMax = 64
    /// Tenants that are told apart, at most.
    package static let tenantsMax = 10_000

    struct ClassTally: Sendable {
        let name: String
        let objectives: [ReportBudget.Objective]
        let good: GoodBounds
        var inside: [Tally.Inside]
        var tally = Tally()
    }

    let budget: ReportBudget?
    private(set) var classes: [ClassTally] = []
    private(set) var workByTenant = NamedCounts(namesMax: tenantsMax)
    private var indexByClass: [String: Int] = [:]

    /// An empty report. Without a budget a request is good when it completed, and there is no
    /// verdict.
    package init(budget: ReportBudget? = nil) {
        self.budget = budget
        for known in budget?.classes ?? [] { _ = open(known.name) }
    }

    /// Counts one request; whether it was good.
    @discardableResult
    package mutating func add(_ outcome: RequestOutcome) -> Bool {
        let index = index(of: outcome.serviceClass)
        let isGood = classes[index].good.contains(outcome)
        classes[index].tally.add(outcome, isGood: isGood)
        for position in classes[index].objectives.indices {
            switch Self.judge(outcome, by: classes[index].objectives[position]) {
            case .inside:
                classes[index].inside[position].inside += 1
                classes[index].inside[position].total += 1
            case .outside: classes[index].inside[position].total += 1
            case .unknown: break
            }
        }
        if !outcome.tenant.isEmpty { workByTenant.add(outcome.tenant, outcome.attainedWork) }
        return isGood
    }

    /// Everything counted so far, in all classes.
    var everything: Tally {
        var sum = Tally()
        for one in classes { sum.add(one.tally) }
        return sum
    }

    private enum Judgement {
        case inside, outside, unknown
    }

    /// A request that ended without the figure is outside a bound it had already exceeded;
    /// otherwise nothing is known of it. Refusals are counted apart and never here.
    private static func judge(
        _ outcome: RequestOutcome, by objective: ReportBudget.Objective
    ) -> Judgement {
        if case .refused = outcome.status { return .unknown }
        if let nanos = outcome.nanos(of: objective.stage) {
            return nanos <= objective.boundNanos ? .inside : .outside
        }
        let waitedInVain =
            outcome.status != .completed && objective.stage != .itl
            && outcome.e2eNanos > objective.boundNanos
        return waitedInVain ? .outside : .unknown
    }

    private mutating func index(of name: String) -> Int {
        if let index = indexByClass[name] { return index }
        if classes.count < Self.classesMax { return open(name) }
        return indexByClass[NamedCounts.other] ?? open(NamedCounts.other)
    }

    private mutating func open(_ name: String) -> Int {
        if let index = indexByClass[name] { return index }
        let objectives = budget?.objectives(of: name) ?? []
        classes.append(
            ClassTally(
                name: name, objectives: objectives, good: GoodBounds(objectives),
                inside: Array(repeating: Tally.Inside(), count: objectives.count)))
        indexByClass[name] = classes.count - 1
        return classes.count - 1
    }
}
