import Budget

extension Field {
    /// Reads `objectives`, of a model or a class.
    func objectives() -> Objectives? {
        guard var fields = Fields(self) else { return nil }
        let firstToken = fields.optional("timeToFirstToken")
        let interToken = fields.optional("interTokenLatency")
        let endToEnd = fields.optional("endToEnd")
        fields.close()
        let objectives = Objectives(
            timeToFirstToken: firstToken?.latencyBounds(),
            interTokenLatency: interToken?.latencyBounds(), endToEnd: endToEnd?.latencyBounds())
        if let endToEnd {
            self.checkEndToEnd(objectives, at: endToEnd.keyPosition)
        }
        return objectives
    }

    /// Reads bounds by quantile and checks that they are in order.
    func latencyBounds() -> LatencyBounds? {
        guard var fields = Fields(self) else { return nil }
        var bounds: [LatencyBound] = []
        var isWritten = false
        for quantile in Quantile.allCases {
            guard let field = fields.optional(quantile.name) else { continue }
            isWritten = true
            guard let nanos = field.duration(in: Ranges.latency) else { continue }
            if let lower = bounds.last, nanos < lower.nanos {
                field.fault(
                    "\(field.path) is \(WrittenDuration.text(nanos: nanos)), below "
                        + "\(lower.quantile.name) of \(WrittenDuration.text(nanos: lower.nanos)): "
                        + "a higher quantile cannot be faster")
            }
            bounds.append(LatencyBound(quantile, nanos: nanos))
        }
        fields.close()
        if !isWritten {
            self.faults.add(
                self.keyPosition, "\(self.path) has no quantile: write one such as p99: 1500ms")
        }
        return bounds.isEmpty ? nil : LatencyBounds(bounds)
    }

    private func checkEndToEnd(_ objectives: Objectives, at position: Position) {
        for bound in objectives.endToEnd?.bounds ?? [] {
            guard let first = objectives.timeToFirstToken?.nanos(at: bound.quantile),
                bound.nanos < first
            else { continue }
            self.faults.add(
                position,
                "\(self.path).endToEnd.\(bound.quantile.name) is "
                    + "\(WrittenDuration.text(nanos: bound.nanos)), below timeToFirstToken."
                    + "\(bound.quantile.name) of \(WrittenDuration.text(nanos: first)), "
                    + "which it includes")
        }
    }
}
