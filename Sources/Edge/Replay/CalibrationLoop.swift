import EventLoop
import HTTP
import Statistics
import Time
import Workload

/// A calibration under way, on one loop: one group after the other, each begun when the one before
/// has ended.
final class CalibrationLoop {
    /// Between two groups, so that an engine has put the last one away.
    private static let pauseNanos: UInt64 = 10_000_000
    private static let tickMillis: UInt64 = 50
    /// Groups that fail one after another before the engine is given up.
    private static let failuresInARowMax = 4
    /// Bytes of the texts whose tokens the engine counts first, and how many of each are sent: one
    /// long text has a few in a hundred more or fewer tokens than another.
    private static let probeBytes = (short: 128, long: 2_048)
    private static let probes = (short: 2, all: 8)

    /// What is being done.
    private enum Phase {
        /// Texts of known length, by place, the short ones first.
        case probing(Int)
        /// The warm-up, by place.
        case warming(Int)
        /// The rounds, by round and place.
        case measuring(Int, Int)
    }

    let loop: Loop
    let endpoint: ClientEndpoint
    private(set) var writer: RequestWriter
    let idPrefix: String
    private let settings: CalibrationSettings
    private let shared: Calibrator.Shared
    /// Only the texts are sent.
    private let onlyProbes: Bool
    private var form: RequestForm
    private var startedAt = Instant.zero
    private var phase = Phase.probing(0)
    /// What the engine counted for all texts of one length.
    private var probeTokens = (short: 0.0, long: 0.0)
    private var book = CalibrationBook([])
    private var warmUp: [CalibrationGroup] = []
    private var group = CalibrationGroup(streams: 1, promptTokens: 0, outputTokens: 0)
    private var streams: [CalibrationStream] = []
    private var pending = 0
    private var sequence: UInt64 = 0
    private var pauseTimer: LoopTimer?
    private var tickTimer: LoopTimer?
    private var isOver = false
    private(set) var calibration = Calibration()
    /// Why there is nothing to fit.
    private(set) var fault: ReplayFault?

    init(
        _ loop: Loop, settings: CalibrationSettings, address: SocketAddress,
        shared: Calibrator.Shared, onlyProbes: Bool
    ) {
        self.loop = loop
        self.settings = settings
        self.shared = shared
        self.onlyProbes = onlyProbes
        self.endpoint = ClientEndpoint(
            loop, address: address, host: settings.target.host,
            tls: settings.target.isTLS ? settings.tls : nil)
        self.form = RequestForm(target: settings.target, model: settings.model)
        self.form.tenantKey = settings.tenantKey
        self.form.ignoresEOS = settings.ignoresEOS
        self.form.seed = settings.seed
        self.writer = RequestWriter(self.form)
        var random = SeededRandom(seed: settings.seed)
        self.idPrefix = "calibrate-" + String(random.next() | 1 << 63, radix: 16)
    }

    /// Runs to the end on the calling thread.
    func run() {
        self.startedAt = self.loop.readClock()
        let pause = LoopTimer(self.loop) { [unowned self] in self.start() }
        let tick = LoopTimer(self.loop) { [unowned self] in self.tick() }
        self.pauseTimer = pause
        self.tickTimer = tick
        tick.arm(everyMillis: Self.tickMillis)
        self.start()
        self.loop.run()
    }

    // MARK: Groups

    /// Begins the group that the phase is at.
    private func start() {
        guard !self.isOver else { return }
        guard let group = self.nextGroup() else { return self.end() }
        guard self.calibration.requests + group.streams <= CalibrationSettings.requestsMax else {
            return self.end()
        }
        self.group = group
        self.tell()
        self.pending = group.streams
        self.calibration.requests += group.streams
        self.streams = (0..<group.streams).map { _ in
            self.sequence += 1
            return CalibrationStream(
                self,
                Arrival(
                    atNanos: 0, inputTokens: group.promptTokens, outputTokens: group.outputTokens),
                sequence: self.sequence)
        }
        // One that fails at once ends the group.
        for stream in self.streams where self.pending > 0 { stream.send() }
    }

    /// The group to begin now; passes over those that are left out.
    private func nextGroup() -> CalibrationGroup? {
        while true {
            switch self.phase {
            case .probing(let index):
                let isShort = index < Self.probes.short
                let bytes = isShort ? Self.probeBytes.short : self.longProbeBytes
                return CalibrationGroup(streams: 1, promptTokens: bytes / 4, outputTokens: 2)
            case .warming(let index):
                if index < self.warmUp.count { return self.warmUp[index] }
                self.phase = .measuring(0, 0)
            case .measuring(let round, let index):
                guard round < CalibrationPlan.roundsMax else { return nil }
                if index >= self.book.count {
                    self.phase = .measuring(round + 1, 0)
                    guard (0..<self.book.count).contains(where: { self.book.group($0) != nil })
                    else { return nil }
                } else if let group = self.book.group(index) {
                    return group
                } else {
                    self.phase = .measuring(round, index + 1)
                }
            }
        }
    }

    /// A byte may be a token: the text must be inside the context then too.
    private var longProbeBytes: Int {
        let room = (self.settings.contextTokens ?? .max).subtractingReportingOverflow(64)
        return max(2 * Self.probeBytes.short, min(Self.probeBytes.long, room.partialValue / 4 * 4))
    }

