extension Report {
    /// Writes the schema's name and all figures at the top level.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: TextKey.self)
        try container.encode(Self.schema, forKey: TextKey("schema"))
        try container.encode(source, forKey: TextKey("source"))
        try container.encode(Double(durationNanos) / 1e9, forKey: TextKey("duration_s"))
        if !note.isEmpty { try container.encode(note, forKey: TextKey("note")) }
        if let verdict {
            try container.encode(verdict, forKey: TextKey("verdict"))
        } else {
            try container.encodeNil(forKey: TextKey("verdict"))
        }
        try figures.encode(into: &container)
        try container.encode(classes, forKey: TextKey("classes"))
        try container.encode(retryAmplification, forKey: TextKey("retry_amplification"))
        try container.encode(
            Fairness(jain: fairness, tenants: tenants), forKey: TextKey("fairness"))
    }

    private struct Fairness: Encodable {
        let jain: Double
        let tenants: Int
    }
}

extension Report.Figures {
    /// Writes the figures into an object that has other members too. `failed` and `abandoned` are
    /// plain counts; their reasons stand beside them.
    func encode(into container: inout KeyedEncodingContainer<TextKey>) throws {
        try container.encode(goodput, forKey: TextKey("goodput"))
        try container.encode(offered, forKey: TextKey("offered"))
        try container.encode(completed, forKey: TextKey("completed"))
        try container.encode(good, forKey: TextKey("good"))
        try container.encode(refused, forKey: TextKey("refused"))
        try container.encode(failed.total, forKey: TextKey("failed"))
        try container.encode(failed, forKey: TextKey("failures"))
        try container.encode(degraded, forKey: TextKey("degraded"))
        try container.encode(abandoned.total, forKey: TextKey("abandoned"))
        try container.encode(abandoned.byWhen, forKey: TextKey("abandoned_by_when"))
        try container.encode(computedTokens, forKey: TextKey("computed_tokens"))
        try container.encode(wastedTokens, forKey: TextKey("wasted_tokens"))
        try container.encode(wastedTokenShare, forKey: TextKey("wasted_token_share"))
        try container.encode(ttft, forKey: TextKey("ttft_ms"))
        try container.encode(itl, forKey: TextKey("itl_ms"))
        try container.encode(e2e, forKey: TextKey("e2e_ms"))
    }
}

extension Report.ServiceClass {
    /// Writes name, figures and objectives as one object.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: TextKey.self)
        try container.encode(name, forKey: TextKey("name"))
        try figures.encode(into: &container)
        try container.encode(objectives, forKey: TextKey("objectives"))
    }
}

extension Report.Verdict {
    /// `HELD` or `BROKEN`.
    package var word: String { isHeld ? "HELD" : "BROKEN" }

    /// Writes `result` and `reasons`.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: TextKey.self)
        try container.encode(word, forKey: TextKey("result"))
        try container.encode(reasons, forKey: TextKey("reasons"))
    }
}

extension Report.Quantiles: Encodable {
    /// Writes every quantile, null where there is none.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: TextKey.self)
        try container.encode(count, forKey: TextKey("count"))
        try container.encode(p50, forKey: TextKey("p50"))
        try container.encode(p95, forKey: TextKey("p95"))
        try container.encode(p99, forKey: TextKey("p99"))
        try container.encode(p999, forKey: TextKey("p999"))
    }
}
