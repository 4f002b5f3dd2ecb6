import EngineModel
import EventLoop
import Foundation
import Replay
import SimulatedEngine
import Statistics
import Synchronization
import Testing

/// Calibrations from end to end: of an engine whose truth is known, and of engines that do not play
/// along.
struct CalibrationTests {
    /// A simulated engine on a port of its own.
    private final class TestEngine: Sendable {
        let address: SocketAddress

        init(_ settings: EngineSettings) {
            let box = Box()
            _ = Loop.spawn { loop in
                let engine = SimulatedEngine(loop, settings: settings)
                box.set(try? engine.listen(SocketAddress(host: "127.0.0.1", port: 0)))
                // It lives as long as the test process: the loop is never torn down.
                _ = Unmanaged.passRetained(engine)
            }
            self.address = box.wait()
        }
    }

    /// An address on its way from a loop's thread.
    private final class Box: Sendable {
        private let bound = Mutex<SocketAddress?>(nil)
        private let semaphore = DispatchSemaphore(value: 0)

        func set(_ address: SocketAddress?) {
            self.bound.withLock { $0 = address }
            self.semaphore.signal()
        }

        func wait() -> SocketAddress {
            self.semaphore.wait()
            return self.bound.withLock { $0 } ?? SocketAddress(host: "127.0.0.1", port: 1)
        }
    }

    private static let speed = 5.0
    private static let truth = EngineCost(
        step: StepCost(
            base: 20_000_000, perPrefillToken: 300_000, perSequence: 2_000_000, perKVToken: 4_000),
        // Large beside the time of a request on its way to the engine, which is taken for a part
        // of it.
        prefillOnlyBase: 300_000_000)

    private static func engine(context: Int = 600) -> TestEngine {
        var configuration = EngineConfiguration(cost: truth, kvBlocks: 10_000)
        configuration.modelLengthMax = context
        configuration.batchedTokensMax = 1_024
        var settings = EngineSettings(modelNames: ["truth"], engine: configuration)
        settings.speed = speed
        return TestEngine(settings)
    }

    private static func settings(_ address: SocketAddress) throws -> CalibrationSettings {
        let target = Target(address)
        let model = try #require(try Replayer.models(of: target).first)
        var settings = CalibrationSettings(target: target, model: model.name)
        settings.contextTokens = model.contextTokens
        settings.streamsMax = 8
        settings.durationNanos = 8_000_000_000
        return settings
    }

    private func message(_ settings: CalibrationSettings) -> String {
        do {
            _ = try Calibrator(settings).run()
            return ""
        } catch {
            return error.message
        }
    }

    /// A calibration whose held-out error says that it may be believed. Other tests may take the
    /// processor from engine and client: then it is made again, and the best of five counts.
    private static func believable(_ settings: CalibrationSettings) throws -> CalibrationReport {
        var best: CalibrationReport?
        for _ in 0..<5 {
            let report = try CalibrationReport(
                try Calibrator(settings).run(), name: "truth", day: "2026-01-01", gpus: 1,
                limits: ProfileDocument.Limits(
                    kvBlocks: 10_000, sequences: 256, batchedTokens: 1_024, modelTokens: 600),
                origins: CalibrationReport.Origins())
            if report.fit.decodeError.p90 < best?.fit.decodeError.p90 ?? .infinity { best = report }
            if report.fit.decodeError.p90 < 0.03, report.fit.prefillError.p90 < 0.05 { break }
        }
        return try #require(best)
    }

    @Test("A known engine's coefficients are found", .timeLimit(.minutes(2)))
    func known() throws {
        let engine = Self.engine()
        var settings = try Self.settings(engine.address)
        #expect(settings.contextTokens == 600)
        settings.durationNanos = 12_000_000_000
        let report = try Self.believable(settings)
        let calibration = report.calibration
        let fitted = report.fit.cost
        // What a busy machine's client adds to a request, in the engine's time.
        let client = 1_000_000 * Self.speed
        // What a fit misses of its own points, a busy machine hid from it.
        let hidden = 2 * report.fit.decodeError.p90
        for (name, value, truth, most) in [
            ("base", fitted.step.base, Self.truth.step.base, 0.1),
            ("prefill token", fitted.step.perPrefillToken, Self.truth.step.perPrefillToken, 0.2),
            ("sequence", fitted.step.perSequence, Self.truth.step.perSequence, 0.1),
            ("KV token", fitted.step.perKVToken, Self.truth.step.perKVToken, 0.2),
            ("prefill base", fitted.prefillOnlyBase, Self.truth.prefillOnlyBase + client, 0.1),
        ] {
            let error = value * Self.speed / truth - 1
            #expect(abs(error) < most + hidden, "\(name): \(error)\n\(report.table())")
        }
        #expect(calibration.leftOut.isEmpty)
        #expect(calibration.elapsedNanos < 13_000_000_000)
        #expect(calibration.promptScale == PromptScale(bytesPerToken: 4, fixedTokens: 0))
        let table = report.table()
        #expect(table.contains("held-out error: TTFT median"))
        #expect(table.contains("256 sequences (assumed)"))
        #expect(table.split(separator: "\n").allSatisfy { $0.count <= 100 })
        let json = try JSONSerialization.jsonObject(with: JSONEncoder().encode(report))
        let profile = (json as? [String: Any])?["profile"] as? [String: Any]
        #expect(profile?["schema"] as? String == ProfileDocument.schema)
    }