    /// A stream of the group has ended; the group has when all have, or when one failed.
    func ended(_ stream: CalibrationStream, _ verdict: Verdict) {
        guard !self.isOver, self.pending > 0, self.streams.contains(where: { $0 === stream })
        else { return }
        switch verdict {
        case .completed:
            self.pending -= 1
            if self.pending > 0 { return }
            self.groupEnded()
        case .refused(let label, _), .failed(let label, _):
            self.pending = 0
            let status = stream.status
            for other in self.streams where other !== stream { other.abandon() }
            self.groupFailed(label, status: status)
        }
        guard !self.isOver else { return }
        self.pauseTimer?.arm(at: self.loop.readClock().advanced(byNanos: Self.pauseNanos))
    }

    private func groupEnded() {
        let times = self.streams.compactMap(\.times)
        guard times.count == self.streams.count, let sample = GroupSample(times) else {
            return self.giveUp(
                "the engine's streams tell no usage, or no text: without its own count of tokens "
                    + "nothing can be fitted")
        }
        switch self.phase {
        case .probing(let index):
            if index < Self.probes.short {
                self.probeTokens.short += sample.promptTokens
            } else {
                self.probeTokens.long += sample.promptTokens
            }
            self.phase = .probing(index + 1)
            if index + 1 == Self.probes.all { self.setScale() }
        case .warming(let index): self.phase = .warming(index + 1)
        case .measuring(let round, let index):
            self.book.add(sample, at: index)
            self.phase = .measuring(round, index + 1)
        }
    }

    private func groupFailed(_ label: String, status: Int) {
        let answer = status == 0 ? label : "\(label) (HTTP \(status))"
        switch self.phase {
        case .probing:
            self.giveUp("the first request, \(self.group.words), ended as \(answer)")
        case .warming(let index):
            // Its group fails again when it counts.
            self.phase = .warming(index + 1)
        case .measuring(let round, let index):
            self.book.fail(
                index, "ended as \(answer)", isTooLong: status == 400 || status == 413)
            self.phase = .measuring(round, index + 1)
            if self.book.failuresInARow >= Self.failuresInARowMax {
                self.giveUp(
                    "\(Self.failuresInARowMax) groups failed one after another, the last, "
                        + "\(self.group.words), as \(answer)")
            }
        }
    }

    /// From what the engine counted for the texts to text for a number of tokens; then the plan.
    private func setScale() {
        let short = self.probeTokens.short / Double(Self.probes.short)
        let long = self.probeTokens.long / Double(Self.probes.all - Self.probes.short)
        guard long > short else {
            return self.giveUp(
                "the engine counts \(short) and \(long) tokens for texts of "
                    + "\(Self.probeBytes.short) and \(self.longProbeBytes) bytes: its usage cannot "
                    + "be believed")
        }
        let perToken = Double(self.longProbeBytes - Self.probeBytes.short) / (long - short)
        let own = short - Double(Self.probeBytes.short) / perToken
        let scale = PromptScale(bytesPerToken: perToken, fixedTokens: max(0, Int(own.rounded())))
        self.calibration.promptScale = scale
        if self.onlyProbes { return self.end() }
        self.form.promptScale = scale
        // Other prompts than the probes'.
        self.form.seed = self.settings.seed ^ 0x6361_6C69_6272_6174
        self.writer = RequestWriter(self.form)
        guard
            let groups = CalibrationPlan.groups(
                contextTokens: self.settings.contextTokens, streamsMax: self.settings.streamsMax,
                scale: scale)
        else {
            return self.giveUp(
                "the engine's context of \(self.settings.contextTokens ?? 0) tokens is too little "
                    + "for a ladder of prompts; \(CalibrationPlan.contextMin) and the tokens its "
                    + "template adds are the least")
        }
        self.book = CalibrationBook(groups)
        self.warmUp = CalibrationPlan.warmUp(of: groups)
        self.phase = .warming(0)
    }

    // MARK: The end

    private func tick() {
        guard !self.isOver else { return }
        if self.shared.isInterrupted {
            self.calibration.isInterrupted = true
            self.end()
        } else if self.elapsedNanos >= self.settings.durationNanos {
            if case .probing = self.phase {
                return self.giveUp("the first requests were not answered in time")
            }
            self.end()
        }
    }

    private var elapsedNanos: UInt64 { self.loop.readClock().nanosSince(self.startedAt) }

    private func tell() {
        let doing: String
        switch self.phase {
        case .probing: doing = "counting tokens"
        case .warming: doing = "warming up: \(self.group.words)"
        case .measuring(let round, _): doing = "round \(round + 1): \(self.group.words)"
        }
        self.shared.onProgress?(
            CalibrationProgress(
                elapsedNanos: self.elapsedNanos, requests: self.calibration.requests, doing: doing))
    }

    private func giveUp(_ why: String) {
        guard !self.isOver else { return }
        self.fault = ReplayFault("\(self.settings.target.authority): \(why)")
        self.end()
    }

    /// Closes everything and ends the loop one turn later, so that close callbacks run.
    private func end() {
        guard !self.isOver else { return }
        self.isOver = true
        self.calibration.elapsedNanos = self.elapsedNanos
        self.book.medians(into: &self.calibration)
        for stream in self.streams { stream.abandon() }
        self.pauseTimer?.close()
        self.tickTimer?.close()
        self.endpoint.close()
        let end = LoopTimer(self.loop) { [loop = self.loop] in loop.stop() }
        end.arm(everyMillis: 1)
    }
}
