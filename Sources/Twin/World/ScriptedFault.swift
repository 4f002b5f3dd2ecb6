/// A gauge that an engine tells wrongly.
package enum GaugeLie: Hashable, Sendable {
    /// `vllm:num_requests_running`.
    case running(UInt32)
    /// `vllm:num_requests_waiting`.
    case waiting(UInt32)
    /// `vllm:kv_cache_usage_perc`, 0 ... 1.
    case kvCache(Double)
}

/// Something that goes wrong in a run, for a time.
package struct ScriptedFault: Hashable, Sendable {
    /// What goes wrong.
    package enum Kind: Hashable, Sendable {
        /// Steps take this many times as long.
        case slow(Double)
        /// No step ends; connections stay open.
        case stall
        /// The process is gone, and what it was doing with it; it comes back empty.
        case kill
        /// Connections are refused; what is running goes on.
        case refuse
        /// This share of requests, 0 ... 1, is answered with a 500.
        case errors(Double)
        /// Gauges say this whatever is true.
        case lie([GaugeLie])
        /// Gauges cannot be had.
        case scrapeOutage
    }

    /// What goes wrong.
    package var kind: Kind
    /// Where, from 0; nil is everywhere.
    package var endpoint: Int?
    /// When it begins, in nanoseconds from the start.
    package var startNanos: UInt64
    /// When it is over; nil: never.
    package var endNanos: UInt64?

    /// Describes a fault.
    package init(kind: Kind, endpoint: Int?, startNanos: UInt64, endNanos: UInt64? = nil) {
        self.kind = kind
        self.endpoint = endpoint
        self.startNanos = startNanos
        self.endNanos = endNanos
    }
}

/// What is wrong with a fault script, and where.
package struct ScriptProblem: Error, Hashable, Sendable, CustomStringConvertible {
    /// From 1.
    package let line: Int
    /// From 1, in characters.
    package let column: Int
    /// What is wrong and what was expected.
    package let message: String

    /// `3:12: ...`, ready to stand behind the name of the file and a colon.
    package var description: String { "\(line):\(column): \(message)" }
}

/// Every problem of a script, in the order of lines.
package struct ScriptProblems: Error, Hashable, Sendable {
    /// Never empty.
    package let problems: [ScriptProblem]
}
