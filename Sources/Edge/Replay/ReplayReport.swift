package import Report
import Statistics

/// The budget report of a live run with what only its client can know.
package struct ReplayReport: Sendable, Encodable {
    /// Quantiles in milliseconds; `nil`, and null in JSON, without a single value.
    package struct Delays: Sendable, Equatable, Encodable {
        package var count: UInt64
        package var p50: Double?
        package var p95: Double?
        package var p99: Double?
        package var p999: Double?
        /// The greatest, exactly.
        package var max: Double?

        init(_ histogram: Histogram) {
            func millis(_ nanos: UInt64) -> Double? {
                histogram.count == 0 ? nil : (Double(nanos) / 1_000).rounded() / 1_000
            }
            func at(_ share: Double) -> Double? { millis(histogram.quantile(share)) }
            self.count = histogram.count
            self.p50 = at(0.5)
            self.p95 = at(0.95)
            self.p99 = at(0.99)
            self.p999 = at(0.999)
            self.max = millis(histogram.max)
        }

        /// Writes every quantile, null where there is none.
        package func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(self.count, forKey: .count)
            try container.encode(self.p50, forKey: .p50)
            try container.encode(self.p95, forKey: .p95)
            try container.encode(self.p99, forKey: .p99)
            try container.encode(self.p999, forKey: .p999)
            try container.encode(self.max, forKey: .max)
        }

        private enum CodingKeys: String, CodingKey {
            case count, p50, p95, p99, p999, max
        }
    }

    package let report: Report
    /// From the last bytes of a request, given to the kernel, to the end of its refusal, for those
    /// refused on arrival. Others are refused after a wait in a queue, which is no delay.
    package let refusalDelay: Delays
    /// From the intended arrival to the moment the request was sent: the replayer's own lateness,
    /// which is part of every latency.
    package let sendDelay: Delays
    /// Whether the run was ended before its workload.
    package let isInterrupted: Bool

    init(_ replay: ReplayLoop, _ settings: ReplaySettings) {
        self.refusalDelay = Delays(replay.refusalDelays)
        self.sendDelay = Delays(replay.sendDelays)
        self.isInterrupted = replay.isInterrupted
        var note = replay.isInterrupted ? "interrupted before the end of the workload; " : ""
        note += "latency counts from the intended arrival; "
        note += "\(settings.promptScale.words) of prompt text stand for a token"
        self.report = replay.budget.report(
            source: .live, durationNanos: replay.durationNanos, note: note)
    }

    private enum CodingKeys: String, CodingKey {
        case refusalDelay = "refusal_delay_ms"
        case sendDelay = "send_delay_ms"
        case isInterrupted = "interrupted"
    }

    /// Writes the report with its additions as one object.
    package func encode(to encoder: any Encoder) throws {
        try self.report.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(self.refusalDelay, forKey: .refusalDelay)
        try container.encode(self.sendDelay, forKey: .sendDelay)
        try container.encode(self.isInterrupted, forKey: .isInterrupted)
    }

    /// The report for a terminal, at most 100 columns wide.
    package func table() -> String {
        func line(_ name: String, _ delays: Delays) -> String {
            func text(_ millis: Double?) -> String {
                guard let millis else { return "-" }
                let tenths = (millis * 10).rounded() / 10
                return "\(tenths)"
            }
            return "  \(name) p50 \(text(delays.p50)), p99 \(text(delays.p99)) ms\n"
        }
        var text = self.report.table() + "\n"
        text += line("sent after the intended arrival:", self.sendDelay)
        if self.refusalDelay.count > 0 {
            text += line("refused after the last body byte:", self.refusalDelay)
        }
        return text
    }
}
