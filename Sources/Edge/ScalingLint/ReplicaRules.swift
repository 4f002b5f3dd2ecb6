/// How many replicas an HPA, or KEDA with its HPA, makes of a metric, and how fast.
enum ReplicaRules {
    /// The HPA leaves everything as it is while the ratio of metric to target is within the
    /// tolerance of 1: one replica more from n moves it by 1/n. Source: `Tolerances.isWithin` of
    /// the controller's replica_calculator.go.
    static func tolerance(_ scaler: PodScaler, _: Circumstances) -> [Problem] {
        let (least, most) = (scaler.replicasMin.value, scaler.replicasMax.value)
        let (up, down) = (scaler.up, scaler.down)
        var undone: [String] = []
        var position = scaler.replicasMax.position
        var fixes: [String] = []
        func note(_ rules: ScalingRules, _ text: String, _ key: String) {
            undone.append(text)
            fixes.append("\(scaler.behaviorPath).\(key).tolerance: 0")
            if rules.tolerance.isWritten { position = rules.tolerance.position }
        }
        // Strictly inside on the way up, so that it holds for every version of the controller.
        let firstUp = max(least, Int(self.inverse(up.tolerance.value) + 1e-9) + 1, 1)
        if firstUp < most, up.selection.value != .disabled {
            note(up, "+1 from \(self.range(firstUp, most - 1))", "scaleUp")
        }
        let within = (self.inverse(down.tolerance.value) - 1e-9).rounded(.up)
        let firstDown = max(least + 1, Int(within))
        if firstDown <= most, down.selection.value != .disabled {
            note(down, "-1 from \(self.range(firstDown, most))", "scaleDown")
        }
        guard let first = undone.first else { return [] }
        let isUp = first.hasPrefix("+")
        let tolerance = isUp ? up.tolerance : down.tolerance
        let value = shortText(tolerance.value) + (tolerance.isWritten ? "" : " (the default)")
        return [
            Problem(
                position: position,
                reason: "a tolerance of \(value) never does \(undone.joined(separator: " and ")) "
                    + "replicas: one moves the metric's ratio by less",
                fix: fixes.joined(separator: " and ") + " (gate HPAConfigurableTolerance)")
        ]
    }

    private static func range(_ first: Int, _ last: Int) -> String {
        first == last ? "\(first)" : "\(first) to \(last)"
    }

    /// 1 / tolerance, at most 1e15.
    private static func inverse(_ tolerance: Double) -> Double {
        tolerance <= 1e-15 ? 1e15 : 1 / tolerance
    }

    /// What is taken away sooner than it could come back has to be paid for again at once.
    static func cooldown(_ scaler: PodScaler, _ at: Circumstances) -> [Problem] {
        var problems: [Problem] = []
        let lead = at.lead.typical
        let window = scaler.down.window
        let bound = min(lead, KubernetesRanges.window.upperBound)
        if scaler.replicasMin.value < scaler.replicasMax.value, window.value < bound,
            scaler.down.selection.value != .disabled, !scaler.isStabilizedElsewhere(at)
        {
            problems.append(
                Problem(
                    position: window.position,
                    reason: "scaleDown.stabilizationWindowSeconds is \(window.secondsText): a lull "
                        + "of that length takes replicas that need \(lead) s to come back",
                    fix: "\(scaler.behaviorPath).scaleDown.stabilizationWindowSeconds: \(bound)"))
        }
        guard let keda = scaler.keda, keda.floor.value == 0 else { return problems }
        if keda.cooldown.value < lead {
            problems.append(
                Problem(
                    position: keda.cooldown.position,
                    reason: "cooldownPeriod is \(keda.cooldown.secondsText): a lull of that length "
                        + "takes the last replica, which needs \(lead) s to come back",
                    fix: "cooldownPeriod: \(lead)"))
        }
        if keda.initialCooldown.value < at.lead.slow {
            problems.append(
                Problem(
                    position: keda.initialCooldown.position,
                    reason: "initialCooldownPeriod is \(keda.initialCooldown.secondsText): a new "
                        + "ScaledObject sets an idle workload to 0 before its first replica, "
                        + "\(at.lead.slow) s at worst, has answered once",
                    fix: "initialCooldownPeriod: \(at.lead.slow)"))
        }
        return problems
    }

