import Report

/// One run with its name: an entry of `runs[]`. The report's keys and the twin's own stand side by
/// side.
package struct RunReport: Sendable, Encodable {
    package let policy: String
    package let choice: String
    /// How a policy of the field is set; `default` is as published.
    package let setting: String
    package let seed: UInt64
    /// Who scaled; nil for nobody.
    package let scaler: ScalerUnderTest?
    package let outcome: RunOutcome

    /// Names an outcome.
    package init(
        _ policy: PolicyUnderTest, scaler: ScalerUnderTest? = nil, seed: UInt64,
        outcome: RunOutcome
    ) {
        self.scaler = scaler
        self.policy = policy.policyName
        self.choice = policy.choiceName
        self.setting = policy.settingName
        self.seed = seed
        self.outcome = outcome
    }

    private enum CodingKeys: String, CodingKey {
        case policy, choice, setting, seed, jain, preemptions, bound, regret, unanswered
        case goodputInWork = "goodput_in_work"
        case engineBound = "engine_bound"
        case engineQueueOvershoot = "engine_queue_overshoot"
        case engineQueuePeak = "engine_queue_peak_tokens"
        case idleWhileWaiting = "idle_while_waiting_s"
        case gpuSeconds = "gpu_seconds"
        case costPerGoodRequest = "cost_per_good_request"
        case dispatchAmplification = "dispatch_amplification"
        case hedges
        case hedgesWon = "hedges_won"
        case extraWorkShare = "extra_work_share"
        case earlyRefusalShare = "early_refusal_share"
        case refusalDelay = "refusal_delay_ms"
        case cachedPromptShare = "cached_prompt_share"
        case busiestEndpoint = "busiest_endpoint_over_mean"
        case longestWaits = "longest_wait_ms"
        case ladderMoves = "ladder_moves"
        case healthChanges = "health_changes"
        case tooLong = "filtered_too_long"
        case scaler
        case scalerSetting = "scaler_setting"
        case scaleEvents = "scale_events"
        case turnsPerHour = "direction_changes_per_hour"
        case shortSeconds = "time_short_of_capacity_s"
        case secondsToCapacity = "time_to_capacity_s"
        case replicasMost = "replicas_max_seen"
        case nodesMost = "nodes_max_seen"
        case withoutGPU = "replicas_without_gpu"
        case faults = "broken_invariants"
    }

    /// Writes the report and its additions as one object.
    package func encode(to encoder: any Encoder) throws {
        try outcome.report.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(policy, forKey: .policy)
        try container.encode(choice, forKey: .choice)
        try container.encode(setting, forKey: .setting)
        try container.encode(seed, forKey: .seed)
        try container.encode(outcome.report.fairness, forKey: .jain)
        try container.encode(outcome.goodputInWork, forKey: .goodputInWork)
        try container.encode(outcome.bound, forKey: .bound)
        try container.encode(outcome.engineBound, forKey: .engineBound)
        try container.encode(outcome.regret, forKey: .regret)
        try container.encode(outcome.engineQueueOvershoot, forKey: .engineQueueOvershoot)
        try container.encode(outcome.engineQueuePeak, forKey: .engineQueuePeak)
        try container.encode(outcome.idleWhileWaitingSeconds, forKey: .idleWhileWaiting)
        try container.encode(outcome.gpuSeconds, forKey: .gpuSeconds)
        try container.encode(outcome.costPerGoodRequest, forKey: .costPerGoodRequest)
        try container.encode(outcome.dispatchAmplification, forKey: .dispatchAmplification)
        try container.encode(outcome.hedges, forKey: .hedges)
        try container.encode(outcome.hedgesWon, forKey: .hedgesWon)
        try container.encode(outcome.extraWorkShare, forKey: .extraWorkShare)
        try container.encode(outcome.earlyRefusalShare, forKey: .earlyRefusalShare)
        try container.encode(outcome.refusalDelay, forKey: .refusalDelay)
        try container.encode(outcome.cachedPromptShare, forKey: .cachedPromptShare)
        try container.encode(outcome.busiestEndpoint, forKey: .busiestEndpoint)
        try container.encode(outcome.longestWaits, forKey: .longestWaits)
        try container.encode(outcome.preemptions, forKey: .preemptions)
        try container.encode(outcome.ladderMoves, forKey: .ladderMoves)
        try container.encode(outcome.healthChanges, forKey: .healthChanges)
        try container.encode(outcome.unanswered, forKey: .unanswered)
        try container.encode(outcome.tooLong, forKey: .tooLong)
        try container.encode(outcome.faults, forKey: .faults)
        try encodeScaling(into: &container)
    }

    /// Absent where nothing scaled.
    private func encodeScaling(
        into container: inout KeyedEncodingContainer<CodingKeys>
    ) throws {
        try container.encodeIfPresent(scaler?.name, forKey: .scaler)
        try container.encodeIfPresent(scaler?.setting, forKey: .scalerSetting)
        guard let scaling = outcome.scaling else { return }
        try container.encode(scaling.changes, forKey: .scaleEvents)
        try container.encode(scaling.turnsPerHour, forKey: .turnsPerHour)
        try container.encode(scaling.shortSeconds, forKey: .shortSeconds)
        try container.encode(scaling.secondsToCapacity, forKey: .secondsToCapacity)
        try container.encode(scaling.most, forKey: .replicasMost)
        try container.encodeIfPresent(scaling.nodesMost, forKey: .nodesMost)
        try container.encode(scaling.refused, forKey: .withoutGPU)
    }
}
