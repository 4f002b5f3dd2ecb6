import Budget

extension Field {
    /// Reads `budget` of a model.
    func budget() -> BudgetSpec? {
        guard var fields = Fields(self) else { return nil }
        let faultsBefore = self.faults.count
        let objectives = fields.optional("objectives")?.objectives() ?? Objectives()
        let areObjectivesSound = self.faults.count == faultsBefore
        let deadline = fields.optional("deadline")?.deadline(objectives) ?? DeadlineSpec()
        let errorRate = fields.optional("errorRate")?.share(in: Ranges.errorRate)
        let refusalRate = fields.optional("refusalRate")?.share()
        let cost = fields.optional("cost")?.cost()
        let window = fields.optional("window")?.duration(in: Ranges.window)
        let allocation = fields.optional("allocation")?.allocation(
            areObjectivesSound ? objectives : nil)
        fields.close()
        return BudgetSpec(
            objectives: objectives, deadline: deadline, errorRate: errorRate,
            refusalRate: refusalRate, costPerMillionOutputTokens: cost,
            windowNanos: window ?? BudgetSpec.windowNanosDefault, allocation: allocation)
    }

    private func deadline(_ objectives: Objectives) -> DeadlineSpec? {
        guard var fields = Fields(self) else { return nil }
        let firstToken = fields.optional("timeToFirstToken")
        let nanos = firstToken?.duration(in: Ranges.latency)
        if let nanos, let bound = objectives.timeToFirstToken?.highest, nanos < bound.nanos {
            firstToken?.faultDeadline(nanos, below: bound)
        }
        let coldStartField = fields.optional("coldStart")
        let coldStart = coldStartField?.duration(in: Ranges.coldStart)
        if let nanos, let coldStart, coldStart < nanos {
            coldStartField?.fault(
                "\(self.path).coldStart is \(WrittenDuration.text(nanos: coldStart)), below "
                    + "timeToFirstToken of \(WrittenDuration.text(nanos: nanos)), "
                    + "which it replaces while no replica is ready")
        }
        let confidence = fields.optional("confidence")?.share(in: Ranges.confidence)
        fields.close()
        return DeadlineSpec(
            timeToFirstTokenNanos: nanos, coldStartNanos: coldStart,
            confidence: confidence ?? DeadlineSpec().confidence)
    }

    /// Reports a deadline that would abort requests inside their objective.
    func faultDeadline(_ nanos: UInt64, below bound: LatencyBound) {
        self.fault(
            "\(self.path) is \(WrittenDuration.text(nanos: nanos)), below the objective "
                + "\(bound.quantile.name) of \(WrittenDuration.text(nanos: bound.nanos)): "
                + "requests inside the objective would be aborted")
    }

    private func cost() -> Money? {
        guard var fields = Fields(self) else { return nil }
        let money = fields.required("perMillionOutputTokens", Money.form)?.money()
        fields.close()
        return money
    }

    /// `objectives` is `nil` when they have faults of their own.
    private func allocation(_ objectives: Objectives?) -> AllocationSpec? {
        guard var fields = Fields(self) else { return nil }
        func part(_ key: String) -> UInt64 {
            fields.optional(key)?.duration(in: Ranges.allocation) ?? 0
        }
        let allocation = AllocationSpec(
            gatewayNanos: part("gateway"), queueNanos: part("queue"),
            networkNanos: part("network"), engineQueueNanos: part("engineQueue"),
            prefillNanos: part("prefill"))
        fields.close()
        // Five parts of a day at most: the sum cannot overflow.
        let sum =
            allocation.gatewayNanos + allocation.queueNanos + allocation.networkNanos
            + allocation.engineQueueNanos + allocation.prefillNanos
        guard let objectives else { return allocation }
        if let p99 = objectives.timeToFirstToken?.nanos(at: .p99) {
            if sum > p99 {
                self.faults.add(
                    self.keyPosition,
                    "\(self.path) adds up to \(WrittenDuration.text(nanos: sum)), above "
                        + "objectives.timeToFirstToken.p99 of \(WrittenDuration.text(nanos: p99))")
            }
        } else {
            self.faults.add(
                self.keyPosition,
                "\(self.path) shares out objectives.timeToFirstToken.p99, which is not written")
        }
        return allocation
    }
}
