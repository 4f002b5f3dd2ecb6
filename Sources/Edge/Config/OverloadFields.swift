import Budget

extension Field {
    /// Reads `overload`; what its ladder refers to goes to `references`.
    func overload(references: inout [Reference]) -> OverloadSpec? {
        guard var fields = Fields(self) else { return nil }
        let degrade = fields.optional("degrade")?.ladder(references: &references) ?? []
        let hedge = fields.optional("hedge")?.secondTryShare()
        let retry = fields.optional("retry")?.secondTryShare()
        fields.close()
        let unwritten = OverloadSpec()
        return OverloadSpec(
            degrade: degrade, hedgeShare: hedge ?? unwritten.hedgeShare,
            retryShare: retry ?? unwritten.retryShare)
    }

    private func secondTryShare() -> Double? {
        guard var fields = Fields(self) else { return nil }
        let share = fields.required("budget", WrittenShare.form)?.share()
        fields.close()
        return share
    }

    private func ladder(references: inout [Reference]) -> [DegradeStep]? {
        guard let items = self.items(max: ConfigurationLimits.ladderStepsMax) else { return nil }
        var lastCap: UInt32?
        return items.compactMap { item in
            guard var fields = Fields(item) else { return nil }
            let capField = fields.optional("cap")
            let modelField = fields.optional("model")
            fields.close()
            if (capField == nil) == (modelField == nil) {
                item.fault("\(item.path) must be one of {cap: {outputTokens: N}} and {model: NAME}")
                return nil
            }
            if let capField, let cap = capField.cap(below: lastCap) {
                lastCap = cap
                return .cap(outputTokens: cap)
            }
            guard let reference = Reference(modelField?.modelAlias(), modelField) else {
                return nil
            }
            references.append(reference)
            return .model(reference.name)
        }
    }

    private func cap(below last: UInt32?) -> UInt32? {
        guard var fields = Fields(self) else { return nil }
        let field = fields.required("outputTokens", "a number of tokens")
        let cap: UInt32? = field?.integer(in: 1...10_000_000)
        fields.close()
        if let cap, let last, cap >= last {
            field?.fault(
                "\(self.path).outputTokens is \(cap), not below the \(last) of the step before it: "
                    + "the ladder goes from the least harm to the most")
        }
        return cap
    }
}
