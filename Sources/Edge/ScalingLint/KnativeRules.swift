import Budget

/// What Knative's own autoscaler makes of slow starters.
enum KnativeRules {
    private static let prefix = "autoscaling.knative.dev/"

    /// A load that ended is forgotten after the stable window, the scale-down delay, and for the
    /// last pod the retention period.
    static func cooldown(_ revision: KnativeRevision, _ at: Circumstances) -> [Problem] {
        guard revision.settings.isKPA, !revision.isFixed else { return [] }
        let settings = revision.settings
        let lead = at.lead.typical
        let hold = settings.window.value + settings.scaleDownDelay.value
        if hold < lead, settings.maxScale.value != 1 {
            let delay = min(3600, lead - settings.window.value)
            return [
                Problem(
                    position: settings.scaleDownDelay.position,
                    reason: "replicas go within the window of \(settings.window.secondsText) and "
                        + "scale-down-delay of \(settings.scaleDownDelay.secondsText) after a "
                        + "load's end, and need \(lead) s to come back",
                    fix: "\(self.prefix)scale-down-delay: \"\(delay)s\"")
            ]
        }
        guard revision.mayBeZero, hold + settings.retention.value < lead else { return [] }
        return [
            Problem(
                position: settings.retention.position,
                reason: "the last replica goes \(hold + settings.retention.value) s after a load's "
                    + "end, by window, scale-down-delay and retention, and needs \(lead) s to "
                    + "come back",
                fix: "\(self.prefix)scale-to-zero-pod-retention-period: \"\(lead - hold)s\"")
        ]
    }

    /// A revision that is not ready by its deadline is given up and scaled to 0, though its node
    /// has only just come (kserve/kserve#1247).
    static func progressDeadline(_ revision: KnativeRevision, _ at: Circumstances) -> [Problem] {
        guard let deadline = revision.progressDeadline, deadline.value < at.lead.slow else {
            return []
        }
        return [
            Problem(
                position: deadline.position,
                reason: "progress-deadline is \(deadline.secondsText), and a node and its model "
                    + "take \(at.lead.slow) s at worst: the revision is given up while it starts",
                fix: "serving.knative.dev/progress-deadline: \"\(at.lead.slow)s\"")
        ]
    }

    /// Requests at zero wait in the activator, which ends them by the revision's timeouts
    /// (knative/serving#13208).
    static func requestTimeout(_ revision: KnativeRevision, _ at: Circumstances) -> [Problem] {
        guard revision.isService, revision.mayBeZero, revision.timeout.value < at.lead.typical
        else { return [] }
        return [
            Problem(
                position: revision.timeout.position,
                reason: "a request at zero is ended after \(revision.timeout.secondsText), and the "
                    + "first replica needs \(at.lead.typical) s",
                fix: "\(self.prefix)min-scale: \"1\", or timeoutSeconds: \(at.lead.slow) below the "
                    + "cluster's max-revision-timeout-seconds")
        ]
    }

    /// Without a limit and a target, how many requests fill a replica is Knative's guess.
    static func concurrency(_ revision: KnativeRevision, _ at: Circumstances) -> [Problem] {
        let settings = revision.settings
        guard settings.isKPA, settings.metric.value == "concurrency", settings.target == nil,
            revision.containerConcurrency.value == 0,
            settings.concurrencyDefault == KnativeDefaults().concurrencyDefault
        else { return [] }
        let known = at.model?.engine.concurrentRequestsMax.map { "\"\($0)\"" }
        return [
            Problem(
                position: revision.annotationsPosition,
                reason: "containerConcurrency is 0 and no target is written: a replica counts as "
                    + "full at \(shortText(settings.concurrencyDefault)) requests at once, "
                    + "whatever its engine bears, and takes any number",
                fix: "\(self.prefix)target: "
                    + (known ?? "the requests at once that one replica serves within its budget"))
        ]
    }

    /// Panic asks within seconds for replicas that come minutes later, when the burst is over
    /// (knative/serving#13284).
    static func panic(_ revision: KnativeRevision, _ at: Circumstances) -> [Problem] {
        let settings = revision.settings
        let window = settings.window.value
        let percent = settings.panicWindowPercent.value
        let panic = Int((Double(window) * percent / 100).rounded())
        guard settings.isKPA, !revision.isFixed, settings.panicThresholdPercent.value < 1000,
            panic * 10 < at.lead.typical
        else { return [] }
        let wanted = Int((Double(at.lead.typical) * 10 / percent).rounded(.up))
        let calmer = "\(self.prefix)panic-threshold-percentage: \"1000\""
        return [
            Problem(
                position: settings.window.isWritten
                    ? settings.window.position : settings.panicWindowPercent.position,
                reason: "a burst of \(panic) s, \(shortText(percent)) % of the window of "
                    + "\(settings.window.secondsText), sets off panic, and what it starts comes "
                    + "\(at.lead.typical) s later",
                fix: wanted <= 3600 ? "\(self.prefix)window: \"\(wanted)s\", or \(calmer)" : calmer)
        ]
    }

    /// As for the HPA.
    static func cpu(_ revision: KnativeRevision, _: Circumstances) -> [Problem] {
        let metric = revision.settings.metric
        guard ["cpu", "memory"].contains(metric.value) else { return [] }
        return [
            Problem(
                position: metric.position,
                reason: "the metric is \(metric.text), which says nothing of a GPU server's load "
                    + "or queue",
                fix: "\(self.prefix)class: \(KnativeDefaults.kpa) and \(self.prefix)metric: "
                    + "concurrency")
        ]
    }
}

extension KnativeDefaults {
    /// Requests at once that a replica is scaled for where no target is written.
    var concurrencyDefault: Double { self.concurrencyTarget * self.targetPercent / 100 }
}
