import Budget
import Config
import EventLoop
import Glibc
import Replay
import Report
import Workload

/// `plimsoll replay`: open-loop load from a trace, and the budget report of what came of it.
enum ReplayCommand: Command {
    static let synopsis = Synopsis(
        name: "replay", summary: "send a trace's load to a server and report",
        usage: "--target URL --trace TRACE [options]",
        options: [
            .init(name: "--target", value: "URL", help: "where to send: http(s)://HOST[:PORT]"),
            .init(
                name: "--trace", value: "TRACE",
                help: "azure:FILE, mooncake:FILE, csv:FILE (gzip too), or drawn: poisson:rate=5"),
            .init(name: "--model", value: "NAME", help: "the model asked for (the first listed)"),
            .init(name: "--speed", value: "X", help: "time runs X times as fast (1)"),
            .init(name: "--for", value: "TIME", help: "stop offering then (the whole trace)"),
            .init(name: "--tenant-key", value: "KEY", help: "sent as a bearer token"),
            .init(name: "--class", value: "NAME", help: "class of rows that name none"),
            .init(name: "--seed", value: "N", help: "draws arrivals and prompts (1)"),
            .init(name: "-f", value: "FILE|DIR", help: "judge by this budget", repeats: true),
            .init(name: "--output", value: "table|json", help: "how the report is printed"),
            .init(
                name: "--retry", value: "off|honour|ignore",
                help: "what follows a refusal, at most twice (off)"),
            .init(name: "--max-in-flight", value: "N", help: "requests under way at once (4096)"),
            .init(name: "--drain", value: "TIME", help: "wait for the last answers (30s)"),
            .init(name: "--bytes-per-token", value: "N", help: "prompt text for a token (4)"),
            .init(name: "--no-stream", help: "ask for answers in one piece"),
            .init(name: "--no-ignore-eos", help: "leave the field out; engines may end early"),
            .init(name: "--ca", value: "FILE", help: "CA certificates for https (system's)"),
        ],
        example: "plimsoll replay --target http://127.0.0.1:8080 "
            + "--trace poisson:rate=5,in=512,out=64 --for 60s",
        notes: """
            Open loop: latency counts from the intended arrival, and requests leave on time whatever
            the answers do. Arrivals beyond --max-in-flight fail as client_saturated. Prompts are
            drawn text of the trace's length; equal prefix hashes give equal text.
            Exit 0; with -f, 1 when the budget is broken. Ctrl-C ends with the report so far.
            """)

    static func run(_ arguments: Arguments) throws -> Int32 {
        let wantsJSON = try arguments.wantsJSON(others: ["table"])
        // Before any thread starts.
        let signals = SignalWait([SIGINT, SIGTERM])
        do {
            let settings = try Self.settings(arguments)
            let replayer = Replayer(settings, onSecond: Self.progressLine())
            Self.endOnSignal(signals, replayer)
            let result = try replayer.run()
            if isatty(STDERR_FILENO) == 1 { Console.write("\r\u{1B}[K", to: STDERR_FILENO) }
            if wantsJSON {
                Console.out(try JSON.text(result))
            } else {
                Console.write(result.table(), to: STDOUT_FILENO)
            }
            return result.report.verdict.map { $0.isHeld } ?? true ? ExitCode.fine : ExitCode.no
        } catch let fault as ReplayFault {
            throw UsageError(fault.message)
        }
    }

