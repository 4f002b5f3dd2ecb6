/// "This share of requests within this time."
package struct LatencyBound: Sendable, Equatable {
    package var quantile: Quantile
    package var nanos: UInt64

    package init(_ quantile: Quantile, nanos: UInt64) {
        self.quantile = quantile
        self.nanos = nanos
    }
}

/// The bounds written for one latency: at most one a quantile, times never falling as they rise.
package struct LatencyBounds: Sendable, Equatable {
    /// From the lowest quantile to the highest.
    package let bounds: [LatencyBound]

    /// Puts the bounds in quantile order.
    package init(_ bounds: [LatencyBound]) {
        self.bounds = bounds.sorted { $0.quantile < $1.quantile }
    }

    /// The bound that decides whether a request was good; `nil` when none is written.
    package var highest: LatencyBound? {
        self.bounds.last
    }

    /// The time written for a quantile, in nanoseconds.
    package func nanos(at quantile: Quantile) -> UInt64? {
        self.bounds.first { $0.quantile == quantile }?.nanos
    }
}

/// The latencies a budget bounds.
package enum Latency: CaseIterable, Hashable, Sendable {
    case timeToFirstToken
    case interTokenLatency
    case endToEnd

    /// The spelling in a budget.
    package var name: String {
        switch self {
        case .timeToFirstToken: "timeToFirstToken"
        case .interTokenLatency: "interTokenLatency"
        case .endToEnd: "endToEnd"
        }
    }
}

/// The written latency objectives of a model or a class; what is `nil` is not bounded.
package struct Objectives: Sendable, Equatable {
    package var timeToFirstToken: LatencyBounds?
    /// Bounds on (last token - first token) / (tokens - 1) of a request.
    package var interTokenLatency: LatencyBounds?
    package var endToEnd: LatencyBounds?

    package init(
        timeToFirstToken: LatencyBounds? = nil, interTokenLatency: LatencyBounds? = nil,
        endToEnd: LatencyBounds? = nil
    ) {
        self.timeToFirstToken = timeToFirstToken
        self.interTokenLatency = interTokenLatency
        self.endToEnd = endToEnd
    }

    /// The bounds of one latency.
    package subscript(latency: Latency) -> LatencyBounds? {
        switch latency {
        case .timeToFirstToken: self.timeToFirstToken
        case .interTokenLatency: self.interTokenLatency
        case .endToEnd: self.endToEnd
        }
    }
}