    @Test("An engine with too little context is told so")
    func littleContext() throws {
        let engine = Self.engine(context: 200)
        let words = message(try Self.settings(engine.address))
        #expect(words.contains("context of 200 tokens is too little"), "\(words)")
    }

    @Test("An engine that refuses the first request is named with what it says")
    func refusal() throws {
        let server = ScriptedServer { _, _ in
            .plain(status: 401, body: Chat.error(code: "bad_key"))
        }
        let settings = CalibrationSettings(target: Target(server.address), model: "m")
        let words = message(settings)
        #expect(words.contains("the first request"), "\(words)")
        #expect(words.contains("ended as bad_key (HTTP 401)"), "\(words)")
        #expect(words.contains("\(server.address)"), "\(words)")
    }

    @Test("An engine that nobody runs is named")
    func nobody() throws {
        let target = try Target(parsing: "http://127.0.0.1:1")
        let words = message(CalibrationSettings(target: target, model: "m"))
        #expect(words.contains("127.0.0.1:1: the first request"), "\(words)")
        #expect(words.contains("connect_refused"), "\(words)")
    }

    @Test("An engine that counts no tokens, or always the same, cannot be fitted")
    func noUsage() throws {
        let silent = ScriptedServer { _, _ in .events(Chat.answer(tokens: 2)) }
        let words = message(CalibrationSettings(target: Target(silent.address), model: "m"))
        #expect(words.contains("tell no usage"), "\(words)")
        let lying = ScriptedServer { _, _ in
            .events(Chat.answer(tokens: 2) + [Chat.usage(tokens: 2)])
        }
        let other = message(CalibrationSettings(target: Target(lying.address), model: "m"))
        #expect(other.contains("cannot be believed"), "\(other)")
    }

    @Test("An engine that breaks after its first answers is given up, not hammered")
    func breaking() throws {
        let server = ScriptedServer { request, _ in
            request.maxTokens == 2
                ? .events(
                    Chat.answer(tokens: 2) + [Self.usage(prompt: request.prompt.utf8.count / 4)])
                : .plain(status: 500, body: Chat.error(code: "broken"))
        }
        let words = message(CalibrationSettings(target: Target(server.address), model: "m"))
        #expect(words.contains("4 groups failed one after another"), "\(words)")
        #expect(words.contains("broken (HTTP 500)"), "\(words)")
        #expect(server.requests.count < 60)
    }

    private static func usage(prompt: Int) -> String {
        #"{"choices":[],"usage":{"prompt_tokens":\#(prompt),"completion_tokens":2}}"#
    }

    @Test("An interrupted calibration gives back what it has, and that is no profile yet")
    func interrupted() throws {
        let engine = Self.engine()
        let calibrator = Calibrator(try Self.settings(engine.address))
        calibrator.interrupt()
        let calibration = try calibrator.run()
        #expect(calibration.isInterrupted)
        #expect(throws: ReplayFault.self) {
            try CalibrationReport(
                calibration, name: "m", day: "", gpus: 1,
                limits: ProfileDocument.Limits(
                    kvBlocks: 1, sequences: 1, batchedTokens: 1, modelTokens: 2),
                origins: CalibrationReport.Origins())
        }
    }

    @Test("The time that is given is kept, and too little of it is said")
    func bounded() throws {
        let engine = Self.engine()
        var settings = try Self.settings(engine.address)
        settings.durationNanos = 1_500_000_000
        let calibration = try Calibrator(settings).run()
        #expect(calibration.elapsedNanos < 3_000_000_000)
        do {
            _ = try CalibrationReport(
                calibration, name: "m", day: "", gpus: 1,
                limits: ProfileDocument.Limits(
                    kvBlocks: 1, sequences: 1, batchedTokens: 1, modelTokens: 2),
                origins: CalibrationReport.Origins())
            Issue.record("a second and a half gave a profile")
        } catch {
            #expect(error.message.contains("give it more time with --for"))
        }
    }

    @Test("Every prompt of a calibration begins with words of its own")
    func uniquePrompts() throws {
        let server = ScriptedServer { request, _ in
            .events(
                Chat.answer(tokens: request.maxTokens)
                    + [Self.usage(prompt: request.prompt.utf8.count / 4)])
        }
        var settings = CalibrationSettings(target: Target(server.address), model: "m")
        settings.durationNanos = 1_000_000_000
        _ = try? Calibrator(settings).run()
        let leads = server.requests.map { $0.prompt.prefix(16) }
        #expect(leads.count > 10)
        #expect(Set(leads).count == leads.count)
    }
}
