/// A finished report, schema `plimsoll.report/v1`: what is printed as JSON and as a table, live and
/// simulated alike.
///
/// Encode with sorted keys for the same bytes from the same run. Times are milliseconds, rounded to
/// a microsecond; shares are 0 ... 1.
package struct Report: Hashable, Sendable, Encodable {
    /// Where the figures come from.
    package enum Source: String, Hashable, Sendable, Encodable {
        case live, simulated
    }

    /// Good requests of all offered.
    package struct Goodput: Hashable, Sendable, Encodable {
        /// Good requests.
        package let count: UInt64
        /// `count` / offered; zero when nothing was offered.
        package let share: Double
        /// The same in tokens of prompt and answer: refusing long prompts flatters the count.
        package let work: Work
    }

    /// Good tokens of all offered.
    package struct Work: Hashable, Sendable, Encodable {
        /// Tokens of good requests.
        package let tokens: UInt64
        /// Tokens asked for by all requests.
        package let offered: UInt64
        /// `tokens` / `offered`.
        package let share: Double
    }

    /// Requests that ended early.
    package struct Ended: Hashable, Sendable, Encodable {
        /// How many.
        package let total: UInt64
        /// How many, by reason, in the order of names.
        package let byReason: OrderedCounts
        /// How many, by when in their life: `arrival`, `queue`, `prefill`, `decode`.
        package let byWhen: OrderedCounts

        enum CodingKeys: String, CodingKey {
            case total
            case byReason = "by_reason"
            case byWhen = "by_when"
        }
    }

    /// Quantiles in milliseconds; nil, and null in JSON, without a single value.
    package struct Quantiles: Hashable, Sendable {
        /// Requests that had the figure.
        package let count: UInt64
        /// The median.
        package let p50: Double?
        /// 95 of 100 are at or below.
        package let p95: Double?
        /// 99 of 100 are at or below.
        package let p99: Double?
        /// 999 of 1,000 are at or below.
        package let p999: Double?

        /// Of no request.
        package static let none = Quantiles(count: 0, p50: nil, p95: nil, p99: nil, p999: nil)
    }

    /// One objective and how it was kept.
    package struct Objective: Hashable, Sendable, Encodable {
        /// `ttft`, `itl` or `e2e`.
        package let stage: String
        /// The share that must be inside, 0 ... 1.
        package let quantile: Double
        /// The bound in milliseconds.
        package let boundMillis: Double
        /// Requests inside the bound.
        package let inside: UInt64
        /// Requests judged.
        package let total: UInt64
        /// `inside` / `total`; nil when none was judged.
        package let share: Double?
        /// Whether it was met.
        package let met: Bool

        enum CodingKeys: String, CodingKey {
            case stage, quantile, inside, total, share, met
            case boundMillis = "bound_ms"
        }
    }

    /// Counts and latencies, of one class or of all.
    package struct Figures: Hashable, Sendable {
        /// Good requests of all offered.
        package let goodput: Goodput
        /// Requests that were asked for; retries of refused ones are not offered again.
        package let offered: UInt64
        /// Requests whose whole answer arrived.
        package let completed: UInt64
        /// Requests that completed inside their bounds.
        package let good: UInt64
        /// Requests turned away.
        package let refused: Ended
        /// Requests that ended in an error.
        package let failed: Ended
        /// Requests a step of the ladder was applied to, however they ended.
        package let degraded: UInt64
        /// Requests whose client went away.
        package let abandoned: Ended
        /// Tokens engines computed; of a live run what its clients can know of them.
        package let computedTokens: UInt64
        /// Of these, tokens computed for requests that were not good.
        package let wastedTokens: UInt64
        /// `wastedTokens` / `computedTokens`; zero when nothing was computed.
        package var wastedTokenShare: Double {
            computedTokens == 0 ? 0 : Double(wastedTokens) / Double(computedTokens)
        }
        /// Time to first token, of requests that had one.
        package let ttft: Quantiles
        /// Mean time between tokens of a request, of requests with two or more.
        package let itl: Quantiles
        /// End to end, of requests that completed.
        package let e2e: Quantiles
    }

    /// One class.
    package struct ServiceClass: Hashable, Sendable, Encodable {
        /// Its name.
        package let name: String
        /// Its counts and latencies.
        package let figures: Figures
        /// Its objectives, in the order written.
        package let objectives: [Objective]
    }

    /// Whether the budget was kept.
    package struct Verdict: Hashable, Sendable, Encodable {
        /// Whether every objective and limit was kept.
        package let isHeld: Bool
        /// Why not, one sentence each; empty when it was.
        package let reasons: [String]
    }

    /// The schema's name.
    package static let schema = "plimsoll.report/v1"

    /// Live or simulated.
    package let source: Source
    /// Nanoseconds the report covers.
    package let durationNanos: UInt64
    /// Something the reader must know, such as the error bound of a simulation; may be empty.
    package let note: String
    /// nil without a budget.
    package let verdict: Verdict?
    /// All requests.
    package let figures: Figures
    /// The classes: the budget's in its order, then others as they came.
    package let classes: [ServiceClass]
    /// Attempts of clients / offered requests; 1 without retries.
    package let retryAmplification: Double
    /// Jain's index of attained work over tenants; 1 for one tenant.
    package let fairness: Double
    /// Tenants seen.
    package let tenants: Int
}

/// Counts by name in a fixed order, encoded as an object.
package struct OrderedCounts: Hashable, Sendable, Encodable {
    /// One name and its count.
    package struct Entry: Hashable, Sendable {
        /// The name.
        package let name: String
        /// How many.
        package let count: UInt64
    }

    /// In the order of names.
    package let entries: [Entry]

    /// The count of a name; zero when it was never counted.
    package subscript(name: String) -> UInt64 {
        entries.first { $0.name == name }?.count ?? 0
    }

    /// Writes one member a name.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: TextKey.self)
        for entry in entries { try container.encode(entry.count, forKey: TextKey(entry.name)) }
    }
}

/// A key that is any text.
struct TextKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(_ text: String) {
        stringValue = text
    }

    init?(stringValue: String) {
        self.init(stringValue)
    }

    init?(intValue: Int) {
        nil
    }
}
