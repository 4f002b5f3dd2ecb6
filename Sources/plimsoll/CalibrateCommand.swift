import EngineModel
import EventLoop
import Glibc
import Replay

/// `plimsoll engine calibrate`: fits a profile from a live engine.
enum CalibrateCommand: Command {
    static let synopsis = Synopsis(
        name: "engine calibrate", summary: "fit an engine's profile from a bounded load on it",
        usage: "--target URL [--write FILE] [options]",
        options: [
            .init(name: "--target", value: "URL", help: "the engine: http(s)://HOST[:PORT]"),
            .init(name: "--model", value: "NAME", help: "the model asked for (the first listed)"),
            .init(name: "--key", value: "KEY", help: "sent as a bearer token"),
            .init(name: "--for", value: "TIME", help: "the whole run is over by then (60s)"),
            .init(name: "--streams", value: "N", help: "requests at once, 4 to 256 (32)"),
            .init(name: "--output", value: "table|json", help: "how the result is printed"),
            .init(name: "--write", value: "FILE", help: "writes the profile, for --profile FILE"),
            .init(name: "--name", value: "NAME", help: "the profile's name (the model's)"),
            .init(name: "--gpus", value: "N", help: "GPUs of the engine (1)"),
            .init(name: "--max-num-seqs", value: "N", help: "the engine's limit (256)"),
            .init(
                name: "--max-num-batched-tokens", value: "N", help: "the engine's limit (2048)"),
            .init(name: "--max-model-len", value: "N", help: "its context (as it lists it)"),
            .init(
                name: "--kv-blocks", value: "N", help: "its KV cache, of 16 tokens (65536)"),
            .init(name: "--no-ignore-eos", help: "leave the field out; answers may end early"),
            .init(name: "--ca", value: "FILE", help: "CA certificates for https (system's)"),
        ],
        example: "plimsoll engine calibrate --target http://127.0.0.1:8000 --write engine.json",
        notes: """
            Sends prompts of growing length, each alone, then groups of streams, up to 15 times,
            and fits: step = a + b * prefill tokens + c * sequences + d * KV tokens. A third of the
            points is kept out of the fit and judges it. The engine should have nothing else to do.
            Every prompt begins with words of its own, so that no prefix cache answers for it.
            What an engine holds at most does not show under such a load: tell it, or take the
            defaults, which the result calls assumed. Ctrl-C ends with what was measured,
            if that is every point once.
            """)

    static func run(_ arguments: Arguments) throws -> Int32 {
        let wantsJSON = try arguments.wantsJSON(others: ["table"])
        // Before any thread starts.
        let signals = SignalWait([SIGINT, SIGTERM])
        do {
            let report = try Self.report(arguments, signals)
            if let path = arguments.text("--write") {
                try ProfileFile.write(report.profile, to: path)
            }
            if wantsJSON {
                Console.out(try JSON.text(report))
            } else {
                Console.write(report.table(), to: STDOUT_FILENO)
            }
            return ExitCode.fine
        } catch let fault as ReplayFault {
            throw UsageError(fault.message)
        }
    }

    private static func report(
        _ arguments: Arguments, _ signals: SignalWait
    ) throws -> CalibrationReport {
        guard let url = arguments.text("--target") else {
            throw UsageError("name the engine: --target http://127.0.0.1:8000")
        }
        var limits = try Limits(arguments)
        let gpus = try arguments.number("--gpus", in: 1...1_024) ?? 1
        let target = try Target(parsing: url)
        let tls = target.isTLS ? try ReplayCommand.tls(arguments) : nil
        let key = arguments.text("--key")
        let model = try Self.model(arguments, of: target, tls: tls, key: key)
        if let told = model.contextTokens { limits.tell(context: told) }
        var settings = CalibrationSettings(target: target, model: model.name)
        settings.tls = tls
        settings.tenantKey = key
        settings.durationNanos = try arguments.duration("--for") ?? settings.durationNanos
        settings.streamsMax = min(
            try arguments.number("--streams", in: 4...256) ?? settings.streamsMax,
            max(4, limits.values.sequences))
        settings.contextTokens = limits.contextTokens
        settings.ignoresEOS = !arguments.has("--no-ignore-eos")
        var random = SystemRandomNumberGenerator()
        settings.seed = random.next()
        let calibrator = Calibrator(settings, onProgress: Self.progress())
        Self.endOnSignal(signals, calibrator)
        let calibration = try calibrator.run()
        if isatty(STDERR_FILENO) == 1 { Console.write("\r\u{1B}[K", to: STDERR_FILENO) }
        return try CalibrationReport(
            calibration, name: arguments.text("--name") ?? model.name, day: Self.today, gpus: gpus,
            limits: limits.values, origins: limits.origins)
    }

