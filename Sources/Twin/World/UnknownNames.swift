package import Report
import RequestPath
import Workload

/// Names that a workload's requests bear and the budget does not know, with how many requests bear
/// them. The first thousand are told apart.
package struct UnknownNames: Sendable, Hashable, Encodable {
    /// Requests by a class the model does not have; they are served in its default class.
    package private(set) var classes = NamedCounts(namesMax: namesMax)
    /// Requests by a tenant nobody wrote down; they are served as the plan's first tenant, who is
    /// nobody in particular, and still count under their names for fairness.
    package private(set) var tenants = NamedCounts(namesMax: namesMax)
    /// The class they are served in.
    package let servedInClass: String
    /// The tenant they are served as.
    package let servedAsTenant: String

    private let knownClasses: Set<String>
    private let knownTenants: Set<String>
    private static let namesMax = 1_000

    init(_ scenario: Scenario) {
        let classes = scenario.plan.models[scenario.model.raw].classes
        servedInClass = classes[scenario.defaultClass].name
        servedAsTenant = scenario.plan.tenants.first?.name ?? ""
        knownClasses = Set(classes.map(\.name))
        knownTenants = Set(scenario.plan.tenants.map(\.name))
    }

    mutating func note(_ arrival: Workload.Arrival) {
        if let name = arrival.serviceClass, !knownClasses.contains(name) { classes.add(name) }
        if let name = arrival.tenant, !knownTenants.contains(name) { tenants.add(name) }
    }

    /// Whether every name was known.
    package var isEmpty: Bool { classes.total == 0 && tenants.total == 0 }

    /// One line for a person; nil when every name was known.
    package var warning: String? {
        func list(_ counts: NamedCounts) -> String {
            let entries = counts.ordered.entries
            let named = entries.prefix(5).map { "'\($0.name)' \(Wording.grouped($0.count))" }
            let rest = entries.count > 5 ? ", and \(entries.count - 5) more" : ""
            return named.joined(separator: ", ") + rest
        }
        var parts: [String] = []
        if classes.total > 0 {
            parts.append(
                "requests served as '\(servedInClass)' because the budget does not have their "
                    + "class: \(list(classes))")
        }
        if tenants.total > 0 {
            parts.append(
                "requests served as '\(servedAsTenant)', without limits of their own, because it "
                    + "does not have their tenant: \(list(tenants))")
        }
        return parts.isEmpty ? nil : parts.joined(separator: "; ")
    }

    private enum CodingKeys: String, CodingKey {
        case classes, tenants
        case servedInClass = "served_in_class"
        case servedAsTenant = "served_as_tenant"
    }

    /// Writes the counts by name and how they are treated.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(classes.ordered, forKey: .classes)
        try container.encode(servedInClass, forKey: .servedInClass)
        try container.encode(tenants.ordered, forKey: .tenants)
        try container.encode(servedAsTenant, forKey: .servedAsTenant)
    }
}
