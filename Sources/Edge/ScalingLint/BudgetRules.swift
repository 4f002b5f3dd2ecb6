import Budget

/// What the written budget asks of a scaler: only with `-f`.
enum BudgetRules {
    /// A request that meets no replica waits the whole lead time.
    static func zeroOfScaler(_ scaler: PodScaler, _ at: Circumstances) -> [Problem] {
        let polling = scaler.keda?.polling.value ?? 0
        let key = scaler.keda == nil ? "minReplicas" : "minReplicaCount"
        return self.zero(scaler.floor, waiting: polling, at, "\(key): 1")
    }

    /// As for scalers; Knative's activator starts at once.
    static func zeroOfRevision(_ revision: KnativeRevision, _ at: Circumstances) -> [Problem] {
        guard revision.mayBeZero else { return [] }
        return self.zero(
            revision.settings.minScale, waiting: 0, at, "autoscaling.knative.dev/min-scale: \"1\"")
    }

    private static func zero(
        _ floor: Setting<Int>, waiting: Int, _ at: Circumstances, _ fix: String
    ) -> [Problem] {
        guard floor.value == 0, let model = at.model else { return [] }
        let coldStart = model.budget.deadline.coldStartNanos
        let bound = model.bounds(of: model.classes[model.defaultClassIndex]).deadlineNanos
        let deadline = coldStart ?? bound
        guard deadline < .max, wholeSeconds(deadline) < at.lead.typical + waiting else { return [] }
        let name = coldStart == nil ? "deadline.timeToFirstToken" : "deadline.coldStart"
        return [
            Problem(
                position: floor.position,
                reason: "a request at zero waits \(at.lead.typical + waiting) s for a replica, and "
                    + "the budget of \(model.name) ends it after \(name) of "
                    + WrittenDuration.text(nanos: deadline), fix: fix)
        ]
    }

    /// The budget's warm floor and its most replicas are what it was planned with.
    static func boundsOfScaler(_ scaler: PodScaler, _ at: Circumstances) -> [Problem] {
        let keys =
            scaler.keda == nil
            ? ("minReplicas", "maxReplicas") : ("minReplicaCount", "maxReplicaCount")
        return self.bounds(
            at, (keys.0, scaler.floor), (keys.1, scaler.replicasMax), spell: { "\($0): \($1)" })
    }

    /// As for scalers; a `max-scale` of 0 is no bound.
    static func boundsOfRevision(_ revision: KnativeRevision, _ at: Circumstances) -> [Problem] {
        let most = revision.settings.maxScale
        return self.bounds(
            at, ("min-scale", revision.settings.minScale),
            ("max-scale", most.value == 0 ? nil : most),
            spell: { "autoscaling.knative.dev/\($0): \"\($1)\"" })
    }

    private static func bounds(
        _ at: Circumstances, _ least: (key: String, setting: Setting<Int>),
        _ most: (key: String, setting: Setting<Int>?), spell: (String, Int) -> String
    ) -> [Problem] {
        guard let model = at.model, let scaling = model.scaling else { return [] }
        let pairs = [
            (least.key, Optional(least.setting), "min", scaling.replicasMin),
            (most.key, most.setting, "max", scaling.replicasMax),
        ]
        return pairs.compactMap { key, setting, name, wanted in
            guard let setting, setting.value < wanted else { return nil }
            return Problem(
                position: setting.position,
                reason: "\(key) is \(setting.text), below scaling.replicas.\(name) of \(wanted) in "
                    + "the budget of \(model.name)", fix: spell(key, wanted))
        }
    }
}