    /// A fleet that goes at once leaves one replica to meet the load that returns.
    static func scaleDown(_ scaler: PodScaler, _ at: Circumstances) -> [Problem] {
        let (least, most) = (scaler.replicasMin.value, scaler.replicasMax.value)
        let next = max(least, ReplicaWalk(rules: scaler.down, isUp: false).step(from: most))
        let taken = most - next
        guard taken >= 2, taken * 2 > most - least else { return [] }
        return [
            Problem(
                position: scaler.down.policiesPosition,
                reason: "scaleDown may take \(taken) of \(most) replicas in one step, and they "
                    + "need \(at.lead.typical) s to come back",
                fix: "\(scaler.behaviorPath).scaleDown.policies: "
                    + "[{type: Pods, value: 1, periodSeconds: 60}]")
        ]
    }

    /// At the end of the cooldown KEDA sets 0 itself, from whatever number there is, past the HPA's
    /// window and policies (kedacore/keda#7770). So the HPA must have reached 1 by then.
    static func zero(_ scaler: PodScaler, _ at: Circumstances) -> [Problem] {
        guard let keda = scaler.keda, keda.floor.value == 0, scaler.replicasMax.value >= 2 else {
            return []
        }
        let (least, most) = (scaler.replicasMin.value, scaler.replicasMax.value)
        if least > 1 {
            return [
                Problem(
                    position: keda.floor.position,
                    reason: "the HPA keeps \(least) replicas, and KEDA takes all of them in one "
                        + "step after cooldownPeriod, \(keda.cooldown.secondsText)",
                    fix: "remove idleReplicaCount, or minReplicaCount: 1")
            ]
        }
        guard
            let walk = ReplicaWalk(rules: scaler.down, isUp: false).seconds(from: most, to: least)
        else {
            return [
                Problem(
                    position: keda.cooldown.position,
                    reason: "scaleDown never gets from \(most) replicas to \(least), so KEDA takes "
                        + "all of them at once after cooldownPeriod, \(keda.cooldown.secondsText)",
                    fix: "minReplicaCount: 1, or scaleDown policies that reach \(least)")
            ]
        }
        let needed = scaler.down.window.value + walk
        guard keda.cooldown.value <= needed else { return [] }
        // With a window of a lead time, which another rule asks for.
        let enough = max(scaler.down.window.value, at.lead.typical) + walk + 60
        return [
            Problem(
                position: keda.cooldown.position,
                reason: "cooldownPeriod is \(keda.cooldown.secondsText), and the HPA needs "
                    + "\(scaler.down.window.value) + \(walk) s from \(most) replicas to \(least): "
                    + "KEDA takes all that are left in one step",
                fix: "cooldownPeriod: \(enough), or minReplicaCount: 1")
        ]
    }

    /// Policies that ask for the last replica later than it takes to start one double the lead
    /// time.
    static func scaleUp(_ scaler: PodScaler, _ at: Circumstances) -> [Problem] {
        let (least, most) = (max(1, scaler.replicasMin.value), scaler.replicasMax.value)
        guard least < most else { return [] }
        let fix = "leave \(scaler.behaviorPath).scaleUp out: its default doubles every 15 s"
        if scaler.up.selection.value == .disabled {
            return [
                Problem(
                    position: scaler.up.selection.position,
                    reason: "scaleUp.selectPolicy is Disabled: no replica is ever added", fix: fix)
            ]
        }
        let walk = ReplicaWalk(rules: scaler.up, isUp: true).seconds(from: least, to: most)
        let window = scaler.up.window.value
        if let walk, window + walk <= at.lead.typical { return [] }
        let time = walk.map { "\(window + $0) s" } ?? "more than a day"
        let isWindow = window >= walk ?? .max
        return [
            Problem(
                position: isWindow ? scaler.up.window.position : scaler.up.policiesPosition,
                reason: "window and policies of scaleUp ask for replica \(most) \(time) after it "
                    + "is needed at \(least); only then begin the \(at.lead.typical) s of a start",
                fix: fix)
        ]
    }
}