    private static func settings(_ arguments: Arguments) throws -> ReplaySettings {
        guard let url = arguments.text("--target") else {
            throw UsageError("name where to send: --target http://127.0.0.1:8080")
        }
        guard let trace = arguments.text("--trace") else {
            throw UsageError("name the load: --trace azure:FILE, or poisson:rate=5,in=512,out=64")
        }
        let target = try Target(parsing: url)
        let spec = try Self.trace(trace)
        let duration = try arguments.duration("--for")
        if case .generator = spec, duration == nil {
            throw UsageError("drawn load has no end of its own: add --for 60s")
        }
        if duration == 0 { throw UsageError("--for 0 offers nothing") }
        let tls = target.isTLS ? try Self.tls(arguments) : nil
        let budget = try Self.budget(arguments)
        let key = arguments.text("--tenant-key")
        let model =
            try arguments.text("--model")
            ?? Replayer.firstModel(of: target, tls: tls, tenantKey: key)
        var settings = ReplaySettings(target: target, trace: spec, model: model)
        settings.tls = tls
        settings.tenantKey = key
        settings.serviceClass = arguments.text("--class")
        settings.speed = try arguments.decimal("--speed") ?? 1
        settings.durationNanos = duration
        settings.seed = UInt64(try arguments.number("--seed", in: 0...Int.max) ?? 1)
        settings.streams = !arguments.has("--no-stream")
        settings.ignoresEOS = !arguments.has("--no-ignore-eos")
        if let bytes = try arguments.number("--bytes-per-token", in: 1...64) {
            settings.promptScale.bytesPerToken = Double(bytes)
        }
        settings.retry = try Self.retry(arguments)
        settings.drainNanos = try arguments.duration("--drain") ?? settings.drainNanos
        // A connection each, and some files for everything else.
        let files = Machine.raiseFileLimit() - 64
        settings.inFlightMax =
            try arguments.number("--max-in-flight", in: 1...max(1, files))
            ?? min(settings.inFlightMax, max(1, files))
        if let budget { try Self.judge(&settings, by: budget) }
        return settings
    }

    static func trace(_ text: String) throws(UsageError) -> TraceSpec {
        do {
            return try TraceSpec.parse(text)
        } catch {
            throw UsageError("--trace: \(error)")
        }
    }

    /// Verifies with the certificates that `--ca` names, else the system's.
    static func tls(_ arguments: Arguments) throws(UsageError) -> TLSContext {
        do {
            return try TLSContext(caFile: arguments.text("--ca"))
        } catch {
            throw UsageError(error.message)
        }
    }

    private static func retry(_ arguments: Arguments) throws(UsageError) -> ReplaySettings.Retry {
        guard let text = arguments.text("--retry") else { return .off }
        guard let retry = ReplaySettings.Retry(rawValue: text) else {
            let words = ReplaySettings.Retry.allCases.map(\.rawValue).joined(separator: ", ")
            throw UsageError("--retry '\(text)' is none of \(words)")
        }
        return retry
    }

    private static func budget(_ arguments: Arguments) throws -> Configuration? {
        let paths = arguments.all("-f")
        return paths.isEmpty ? nil : try Service.load(paths).configuration
    }

    /// Takes the model's promises over, and its class for requests that name none.
    static func judge(
        _ settings: inout ReplaySettings, by budget: Configuration
    ) throws(UsageError) {
        guard let model = budget.model(named: settings.model) else {
            let names = budget.models.map(\.name).joined(separator: ", ")
            throw UsageError(
                "the budget has no model '\(settings.model)'; it has \(names): choose with --model")
        }
        if let name = settings.serviceClass, model.classIndex(named: name) == nil {
            let names = model.classes.map(\.name).joined(separator: ", ")
            throw UsageError("--class '\(name)' is no class of \(model.name); it has \(names)")
        }
        settings.budget = ReportBudget(model)
        settings.defaultClass = model.classes[model.defaultClassIndex].name
    }

    /// One line that is written over each second, on a terminal alone.
    static func progressLine() -> (@Sendable (ReplayProgress) -> Void)? {
        guard isatty(STDERR_FILENO) == 1 else { return nil }
        return { progress in
            func millis(_ nanos: UInt64?) -> String {
                nanos.map { "\($0 / 1_000_000) ms" } ?? "-"
            }
            let seconds = (progress.elapsedNanos + 500_000_000) / 1_000_000_000
            let line =
                "\(seconds) s: \(progress.offered) offered, "
                + "\(progress.inFlight) in flight, \(progress.completed) completed, "
                + "\(progress.refused) refused, \(progress.failed) failed, "
                + "TTFT p50 \(millis(progress.recentTTFTP50Nanos))"
                + " p99 \(millis(progress.recentTTFTP99Nanos))"
            Console.write("\r\u{1B}[K" + line, to: STDERR_FILENO)
        }
    }

    /// The first signal ends the run with its report, the second one the process.
    static func endOnSignal(_ signals: SignalWait, _ replayer: Replayer) {
        _ = LoopThread {
            _ = signals.wait()
            replayer.interrupt()
            _exit(128 + signals.wait())
        }
    }
}
