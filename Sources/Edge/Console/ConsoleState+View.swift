import Budget
import Gateway
import Report
import RequestPath
import Telemetry
import Time

/// From what was read to what is shown.
extension ConsoleState {
    /// Events and failures shown.
    private static let eventsMax = 50
    private static let failuresMax = 20
    private static let faultsMax = 20

    /// `whole`: with all of the history; otherwise its latest points alone.
    init(_ view: GatewayView, _ history: History, now: Instant, whole: Bool) {
        let groups = view.counters.groups
        let points = groups.map { History.GroupPoint($0) }
        let recent = points.map { history.window(of: $0) }
        self.init(
            version: view.status.version, t: WallClock.unixNanos() / 1_000_000,
            startedAt: view.status.startedUnixNanos / 1_000_000,
            verdict: Self.verdict(view, recent), notReady: view.notReady,
            isDraining: view.status.isDraining, recent: .sum(recent.map(\.counts)),
            all: .sum(points.map(\.counts)),
            budgets: groups.indices.filter { view.config.models[groups[$0].plan.model].isActive }
                .map {
                    Self.budget(view, points[$0], recent[$0], view.classes[$0])
                },
            reasons: groups.indices.flatMap { Self.reasons(view, groups[$0], recent[$0]) },
            endpoints: view.config.endpoints.indices.prefix(Counters.namedMax)
                .filter { view.config.endpoints[$0].isActive || view.endpoints[$0] != nil }
                .map { Self.endpoint(view, $0) },
            scaling: view.status.scaling,
            stages: Stage.inOrder.map(\.label),
            samples: Self.samples(history.points.suffix(whole ? .max : 4)),
            slowest: view.counters.notable.slowest(now: now).map { Self.request(view, $0, now) },
            failures: view.counters.notable.failed.suffix(Self.failuresMax).reversed()
                .map { Self.request(view, $0, now) },
            events: view.events.suffix(Self.eventsMax).reversed().map { entry in
                Event(
                    sequence: entry.sequence, t: entry.unixNanos / 1_000_000,
                    isWarning: entry.change.isWarning,
                    text: entry.change.sentence(view.config))
            },
            config: Config(
                version: view.config.version, loadedAt: view.status.loadedUnixNanos / 1_000_000,
                accepted: view.status.reloadsAccepted, refused: view.status.reloadsRefused,
                faults: Array(view.status.faults.prefix(Self.faultsMax)),
                warnings: Array(view.status.warnings.prefix(Self.faultsMax))),
            machine: Machine(
                cpuSeconds: view.process.cpuSeconds, residentBytes: view.process.residentBytes,
                openFiles: view.process.openFiles, connections: view.counters.connections,
                turnedAway: view.counters.turnedAway, liveRequests: view.liveRequests,
                bufferedBytes: view.bufferedBytes))
    }

    // MARK: The verdict

    /// Held or broken over the last five minutes, with the reasons in words.
    private static func verdict(_ view: GatewayView, _ recent: [History.GroupPoint]) -> Verdict {
        var reasons: [String] = []
        for group in recent {
            let place = "\(view.modelName(group.plan.model)) / \(group.plan.className)"
            for (objective, inside) in zip(group.plan.objectives, group.inside)
            where !Self.isMet(inside, objective.quantile) {
                reasons.append(
                    "\(place): \(Words.latency(objective.latency)) \(objective.quantile.name) "
                        + "within \(Words.duration(objective.boundNanos)): "
                        + "\(Wording.percent(inside.inside, of: inside.total)) inside "
                        + "(\(Wording.grouped(inside.inside)) of \(Wording.grouped(inside.total)))")
            }
            let budget = view.config.models[group.plan.model].spec.budget
            let counts = group.counts
            func judge(_ count: UInt64, of all: UInt64, _ what: String, most: Double?) {
                guard let most, Double(count) > most * Double(all) else { return }
                reasons.append(
                    "\(place): \(Wording.grouped(count)) of \(Wording.grouped(all)) requests "
                        + "\(what), more than \(Words.percent(most))")
            }
            let tried = counts.offered - min(counts.offered, counts.refused)
            judge(counts.failed, of: tried, "failed", most: budget.errorRate)
            judge(counts.refused, of: counts.offered, "refused", most: budget.refusalRate)
        }
        if !reasons.isEmpty { return Verdict(state: "broken", reasons: reasons) }
        let offered = recent.reduce(0) { $0 + $1.counts.offered }
        guard offered > 0 else {
            return Verdict(state: "idle", reasons: ["no requests in the last five minutes"])
        }
        return Verdict(state: "held", reasons: [])
    }

    private static func isMet(_ inside: GroupCounters.Inside, _ quantile: Quantile) -> Bool {
        inside.inside * 1000 >= inside.total * UInt64(quantile.rawValue)
    }

    // MARK: Parts

