import EventLoop
import HTTP
import Report
import Statistics
import Time
import Wire
import Workload

/// The run itself, on one loop: sends each request at its instant, whatever the answers do.
final class ReplayLoop {
    /// Requests sent in one turn of the loop, so that a burst does not keep answers waiting.
    private static let sendsPerTurn = 64
    private static let tickMillis: UInt64 = 100
    /// Set aside before the first arrival, so that it is not late.
    private static let headStartNanos: UInt64 = 20_000_000
    /// Instants nearer than this are waited for by the pacer, which is exact but costs a switch of
    /// threads; the loop's timer covers the way there.
    private static let pacedNanos: UInt64 = 3_000_000

    let loop: Loop
    let settings: ReplaySettings
    let endpoint: ClientEndpoint
    let writer: RequestWriter
    private let shared: Replayer.Shared
    private let idPrefix: String
    private var arrivals: ArrivalStream
    private var next: Arrival?
    private var start = Instant.zero
    private var lastIntendedNanos: UInt64 = 0
    private var sequence: UInt64 = 0
    private(set) var shots: [Shot] = []
    /// One of the two is armed while an arrival is to come.
    private var sendTimer: LoopTimer?
    private var pacer: Pacer?
    private var tickTimer: LoopTimer?
    private var ticks: UInt64 = 0
    private var isFinished = false
    private(set) var isInterrupted = false
    private(set) var fault: TraceFault?
    /// All arrivals have come; when waiting for answers ends.
    private var drainUntil: Instant?

    private(set) var budget: BudgetReport
    private(set) var refusalDelays = Histogram()
    private(set) var sendDelays = Histogram()
    private var progress = ReplayProgress()
    private var secondTTFT = Histogram()

    init(
        _ loop: Loop, settings: ReplaySettings, address: SocketAddress, arrivals: ArrivalStream,
        shared: Replayer.Shared
    ) {
        self.loop = loop
        self.settings = settings
        self.shared = shared
        self.arrivals = arrivals
        self.endpoint = ClientEndpoint(
            loop, address: address, host: settings.target.host,
            tls: settings.target.isTLS ? settings.tls : nil)
        self.writer = RequestWriter(RequestForm(settings))
        self.budget = BudgetReport(budget: settings.budget)
        var random = SeededRandom(seed: loop.readClock().nanos ^ settings.seed)
        self.idPrefix = "replay-" + String(random.next() | 1 << 63, radix: 16)
    }

    /// Runs to the end on the calling thread.
    func run() {
        self.start = self.loop.readClock().advanced(byNanos: Self.headStartNanos)
        let send = LoopTimer(self.loop) { [unowned self] in self.sendDue() }
        let tick = LoopTimer(self.loop) { [unowned self] in self.tick() }
        self.sendTimer = send
        let box = LoopBox(self)
        self.pacer = Pacer(self.loop.mailbox) { box.replay.sendDue() }
        self.tickTimer = tick
        self.pull()
        tick.arm(everyMillis: Self.tickMillis)
        self.armNext()
        self.loop.run()
    }

    func requestID(_ sequence: UInt64, attempt: Int) -> String {
        attempt == 0
            ? "\(self.idPrefix)-\(sequence)" : "\(self.idPrefix)-\(sequence)-retry-\(attempt)"
    }

    /// How long a time the arrivals cover: what was asked for, or as far as it came.
    var durationNanos: UInt64 {
        let elapsed = self.loop.readClock().nanosSince(self.start)
        if self.isInterrupted { return elapsed }
        return min(elapsed, self.settings.durationNanos ?? max(self.lastIntendedNanos, 1))
    }

    // MARK: Arrivals

    private func pull() {
        do {
            self.next = try self.arrivals.next()
        } catch {
            // Validated before: the file has changed under the run.
            self.fault = error
            self.next = nil
        }
    }

