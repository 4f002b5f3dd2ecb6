import EngineModel
import EventLoop
import Glibc
import SimulatedEngine

/// `plimsoll engine`: a simulated OpenAI-compatible engine with continuous batching.
enum EngineCommand: Command {
    static let synopsis = Synopsis(
        name: "engine", summary: "a simulated OpenAI-compatible engine, for tests and shows",
        usage: "[--listen ADDR:PORT] [options]",
        options: [
            .init(name: "--listen", value: "ADDR:PORT", help: "clients (127.0.0.1:8000)"),
            .init(
                name: "--model", value: "NAME",
                help: "a name it answers to (simulated); may repeat",
                repeats: true),
            .init(
                name: "--profile", value: "NAME|FILE",
                help: "measured engine: " + ProfileOption.help
            ),
            .init(name: "--speed", value: "X", help: "model seconds per second (1)"),
            .init(name: "--max-num-seqs", value: "N", help: "sequences in a batch (the profile's)"),
            .init(
                name: "--max-num-batched-tokens", value: "N",
                help: "tokens in a step (the profile's)"),
            .init(name: "--max-num-queued-reqs", value: "N", help: "503 beyond (no bound)"),
            .init(name: "--max-model-len", value: "N", help: "context (the profile's)"),
            .init(name: "--kv-blocks", value: "N", help: "KV cache blocks of 16 tokens"),
            .init(name: "--startup", value: "TIME", help: "not ready for this long (0s)"),
            .init(
                name: "--fault", value: "FAULT",
                help: "stall:5s@30s, kill@10s, slow:10x, http500:5%, truncate, lie:10x; may repeat",
                repeats: true),
            .init(name: "--seed", value: "N", help: "of its random choices (1)"),
            .init(name: "--with-stdin", help: "end when standard input does"),
        ],
        example: "plimsoll engine --listen 127.0.0.1:8000 --profile llama-3.1-8b-a100-tp2",
        notes:
            "A prompt has a token for every \(EngineSettings.bytesPerToken) bytes; the answer has"
            + " as many tokens as the\nrequest allows. SIGTERM finishes what was accepted.")

    static func run(_ arguments: Arguments) throws -> Int32 {
        let settings = try Self.settings(arguments)
        let listen = try GatewayCommand.address(arguments, "--listen", "127.0.0.1:8000")
        _ = Machine.raiseFileLimit()
        let signals = SignalWait([SIGTERM, SIGINT])
        do {
            try Listener.probe(listen)
        } catch {
            throw UsageError("cannot listen on \(listen): \(error.message)")
        }
        let loop = Loop()
        let engine = SimulatedEngine(loop, settings: settings)
        let address: SocketAddress
        do {
            address = try engine.listen(listen)
        } catch {
            throw UsageError("cannot listen on \(listen): \(error.message)")
        }
        Console.note("plimsoll: engine on http://\(address)")
        let ender = EngineEnd(engine, loop)
        if arguments.has("--with-stdin") { Self.endWithStandardInput() }
        _ = LoopThread {
            _ = signals.wait()
            ender.drain()
            _ = signals.wait()
            _exit(130)
        }
        loop.run()
        return ExitCode.fine
    }

    /// Ends the process when whoever started it is gone.
    private static func endWithStandardInput() {
        _ = LoopThread {
            var byte: UInt8 = 0
            while read(STDIN_FILENO, &byte, 1) > 0 {}
            _exit(0)
        }
    }

    /// Ends the engine from the signal thread.
    // Safety: the engine and its loop are only touched by the closure, on the loop's thread.
    private struct EngineEnd: @unchecked Sendable {
        private let engine: SimulatedEngine
        private let loop: Loop
        private let mailbox: Mailbox

        init(_ engine: SimulatedEngine, _ loop: Loop) {
            self.engine = engine
            self.loop = loop
            self.mailbox = loop.mailbox
        }

        func drain() {
            self.mailbox.post { self.engine.drain { self.loop.stop() } }
        }
    }

    private static func settings(_ arguments: Arguments) throws -> EngineSettings {
        var engine = try ProfileOption.profile(named: arguments.text("--profile")).configuration
        let million = 1...1_000_000
        engine.batchedTokensMax =
            try arguments.number("--max-num-batched-tokens", in: million)
            ?? engine.batchedTokensMax
        engine.sequencesMax =
            try arguments.number("--max-num-seqs", in: million) ?? engine.sequencesMax
        engine.kvBlocks = try arguments.number("--kv-blocks", in: million) ?? engine.kvBlocks
        engine.modelLengthMax =
            try arguments.number("--max-model-len", in: million) ?? engine.modelLengthMax
        engine.waitingMax = try arguments.number("--max-num-queued-reqs", in: 0...1_000_000)
        var models = arguments.all("--model")
        if models.isEmpty { models = ["simulated"] }
        var settings = EngineSettings(modelNames: models, engine: engine)
        settings.speed = try arguments.decimal("--speed") ?? 1
        settings.startupNanos = try arguments.duration("--startup") ?? 0
        settings.seed = UInt64(try arguments.number("--seed", in: 0...Int.max) ?? 1)
        for text in arguments.all("--fault") {
            do throws(EngineFaultSyntax) {
                settings.faults.append(try EngineFault(parsing: text))
            } catch {
                throw UsageError("--fault: \(error.message)")
            }
        }
        return settings
    }
}
