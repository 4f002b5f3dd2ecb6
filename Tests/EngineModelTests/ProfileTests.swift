import EngineModel
import Foundation
import Statistics
import Testing

/// The measured tables, when they are beside the project.
private let tables = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "../shared/data/profiles").standardizedFileURL

@Suite("Engine profiles")
struct ProfileTests {
    /// A row of a table, times in milliseconds; the decode time is for one token.
    private struct Row {
        var prompt: Int
        var batch: Int
        var tokens: Int
        var prefill: Double
        var decode: Double
    }

    private static let tablesExist = FileManager.default.fileExists(atPath: tables.path)

    @Test("every profile is found by its name")
    func names() {
        for profile in EngineProfile.all {
            #expect(EngineProfile.named(profile.name)?.name == profile.name)
        }
        #expect(EngineProfile.named("llama") == nil)
    }

    @Test("an unloaded prompt takes exactly the fitted time in the model")
    func unloaded() throws {
        let profile = try #require(EngineProfile.named("llama2-70b-h100-tp8"))
        var harness = EngineHarness(profile.configuration)
        harness.submit(1, prompt: 1_000, output: 2)
        harness.runUntilIdle()
        let times = try #require(harness.tokenTimes[1])
        #expect(abs(Double(times[0]) - (10.1 + 91.0) * 1e6) < 2)
        #expect(abs(Double(times[1] - times[0]) - 30.303e6) < 2)
    }

    @Test(
        "the 8B and 3B profiles reproduce the measured rows within their stated error",
        .enabled(if: tablesExist, "the measured tables are not beside the project"),
        arguments: [
            ("llama-3.1-8b-a100-tp2", "Llama-3.1-8B-tp-2.csv", 0.05, 0.15, 0.004, 0.013),
            ("llama-3.2-3b-a100-tp2", "Llama-3.2-3B-tp-2.csv", 0.06, 0.18, 0.012, 0.105),
        ])
    func small(
        name: String, file: String, prefillMean: Double, prefillWorst: Double, decodeMean: Double,
        decodeWorst: Double
    ) throws {
        let cost = try #require(EngineProfile.named(name)).configuration.cost
        let rows = try read(file) { _ in true }
            .map { row in
                var row = row
                row.prefill *= 1_000
                row.decode *= 1_000 / Double(row.tokens)
                return row
            }
        let prefill = rows.filter { $0.batch == 1 && $0.prompt >= 512 }
            .map { error(cost.prefill($0.prompt), $0.prefill) }
        let decode = rows.filter { $0.prompt + $0.tokens <= 8_192 }
            .map { error(cost.decode($0.batch, $0.prompt + $0.tokens / 2), $0.decode) }
        #expect(prefill.count == 65 && decode.count == 90)
        #expect(mean(prefill) < prefillMean && (prefill.max() ?? 1) < prefillWorst)
        #expect(mean(decode) < decodeMean && (decode.max() ?? 1) < decodeWorst)
    }

    @Test(
        "the 70B profile reproduces the measured rows within its stated error",
        .enabled(if: tablesExist, "the measured tables are not beside the project"))
    func large() throws {
        let cost = EngineProfile.llama2With70B.configuration.cost
        let rows = try read("perf_model.csv") {
            $0[0] == "llama2-70b" && $0[1] == "h100-80gb" && $0[10] == "8"
        }
        #expect(rows.count == 105)
        let prefill = rows.map { error(cost.prefill($0.prompt * $0.batch), $0.prefill) }
        let decode = rows.map { error(cost.decode($0.batch, $0.prompt), $0.decode) }
        #expect(prefill.sorted()[52] < 0.066 && mean(prefill) < 0.17)
        #expect(mean(decode) < 0.024 && (decode.max() ?? 1) < 0.09)
    }

    private func error(_ model: Double, _ measured: Double) -> Double {
        abs(model - measured) / measured
    }

    private func mean(_ errors: [Double]) -> Double {
        errors.reduce(0, +) / Double(errors.count)
    }

    private func read(_ file: String, where keep: ([Substring]) -> Bool) throws -> [Row] {
        let text = try String(contentsOf: tables.appending(path: file), encoding: .utf8)
        return try text.split(whereSeparator: \.isNewline).dropFirst()
            .map { $0.split(separator: ",") }.filter(keep)
            .map { fields in
                Row(
                    prompt: try #require(Int(fields[2])), batch: try #require(Int(fields[3])),
                    tokens: try #require(Int(fields[4])),
                    prefill: try #require(Double(fields[7])),
                    decode: try #require(Double(fields[8])))
            }
    }
}

extension EngineCost {
    /// Milliseconds of a step that computes one prompt.
    func prefill(_ tokens: Int) -> Double {
        nanos(of: StepWork(prefillTokens: tokens, sequences: 0, kvTokens: 0)) / 1e6
    }

    /// Milliseconds of a decode step of `batch` sequences that hold `held` tokens each.
    func decode(_ batch: Int, _ held: Int) -> Double {
        nanos(of: StepWork(prefillTokens: 0, sequences: batch, kvTokens: batch * held)) / 1e6
    }
}