    private func armNext() {
        if let next = self.next {
            let due = self.start.advanced(byNanos: next.atNanos)
            let ahead = due.nanosSince(self.loop.readClock())
            if ahead == 0 {
                self.sendTimer?.arm(at: due)
            } else if ahead <= Self.pacedNanos {
                self.pacer?.wake(at: due.nanos)
            } else {
                let early = ahead - Self.pacedNanos / 2
                self.sendTimer?.arm(at: self.loop.readClock().advanced(byNanos: early))
            }
        } else if self.drainUntil == nil {
            self.drainUntil = self.loop.now.advanced(byNanos: self.settings.drainNanos)
            self.finishIfDone()
        }
    }

    fileprivate func sendDue() {
        guard !self.isFinished else { return }
        var sent = 0
        while let arrival = self.next, sent < Self.sendsPerTurn {
            let intended = self.start.advanced(byNanos: arrival.atNanos)
            let now = self.loop.readClock()
            guard intended <= now else { break }
            self.sendDelays.add(now.nanosSince(intended))
            self.launch(arrival, intended)
            self.pull()
            sent += 1
        }
        self.armNext()
    }

    private func launch(_ arrival: Arrival, _ intended: Instant) {
        self.lastIntendedNanos = arrival.atNanos
        self.sequence += 1
        self.progress.offered += 1
        guard self.shots.count < self.settings.inFlightMax else {
            return self.count(
                self.outcome(of: arrival, .failed(reason: "client_saturated", at: .arrival)))
        }
        let shot = Shot(self, arrival, sequence: self.sequence, intended: intended)
        shot.index = self.shots.count
        self.shots.append(shot)
        shot.send()
    }

    // MARK: Answers

    func firstToken(_ shot: Shot, at instant: Instant) {
        self.secondTTFT.add(instant.nanosSince(shot.intended))
    }

    /// One try has ended, when the loop woke: what this one did meanwhile is not its server's.
    func ended(_ shot: Shot, _ verdict: Verdict) {
        let end = max(self.loop.wokeAt, shot.sentAt)
        if case .refused(_, .arrival) = verdict {
            let written = shot.connection?.requestWrittenAt ?? end
            self.refusalDelays.add(end.nanosSince(written))
        }
        self.tell(shot, verdict.status, at: end)
        if case .refused = verdict, let wait = self.retryWait(shot) {
            return shot.retry(afterNanos: wait)
        }
        self.finish(shot, verdict.status, at: end)
    }

    /// How long to wait before the next try; `nil` for no more tries.
    private func retryWait(_ shot: Shot) -> UInt64? {
        guard shot.attempt < ReplaySettings.retriesMax, !self.isFinished else { return nil }
        let fallback = ReplaySettings.retryWaits[shot.attempt]
        switch self.settings.retry {
        case .off: return nil
        case .ignore: return fallback
        case .honour:
            let wait = shot.head.retryAfterNanos ?? fallback
            return shot.head.mayRetry && wait <= ReplaySettings.retryWaitMax ? wait : nil
        }
    }

    private func finish(_ shot: Shot, _ status: RequestOutcome.Status, at end: Instant) {
        let last = self.shots.count - 1
        if shot.index != last {
            self.shots[shot.index] = self.shots[last]
            self.shots[shot.index].index = shot.index
        }
        self.shots.removeLast()
        var outcome = self.outcome(of: shot.arrival, status)
        let answer = shot.reader
        outcome.ttftNanos = answer.firstTokenNanos.map {
            Instant(nanos: $0).nanosSince(shot.intended)
        }
        outcome.producedTokens = answer.tokens
        if let first = answer.firstTokenNanos, let last = answer.lastTokenNanos, answer.tokens > 1 {
            outcome.itlMeanNanos = (last - first) / (answer.tokens - 1)
        }
        outcome.e2eNanos = end.nanosSince(shot.intended)
        outcome.isDegraded = shot.head.isDegraded
        outcome.attempts = UInt64(shot.attempt + 1)
        self.count(outcome)
        self.finishIfDone()
    }

