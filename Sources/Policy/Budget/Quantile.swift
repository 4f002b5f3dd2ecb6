/// The quantiles a budget may speak of; the raw value is in thousandths.
package enum Quantile: Int, CaseIterable, Comparable, Hashable, Sendable {
    case p50 = 500
    case p90 = 900
    case p95 = 950
    case p99 = 990
    case p999 = 999

    /// The spelling in a budget: `p50`, `p999`.
    package var name: String {
        switch self {
        case .p50: "p50"
        case .p90: "p90"
        case .p95: "p95"
        case .p99: "p99"
        case .p999: "p999"
        }
    }

    /// As a share, 0.99 for `p99`.
    package var share: Double {
        Double(self.rawValue) / 1000
    }

    package static func < (left: Quantile, right: Quantile) -> Bool {
        left.rawValue < right.rawValue
    }
}