    private static func budget(
        _ view: GatewayView, _ all: History.GroupPoint, _ recent: History.GroupPoint,
        _ gauges: ClassGauges?
    ) -> Budget {
        let spec = view.config.models[all.plan.model].spec
        let bound = all.plan.goodTTFTNanos.map { "first token within \(Words.duration($0))" }
        return Budget(
            model: spec.name, name: all.plan.className,
            objectives: all.plan.objectives.indices.map { index in
                let objective = all.plan.objectives[index]
                return Objective(
                    latency: objective.latency.label, quantile: objective.quantile.name,
                    wantedShare: objective.quantile.share,
                    bound: Words.duration(objective.boundNanos),
                    boundMs: Double(objective.boundNanos) / 1e6,
                    recent: Self.inside(recent.inside[index], objective.quantile),
                    all: Self.inside(all.inside[index], objective.quantile))
            }, deadline: all.plan.objectives.isEmpty ? bound : nil, recent: recent.counts,
            all: all.counts, queuedRequests: gauges?.queuedRequests ?? 0,
            queuedBytes: gauges?.queuedBytes ?? 0,
            queueRequestsMax: all.plan.classIndex < spec.classes.count
                ? spec.classes[all.plan.classIndex].queueRequestsMax : 0,
            ladderStep: gauges?.ladderStep ?? 0, ladder: spec.overload.degrade.map(Words.step))
    }

    private static func inside(_ inside: GroupCounters.Inside, _ quantile: Quantile) -> Inside {
        Inside(
            inside: inside.inside, total: inside.total,
            met: inside.total == 0 ? nil : Self.isMet(inside, quantile))
    }

    /// Refusals, failures and degradations that happened at all.
    private static func reasons(
        _ view: GatewayView, _ all: GroupCounters, _ recent: History.GroupPoint
    ) -> [Reason] {
        var reasons: [Reason] = []
        let model = view.modelName(all.plan.model)
        let name = all.plan.className
        func add(_ kind: String, _ reason: String, _ recent: UInt64, _ all: UInt64) {
            guard all > 0 else { return }
            reasons.append(
                Reason(
                    kind: kind, reason: reason, model: model, name: name, recent: recent, all: all))
        }
        for (index, reason) in RefusalReason.allCases.enumerated() {
            add("refused", reason.label, recent.refusedEarly[index], all.refusedEarly[index])
            add(
                "refused", "\(reason.label), late", recent.refusedLate[index],
                all.refusedLate[index])
        }
        for (index, kind) in FailureKind.allCases.enumerated() {
            add("failed", kind.rawValue, recent.failedByKind[index], all.failed[index])
        }
        let steps = view.config.models[all.plan.model].spec.overload.degrade
        for (index, count) in all.degraded.enumerated() {
            let step = index < steps.count ? Words.step(steps[index]) : "step \(index + 1)"
            add("degraded", step, recent.degraded[index], count)
        }
        return reasons
    }

    private static func endpoint(_ view: GatewayView, _ index: Int) -> Endpoint {
        var shown = Endpoint(
            url: view.endpointName(index),
            model: view.modelName(view.config.endpoints[index].model.raw), state: "removed")
        if index < view.counters.endpoints.count {
            shown.requests = view.counters.endpoints[index].requests
            shown.failures = view.counters.endpoints[index].failed
        }
        guard let gauges = view.endpoints[index] else { return shown }
        shown.state = gauges.isHalfOpen ? "half-open" : gauges.isOpen ? "open" : "out"
        shown.inFlight = gauges.inFlight
        shown.sequencesMax = gauges.sequencesMax
        shown.prefillWaiting = gauges.prefillWaiting
        shown.prefillMax = gauges.prefillTokensMax
        shown.contextTokens = gauges.contextTokens
        shown.interTokenMs = gauges.interTokenNanos / 1e6
        shown.firstTokenMs = gauges.firstTokenNanos / 1e6
        shown.perThousandTokensMs = gauges.perPrefillTokenNanos / 1e3
        return shown
    }

    /// Differences between neighbours.
    private static func samples(_ points: ArraySlice<History.Point>) -> [Sample] {
        zip(points, points.dropFirst()).map { before, now in
            var grown = now.counts
            grown -= before.counts
            let ended = now.ended - min(now.ended, before.ended)
            func mean(_ now: UInt64, _ before: UInt64) -> Double? {
                ended == 0 ? nil : Double(now - min(now, before)) / Double(ended) / 1e6
            }
            return Sample(
                t: now.unixMillis, offered: grown.offered, good: grown.good,
                refused: grown.refused, failed: grown.failed, degraded: grown.degraded,
                queueMs: mean(now.queueNanos, before.queueNanos),
                computeMs: mean(now.computeNanos, before.computeNanos), queued: now.queued)
        }
    }

    private static func request(
        _ view: GatewayView, _ record: RequestRecord, _ now: Instant
    ) -> Request {
        let model = record.model?.raw ?? 0
        let classes = view.config.models[model].spec.classes
        var isFailure = false
        if case .failed = record.outcome { isFailure = true }
        return Request(
            id: String(decoding: record.requestID, as: UTF8.self), model: view.modelName(model),
            name: record.classIndex < classes.count ? classes[record.classIndex].name : "other",
            tenant: view.tenantName(record.tenant.raw),
            endpoint: record.endpoint.map { view.endpointName($0.raw) },
            outcome: record.outcome.sentence, isFailure: isFailure,
            attempts: record.attempts, ladderStep: record.ladderStep,
            promptTokens: record.promptTokens, outputTokens: record.outputTokens,
            ttftMs: record.ttftNanos.map { Double($0) / 1e6 },
            totalMs: Double(record.endToEndNanos) / 1e6,
            stagesMs: Stage.inOrder.map { Double(record.times.nanos(of: $0)) / 1e6 },
            agoMs: Double(now.nanosSince(record.times.end)) / 1e6)
    }
}
