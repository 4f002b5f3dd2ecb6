import Budget

extension Field {
    /// Reads `classes`; `nil` when they could not be read.
    func classes(_ budget: BudgetSpec) -> [ClassSpec]? {
        guard let entries = self.entries() else { return nil }
        if entries.isEmpty || entries.count > ConfigurationLimits.classesMax {
            self.fault(
                "\(self.path) has \(entries.count) classes: it must have from 1 "
                    + "to \(ConfigurationLimits.classesMax)")
            return nil
        }
        var names: [Int: String] = [:]
        var isWhole = true
        var classes: [ClassSpec] = []
        for entry in entries where entry.keyIsObjectName() {
            guard let spec = entry.classSpec(budget, names: &names) else {
                isWhole = false
                continue
            }
            classes.append(spec)
        }
        return isWhole ? classes : nil
    }

    private func classSpec(_ budget: BudgetSpec, names: inout [Int: String]) -> ClassSpec? {
        guard var fields = Fields(self) else { return nil }
        let priorityField = fields.required("priority", "a whole number, higher goes first")
        let priority = priorityField?.integer(in: 0...1000)
        if let priority {
            if let other = names[priority] {
                priorityField?.fault(
                    "\(self.path).priority is \(priority), which class \"\(quoted(other))\" has: "
                        + "strict order needs different ones")
            }
            names[priority] = self.key
        }
        let objectives = fields.optional("objectives")?.objectives()
        let deadlineField = fields.optional("deadline")
        let deadline = deadlineField?.classDeadline()
        let waitField = fields.optional("maxWait")
        let maxWait = waitField?.duration(in: Ranges.latency)
        let queue = fields.optional("queue")?.queue()
        fields.close()
        let spec = ClassSpec(
            name: self.key, priority: priority ?? 0, objectives: objectives,
            deadlineNanos: deadline?.nanos, maxWaitNanos: maxWait,
            queueRequestsMax: queue?.requests ?? ClassSpec.queueRequestsMaxDefault,
            queueBytesMax: queue?.bytes ?? ClassSpec.queueBytesMaxDefault)
        self.check(spec, budget, deadline: deadline?.field, maxWait: waitField)
        return spec
    }

    private func check(
        _ spec: ClassSpec, _ budget: BudgetSpec, deadline: Field?, maxWait: Field?
    ) {
        let hardLimit = spec.deadlineNanos ?? budget.deadline.timeToFirstTokenNanos
        let own = spec.objectives.map {
            $0.timeToFirstToken ?? budget.objectives.timeToFirstToken
        }
        if let hardLimit, let bound = own??.highest, hardLimit < bound.nanos {
            if let deadline {
                deadline.faultDeadline(hardLimit, below: bound)
            } else if spec.objectives?.timeToFirstToken != nil {
                self.faults.add(
                    self.keyPosition,
                    "\(self.path).objectives.timeToFirstToken.\(bound.quantile.name) is "
                        + "\(WrittenDuration.text(nanos: bound.nanos)), above the model's deadline "
                        + "of \(WrittenDuration.text(nanos: hardLimit)): write the class's own")
            }
        }
        if let maxWait, let nanos = spec.maxWaitNanos, let hardLimit, nanos > hardLimit {
            maxWait.fault(
                "\(maxWait.path) is \(WrittenDuration.text(nanos: nanos)), above the deadline of "
                    + "\(WrittenDuration.text(nanos: hardLimit))")
        }
    }

    private func classDeadline() -> (nanos: UInt64, field: Field)? {
        guard var fields = Fields(self) else { return nil }
        let field = fields.required("timeToFirstToken", WrittenDuration.form)
        let nanos = field?.duration(in: Ranges.latency)
        fields.close()
        guard let field, let nanos else { return nil }
        return (nanos, field)
    }

    private func queue() -> (requests: Int?, bytes: UInt64?)? {
        guard var fields = Fields(self) else { return nil }
        let requests = fields.optional("requests")?.integer(in: 0...1_000_000)
        let bytes = fields.optional("bytes")?.size(in: 1024...(1 << 40))
        fields.close()
        return (requests, bytes)
    }
}
