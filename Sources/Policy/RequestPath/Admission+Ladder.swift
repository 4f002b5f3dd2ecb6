import Time

extension Admission {
    /// Shows the ladder of a lane how long a new request would be behind others, at the gateway and
    /// at the engine, as a share of what its bound leaves beside its own prefill.
    mutating func observe(
        lane: Int, model: Int, _ prediction: Prediction, _ record: RequestRecord, now: Instant,
        into actions: inout ActionBuffer
    ) {
        guard !self.plan.models[model].ladder.isEmpty else { return }
        let alone = self.pools[model].steps.firstTokenNanos(tokens: Double(record.prefillTokens))
        // A lower quantile's bound is the plan where its account is used up.
        let due = Double(record.due.nanosSince(now))
        let bound = self.queues.lanes[lane].tolerance.boundBroken(by: due) ?? due
        let allowed = max(1, bound - alone)
        let behind = max(prediction.waitNanos, prediction.totalNanos - alone)
        let step = self.queues.lanes[lane].ladder.step
        let moved = self.queues.lanes[lane].ladder.observe(
            share: behind / allowed, next: self.nextStep(above: step, model: model),
            now: now)
        if moved { self.tellLadder(lane: lane, model: model, into: &actions) }
    }

    /// A lane whose queue has run dry needs no relief.
    mutating func observeIdle(lane: Int, model: Int, now: Instant, into actions: inout ActionBuffer)
    {
        guard self.queues.lanes[lane].ladder.step > 0 else { return }
        if self.queues.lanes[lane].ladder.observe(share: 0, next: nil, now: now) {
            self.tellLadder(lane: lane, model: model, into: &actions)
        }
    }

    mutating func comeDownLadders(now: Instant, into actions: inout ActionBuffer) {
        for model in self.pools.indices {
            for lane in self.pools[model].lanes
            where self.queues.lanes[lane].ladder.comeDown(now: now) {
                self.tellLadder(lane: lane, model: model, into: &actions)
            }
        }
    }

    private func tellLadder(lane: Int, model: Int, into actions: inout ActionBuffer) {
        actions.append(
            .ladderMoved(
                ModelID(raw: model), classIndex: lane - self.pools[model].lanes.lowerBound,
                step: self.queues.lanes[lane].ladder.step))
    }

    /// The next step of the ladder that relieves the pool: a cap must gain at least 5 %.
    private func nextStep(above step: Int, model: Int) -> Int? {
        let ladder = self.plan.models[model].ladder
        for next in step..<ladder.count {
            switch ladder[next] {
            case .model:
                return next + 1
            case .cap(let outputTokens):
                if self.gain(cap: outputTokens, model: model) >= 1.05 { return next + 1 }
            }
        }
        return nil
    }

    /// Token work of a mean request as it is, over the same with its answer capped.
    private func gain(cap: UInt32, model: Int) -> Double {
        let pool = self.pools[model]
        let output = pool.outputs.mean
        let prompt = pool.ratio.meanPrefillTokens
        let whole = TokenWork.of(prefillTokens: prompt, outputTokens: output)
        let kept = output * pool.outputs.shareKept(cap: cap)
        return whole / TokenWork.of(prefillTokens: prompt, outputTokens: kept)
    }

    /// The cap that the step in force writes into a request, if any.
    func cap(for record: RequestRecord) -> UInt32? {
        let model = Int(record.served)
        let lane = self.pools[model].lanes.lowerBound + Int(record.classIndex)
        let step = self.queues.lanes[lane].ladder.step
        guard step > 0, record.cappable else { return nil }
        for entry in stride(from: step - 1, through: 0, by: -1) {
            guard case .cap(let tokens) = self.plan.models[model].ladder[entry] else { continue }
            return tokens < record.outputTokensMax ?? .max ? tokens : nil
        }
        return nil
    }

    /// The model that the ladder offers to a request its own model refuses: always when it could
    /// not meet its bound here even on an idle engine, else once the ladder has climbed there.
    func refuge(from record: RequestRecord, reason: RefusalReason) -> Int? {
        let model = Int(record.asked)
        let lane = self.pools[model].lanes.lowerBound + Int(record.classIndex)
        let step = self.queues.lanes[lane].ladder.step
        let reach: Int
        switch reason {
        case .infeasible: reach = self.plan.models[model].ladder.count
        case .saturated, .queueFull: reach = step
        case .noCapacity, .rateLimited, .tooLong: return nil
        }
        for entry in 0..<reach {
            if case .model(let other) = self.plan.models[model].ladder[entry] { return other.raw }
        }
        return nil
    }
}
