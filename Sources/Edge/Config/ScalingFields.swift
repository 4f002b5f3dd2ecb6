import Budget

extension Field {
    /// Reads `scaling`.
    func scaling() -> ScalingSpec? {
        guard var fields = Fields(self) else { return nil }
        let replicas = fields.required("replicas", "{min: 1, max: 4}")?.replicas()
        let standby = fields.optional("standby")?.standby()
        let scaleDown = fields.optional("scaleDown")?.scaleDown()
        fields.close()
        guard let replicas else { return nil }
        var spec = ScalingSpec(
            replicasMin: replicas.min, replicasMax: replicas.max, standby: standby ?? .auto)
        spec.scaleDownStabilizationNanos =
            scaleDown?.stabilization ?? spec.scaleDownStabilizationNanos
        spec.scaleDownMaxStep = scaleDown?.maxStep ?? spec.scaleDownMaxStep
        return spec
    }

    private func replicas() -> (min: Int, max: Int)? {
        self.bounds(minDefault: 1, in: Ranges.replicas)
    }

    /// Reads `{min: , max: }` of whole numbers; `max` is required and at least 1.
    func bounds(minDefault: Int, in range: ClosedRange<Int>) -> (min: Int, max: Int)? {
        guard var fields = Fields(self) else { return nil }
        let minField = fields.optional("min")
        let min = minField?.integer(in: range)
        let max = fields.required("max", "a whole number")?.integer(
            in: Swift.max(1, range.lowerBound)...range.upperBound)
        fields.close()
        if let min, let max, min > max {
            minField?.fault("\(self.path).min is \(min), above max of \(max)")
        }
        return max.map { (min ?? Swift.min(minDefault, $0), $0) }
    }

    private func standby() -> Standby? {
        if case .scalar(let text, isPlain: true) = self.node.content,
            let first = text.unicodeScalars.first, first.properties.isAlphabetic
        {
            if text == "auto" { return .auto }
            self.fault(
                "\(self.path): \"\(quoted(text))\" is not auto or a whole number",
                suggestion: NearestSpelling.of(text, among: ["auto"]))
            return nil
        }
        return self.integer(in: Ranges.replicas).map(Standby.replicas)
    }

    private func scaleDown() -> (stabilization: UInt64?, maxStep: Int?)? {
        guard var fields = Fields(self) else { return nil }
        let stabilization = fields.optional("stabilization")?.duration(in: Ranges.stabilization)
        let maxStep = fields.optional("maxStep")?.integer(in: 1...10_000)
        fields.close()
        return (stabilization, maxStep)
    }
}
