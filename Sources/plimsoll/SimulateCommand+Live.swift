import EngineModel
import EventLoop
import Glibc
import Replay
import Report
import RequestPath
import Workload
import World

/// `plimsoll simulate --compare-live`: the same arrivals live and in the twin, side by side.
extension SimulateCommand {
    /// Options whose meaning a live run cannot follow.
    private static let notLive = ["--faults", "--warm-up", "--patience", "--runs"]

    /// Replays the load on the server at `--compare-live`, simulates it, and prints both with the
    /// errors of the second.
    static func compareLive(
        _ arguments: Arguments, _ scenario: Scenario, _ load: SimulatedLoad,
        _ policies: [PolicyUnderTest], seed: UInt64
    ) throws -> Int32 {
        let output = try Self.output(arguments)
        guard output != .html else {
            throw UsageError("--compare-live prints table or json")
        }
        guard policies.count == 1 else {
            throw UsageError(
                "--compare-live takes one policy: plimsoll for a gateway, no-gate for an engine")
        }
        guard arguments.has("--for") else {
            throw UsageError("--compare-live loads a live server: bound it with --for 60s")
        }
        if let option = Self.notLive.first(where: { arguments.has($0) }) {
            throw UsageError("\(option) has no meaning for a live server: leave it out")
        }
        // Before any thread starts.
        let signals = SignalWait([SIGINT, SIGTERM])
        do {
            var world = scenario
            world.seed = seed
            world.monitor.scrapeNanos =
                try arguments.duration("--scrape") ?? policies[0].scrapeNanos
            let settings = try Self.replay(arguments, scenario, load, seed: seed)
            world.clients.bytesPerToken = max(1, Int(settings.promptScale.bytesPerToken.rounded()))
            let (live, share) = try Self.runLive(settings, signals)
            let simulated = try policies[0].run(world, arrivals: try load.open(seed: seed))
            for fault in simulated.faults { Console.note("BROKEN INVARIANT: \(fault)") }
            let comparison = LiveComparison(
                live: live, simulated: simulated.report, promptTokenShare: share,
                profile: scenario.pools[scenario.model.raw].name)
            if output == .json {
                Console.out(try JSON.text(comparison))
            } else {
                Console.write(comparison.table(), to: STDOUT_FILENO)
            }
            return simulated.faults.isEmpty ? ExitCode.fine : ExitCode.no
        } catch let fault as ReplayFault {
            throw UsageError(fault.message)
        }
    }

    /// The load as a replay sends it: the same arrivals, the texts as long as the live engine
    /// counts them to be, and other texts than any run before.
    private static func replay(
        _ arguments: Arguments, _ scenario: Scenario, _ load: SimulatedLoad, seed: UInt64
    ) throws -> ReplaySettings {
        let target = try Target(parsing: arguments.text("--compare-live") ?? "")
        let tls = target.isTLS ? try ReplayCommand.tls(arguments) : nil
        let key = arguments.text("--tenant-key")
        let model = scenario.plan.models[scenario.model.raw]
        let served = try Self.liveModel(model.name, of: target, tls: tls, key: key)
        var random = SystemRandomNumberGenerator()
        var probe = CalibrationSettings(target: target, model: served.name)
        probe.tls = tls
        probe.tenantKey = key
        probe.contextTokens = served.contextTokens
        probe.seed = random.next()
        var settings = ReplaySettings(target: target, trace: load.trace, model: served.name)
        settings.promptScale = try Calibrator(probe).measurePromptScale()
        settings.promptSeed = random.next()
        settings.tls = tls
        settings.tenantKey = key
        settings.speed = load.transform.speed
        settings.durationNanos = load.transform.durationNanos
        settings.tokensMax = load.transform.tokensMax
        settings.seed = seed
        settings.budget = scenario.budget
        settings.defaultClass = model.classes[scenario.defaultClass].name
        settings.retry = ReplaySettings.Retry(rawValue: arguments.text("--retry") ?? "") ?? .off
        settings.inFlightMax = min(settings.inFlightMax, max(1, Machine.raiseFileLimit() - 64))
        return settings
    }

    /// The budget's model, as a gateway lists it; an engine's own first one where it does not.
    private static func liveModel(
        _ name: String, of target: Target, tls: TLSContext?, key: String?
    ) throws -> ServedModel {
        let models = try Replayer.models(of: target, tls: tls, tenantKey: key)
        if let model = models.first(where: { $0.name == name }) { return model }
        guard let first = models.first else { return ServedModel(name: name) }
        Console.note("the server does not list '\(name)': its '\(first.name)' is asked for")
        return first
    }

    /// The live report, and the prompt tokens counted of those wanted.
    private static func runLive(
        _ settings: ReplaySettings, _ signals: SignalWait
    ) throws -> (report: Report, promptTokenShare: Double?) {
        let tokens = Lock((wanted: 0, counted: 0))
        let replayer = Replayer(
            settings,
            onFinish: { request in
                guard let counted = request.countedPromptTokens else { return }
                tokens.withLock { sums in
                    sums.wanted += request.wantedPromptTokens
                    sums.counted += counted
                }
            }, onSecond: ReplayCommand.progressLine())
        ReplayCommand.endOnSignal(signals, replayer)
        let result = try replayer.run()
        if isatty(STDERR_FILENO) == 1 { Console.write("\r\u{1B}[K", to: STDERR_FILENO) }
        if result.isInterrupted {
            throw UsageError("ended before its time: there is nothing to compare")
        }
        let sums = tokens.withLock { $0 }
        return (
            result.report, sums.wanted == 0 ? nil : Double(sums.counted) / Double(sums.wanted)
        )
    }
}