    /// The model asked for, with what the engine tells of it. An engine that lists nothing is asked
    /// for the name that was given.
    private static func model(
        _ arguments: Arguments, of target: Target, tls: TLSContext?, key: String?
    ) throws -> ServedModel {
        guard let name = arguments.text("--model") else {
            let models = try Replayer.models(of: target, tls: tls, tenantKey: key)
            guard let first = models.first else {
                throw UsageError("\(arguments.text("--target") ?? "") lists no model: add --model")
            }
            return first
        }
        let models = (try? Replayer.models(of: target, tls: tls, tenantKey: key)) ?? []
        return models.first { $0.name == name } ?? ServedModel(name: name)
    }

    // MARK: Around the run

    /// A line that is written over on a terminal; in a log, a line for every ten seconds.
    private static func progress() -> @Sendable (CalibrationProgress) -> Void {
        let isTerminal = isatty(STDERR_FILENO) == 1
        let spoken = Lock(UInt64(0))
        return { progress in
            let seconds = progress.elapsedNanos / 1_000_000_000
            let line = "\(seconds) s, \(progress.requests) requests: \(progress.doing)"
            if isTerminal { return Console.write("\r\u{1B}[K" + line, to: STDERR_FILENO) }
            let isDue = spoken.withLock { next in
                guard seconds >= next else { return false }
                next = seconds + 10
                return true
            }
            if isDue { Console.note(line) }
        }
    }

    /// The first signal ends the run with what was measured, the second one the process.
    private static func endOnSignal(_ signals: SignalWait, _ calibrator: Calibrator) {
        _ = LoopThread {
            _ = signals.wait()
            calibrator.interrupt()
            _exit(128 + signals.wait())
        }
    }

    /// The day in UTC, as `2026-11-24`.
    private static var today: String {
        var now = time(nil)
        var parts = tm()
        gmtime_r(&now, &parts)
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(parts.tm_year + 1_900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
    }
}

extension CalibrateCommand {
    /// What the engine holds at most, and who says so.
    private struct Limits {
        private(set) var values: ProfileDocument.Limits
        private(set) var origins = CalibrationReport.Origins()
        /// `nil` while it is only assumed.
        private(set) var contextTokens: Int?

        init(_ arguments: Arguments) throws(UsageError) {
            let million = 1...1_000_000
            let sequences = try arguments.number("--max-num-seqs", in: million)
            let batched = try arguments.number("--max-num-batched-tokens", in: million)
            let context = try arguments.number("--max-model-len", in: 2...100_000_000)
            let blocks = try arguments.number("--kv-blocks", in: 1...10_000_000)
            if sequences != nil { self.origins.sequences = .given }
            if batched != nil { self.origins.batchedTokens = .given }
            if context != nil { self.origins.modelTokens = .given }
            if blocks != nil { self.origins.kvBlocks = .given }
            self.contextTokens = context
            self.values = ProfileDocument.Limits(
                kvBlocks: blocks ?? 65_536, sequences: sequences ?? 256,
                batchedTokens: batched ?? 2_048, modelTokens: context ?? 32_768)
        }

        /// Takes the context over that the engine lists, where nobody gave one.
        mutating func tell(context: Int) {
            guard self.contextTokens == nil else { return }
            self.contextTokens = context
            self.values.modelTokens = context
            self.origins.modelTokens = .told
        }
    }
}