    private func outcome(
        of arrival: Arrival, _ status: RequestOutcome.Status
    ) -> RequestOutcome {
        RequestOutcome(
            serviceClass: arrival.serviceClass ?? self.settings.serviceClass
                ?? self.settings.defaultClass,
            tenant: arrival.tenant ?? "", status: status, e2eNanos: 0,
            inputTokens: UInt64(arrival.inputTokens), outputTokens: UInt64(arrival.outputTokens),
            producedTokens: 0)
    }

    private func count(_ outcome: RequestOutcome) {
        self.budget.add(outcome)
        self.progress.count(outcome)
    }

    private func tell(_ shot: Shot, _ status: RequestOutcome.Status, at end: Instant) {
        guard let onFinish = self.shared.onFinish else { return }
        onFinish(
            ReplayedRequest(
                requestID: shot.requestID, attempt: shot.attempt,
                intendedNanos: shot.intended.nanos, sentNanos: shot.sentAt.nanos,
                firstTokenNanos: shot.reader.firstTokenNanos, endNanos: end.nanos,
                httpStatus: shot.head.status, wantedPromptTokens: shot.arrival.inputTokens,
                countedPromptTokens: shot.reader.counted.map { Int($0.promptTokens) },
                status: status))
    }

    // MARK: The end

    private func tick() {
        self.ticks += 1
        if self.shared.isInterrupted, !self.isFinished {
            self.isInterrupted = true
            return self.finishNow()
        }
        if let until = self.drainUntil, self.loop.now >= until { return self.finishNow() }
        let isSecond = self.ticks % (1000 / Self.tickMillis) == 0
        self.publish(withQuantiles: isSecond)
        if isSecond { self.shared.onSecond?(self.progress) }
    }

    private func publish(withQuantiles: Bool) {
        self.progress.elapsedNanos = self.loop.now.nanosSince(self.start)
        self.progress.inFlight = UInt64(self.shots.count)
        if withQuantiles {
            let isEmpty = self.secondTTFT.count == 0
            self.progress.recentTTFTP50Nanos = isEmpty ? nil : self.secondTTFT.quantile(0.5)
            self.progress.recentTTFTP99Nanos = isEmpty ? nil : self.secondTTFT.quantile(0.99)
            self.secondTTFT.reset()
        }
        self.shared.publish(self.progress)
    }

    private func finishIfDone() {
        if self.drainUntil != nil, self.shots.isEmpty { self.finishNow() }
    }

    /// Counts what is still under way, closes everything and ends the loop one turn later, so that
    /// close callbacks run.
    private func finishNow() {
        guard !self.isFinished else { return }
        self.isFinished = true
        self.next = nil
        self.drainUntil = self.loop.now
        for shot in self.shots.reversed() {
            let wasWaiting = shot.isWaiting
            let status: RequestOutcome.Status =
                wasWaiting
                ? Verdict.of(shot.head, shot.reader).status : .abandoned(at: shot.moment)
            if !wasWaiting { self.tell(shot, status, at: self.loop.now) }
            shot.abandon()
            self.finish(shot, status, at: self.loop.now)
        }
        self.publish(withQuantiles: false)
        self.sendTimer?.close()
        self.pacer?.end()
        self.tickTimer?.close()
        self.endpoint.close()
        let end = LoopTimer(self.loop) { [loop = self.loop] in loop.stop() }
        end.arm(everyMillis: 1)
    }
}

/// The run, for closures of its own loop's mailbox.
///
/// Safety: opened only in closures that run on the loop's thread, which the run outlives.
private struct LoopBox: @unchecked Sendable {
    unowned let replay: ReplayLoop

    init(_ replay: ReplayLoop) {
        self.replay = replay
    }
}

extension Verdict {
    /// The same in the report's words.
    var status: RequestOutcome.Status {
        switch self {
        case .completed: .completed
        case .refused(let reason, let moment): .refused(reason: reason, at: moment)
        case .failed(let reason, let moment): .failed(reason: reason, at: moment)
        }
    }
}
