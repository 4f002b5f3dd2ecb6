import Budget

/// What `plimsoll check` says of a load, as lines or as JSON.
package struct CheckReport: Encodable, Sendable {
    /// Whether the configuration was accepted.
    package let ok: Bool
    /// What it declares; zeros when it was refused.
    package let models: Int
    package let tenants: Int
    package let pools: Int
    /// Sorted by file, line and column.
    package let faults: [Fault]
    package let warnings: [Fault]

    package init(_ result: LoadResult) {
        switch result {
        case .accepted(let configuration, let warnings):
            self.ok = true
            self.models = configuration.models.count
            self.tenants = configuration.tenants.count
            self.pools = configuration.pools.count
            self.faults = []
            self.warnings = warnings
        case .refused(let faults):
            self.ok = false
            self.models = 0
            self.tenants = 0
            self.pools = 0
            self.faults = faults
            self.warnings = []
        }
    }

    /// 0 when accepted, 2 when refused.
    package var exitCode: Int32 {
        self.ok ? 0 : 2
    }

    /// A line a fault or warning, then one that sums up.
    package var lines: [String] {
        let found = self.faults.map(\.text) + self.warnings.map { "warning: \($0.text)" }
        guard self.ok else {
            return found + [Self.count(self.faults.count, "fault")]
        }
        let parts = [
            Self.count(self.models, "model"), Self.count(self.tenants, "tenant"),
            Self.count(self.pools, "pool"),
        ]
        return found + ["ok: " + parts.joined(separator: ", ")]
    }

    private static func count(_ count: Int, _ noun: String) -> String {
        "\(count) \(noun)\(count == 1 ? "" : "s")"
    }
}
