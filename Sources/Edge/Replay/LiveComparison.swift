package import Report

/// A live run beside a simulated one of the same arrivals: how far the twin is from the truth.
package struct LiveComparison: Sendable, Encodable {
    /// A figure of both.
    package struct Pair: Sendable, Equatable, Encodable {
        /// nil where a run has no such value.
        package let live: Double?
        package let simulated: Double?
        /// (simulated - live) / live; nil where one is missing or live is zero.
        package let relativeError: Double?

        /// Joins a figure of both runs.
        package init(live: Double?, simulated: Double?) {
            self.live = live
            self.simulated = simulated
            guard let live, let simulated, live > 0 else {
                self.relativeError = nil
                return
            }
            self.relativeError = ((simulated - live) / live * 1e4).rounded() / 1e4
        }

        private enum CodingKeys: String, CodingKey {
            case live, simulated
            case relativeError = "relative_error"
        }

        /// Writes every field, null where there is none.
        package func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(self.live, forKey: .live)
            try container.encode(self.simulated, forKey: .simulated)
            try container.encode(self.relativeError, forKey: .relativeError)
        }
    }

    /// The quantiles of one latency, in milliseconds.
    package struct Latency: Sendable, Equatable, Encodable {
        package let p50: Pair
        package let p95: Pair
        package let p99: Pair

        init(_ live: Report.Quantiles, _ simulated: Report.Quantiles) {
            self.p50 = Pair(live: live.p50, simulated: simulated.p50)
            self.p95 = Pair(live: live.p95, simulated: simulated.p95)
            self.p99 = Pair(live: live.p99, simulated: simulated.p99)
        }
    }

    /// The schema's name.
    package static let schema = "plimsoll.comparison/v1"

    package let live: Report
    package let simulated: Report
    /// Prompt tokens that the live engine counted, of those that were wanted; nil where it told
    /// none. What it is off from one, the simulation did not know.
    package let promptTokenShare: Double?
    /// The profile that was simulated.
    package let profile: String
    package let timeToFirstToken: Latency
    package let interToken: Latency
    package let endToEnd: Latency
    /// 0 ... 1, of requests.
    package let goodput: Pair
    /// 0 ... 1, of tokens.
    package let goodputInWork: Pair
    /// 0 ... 1.
    package let refused: Pair
    /// 0 ... 1: failed and abandoned.
    package let unanswered: Pair

    /// Sets two reports side by side.
    package init(live: Report, simulated: Report, promptTokenShare: Double?, profile: String) {
        self.live = live
        self.simulated = simulated
        self.promptTokenShare = promptTokenShare.map { ($0 * 1e4).rounded() / 1e4 }
        self.profile = profile
        let (one, other) = (live.figures, simulated.figures)
        self.timeToFirstToken = Latency(one.ttft, other.ttft)
        self.interToken = Latency(one.itl, other.itl)
        self.endToEnd = Latency(one.e2e, other.e2e)
        func shares(_ part: (Report.Figures) -> Double) -> Pair {
            Pair(live: part(one), simulated: part(other))
        }
        func share(_ part: UInt64, of whole: UInt64) -> Double {
            whole == 0 ? 0 : Double(part) / Double(whole)
        }
        self.goodput = shares { $0.goodput.share }
        self.goodputInWork = shares { $0.goodput.work.share }
        self.refused = shares { share($0.refused.total, of: $0.offered) }
        self.unanswered = shares { share($0.failed.total + $0.abandoned.total, of: $0.offered) }
    }

    private enum CodingKeys: String, CodingKey {
        case schema, live, simulated, profile, goodput, refused, unanswered
        case promptTokenShare = "prompt_token_share"
        case timeToFirstToken = "ttft_ms"
        case interToken = "itl_ms"
        case endToEnd = "e2e_ms"
        case goodputInWork = "goodput_in_work"
    }

    /// Writes both reports and every pair.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(Self.schema, forKey: .schema)
        try container.encode(self.profile, forKey: .profile)
        try container.encode(self.promptTokenShare, forKey: .promptTokenShare)
        try container.encode(self.timeToFirstToken, forKey: .timeToFirstToken)
        try container.encode(self.interToken, forKey: .interToken)
        try container.encode(self.endToEnd, forKey: .endToEnd)
        try container.encode(self.goodput, forKey: .goodput)
        try container.encode(self.goodputInWork, forKey: .goodputInWork)
        try container.encode(self.refused, forKey: .refused)
        try container.encode(self.unanswered, forKey: .unanswered)
        try container.encode(self.live, forKey: .live)
        try container.encode(self.simulated, forKey: .simulated)
    }
}

extension LiveComparison {
    /// For a terminal, at most 100 columns wide.
    package func table() -> String {
        var table = TextTable(rightAligned: [1, 2, 3])
        table.add(["", "live", "simulated", "error"])
        func add(_ name: String, _ pair: Pair, scale: Double, _ decimals: Int) {
            func text(_ value: Double?) -> String {
                value.map { Wording.fixed($0 * scale, decimals) } ?? "-"
            }
            table.add([name, text(pair.live), text(pair.simulated), Self.error(pair)])
        }
        for (name, latency) in [
            ("TTFT", self.timeToFirstToken), ("ITL", self.interToken), ("E2E", self.endToEnd),
        ] {
            add("\(name) p50 ms", latency.p50, scale: 1, 2)
            add("\(name) p95 ms", latency.p95, scale: 1, 2)
            add("\(name) p99 ms", latency.p99, scale: 1, 2)
        }
        add("goodput %", self.goodput, scale: 100, 2)
        add("goodput in work %", self.goodputInWork, scale: 100, 2)
        add("refused %", self.refused, scale: 100, 2)
        add("failed, abandoned %", self.unanswered, scale: 100, 2)
        var lines = [self.title, ""] + table.lines(indent: 2) + [""]
        lines += TextTable.wrapped(
            "note: error = (simulated - live) / live; both saw the same arrivals; live times are "
                + "the client's, network and its own lateness in them", indent: 2)
        if let share = self.promptTokenShare {
            lines += TextTable.wrapped(
                "note: the engine counted \(Wording.fixed(share * 100, 1)) % of the prompt tokens "
                    + "that were wanted", indent: 2)
        }
        return lines.map { $0 + "\n" }.joined()
    }

    private var title: String {
        "Live against simulated (\(self.profile)): "
            + "\(Wording.grouped(self.live.figures.offered)) requests in "
            + "\(Wording.fixed(Double(self.live.durationNanos) / 1e9, 1)) s"
    }

    /// `+3.1 %`.
    private static func error(_ pair: Pair) -> String {
        guard let error = pair.relativeError else { return "-" }
        return (error < 0 ? "-" : "+") + Wording.fixed(abs(error) * 100, 1) + " %"
    }
}
