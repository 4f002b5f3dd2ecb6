import EngineModel
import Foundation
import Replay
import Statistics
import Testing

/// Profiles in files: what is written is read again, and everything else is refused with reasons.
struct ProfileFileTests {
    private static let document = ProfileDocument(
        name: "tiny", source: "a test", gpus: 2,
        step: ProfileDocument.Step(
            EngineCost(
                step: StepCost(
                    base: 8_250_000, perPrefillToken: 56_900, perSequence: 202_000,
                    perKVToken: 75.8),
                prefillOnlyBase: 1_234_567)),
        limits: ProfileDocument.Limits(
            kvBlocks: 61_000, sequences: 256, batchedTokens: 2_048, modelTokens: 32_768),
        errors: ProfileDocument.Errors(
            timeToFirstToken: HeldOutError(points: 2, median: 0.021, p90: 0.04),
            step: HeldOutError(points: 5, median: 0.01, p90: 0.0333)))

    /// The document with one text in place of another.
    private static func changed(_ old: String, _ new: String) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let text = String(decoding: try encoder.encode(document), as: UTF8.self)
        #expect(text.contains(old), "\(old)")
        return Array(text.replacing(old, with: new).utf8)
    }

    private func problems(_ bytes: [UInt8]) -> String {
        do {
            _ = try ProfileFile.document(bytes, named: "p.json")
            return ""
        } catch {
            return error.message
        }
    }

    @Test("A document that is written is read again as it was, and makes its engine")
    func roundTrip() throws {
        let folder = try TemporaryFile("")
        let path = folder.path + ".json"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try ProfileFile.write(Self.document, to: path)
        let bytes = Array(try Data(contentsOf: URL(filePath: path)))
        #expect(try ProfileFile.document(bytes, named: path) == Self.document)
        let profile = try ProfileFile.read(path)
        #expect(profile.name == "tiny" && profile.gpus == 2)
        #expect(profile.configuration.cost.step.base == 8_250_000)
        #expect(abs(profile.configuration.cost.prefillOnlyBase - 1_235_000) < 1)
        #expect(abs(profile.configuration.cost.step.perKVToken - 75.8) < 1e-9)
        #expect(profile.configuration.kvBlocks == 61_000)
        #expect(profile.configuration.batchedTokensMax == 2_048)
    }

    @Test("Without its errors, or with null for them, a document is whole")
    func noErrors() throws {
        var document = Self.document
        document.errors = nil
        let text = String(decoding: try JSONEncoder().encode(document), as: UTF8.self)
        #expect(try ProfileFile.document(Array(text.utf8), named: "p") == document)
        let null = text.replacing("{\"", with: "{\"held_out_error\":null,\"", maxReplacements: 1)
        #expect(try ProfileFile.document(Array(null.utf8), named: "p") == document)
    }

    @Test("Names and texts from outside are brought inside the bounds of a file")
    func plainNames() throws {
        let document = ProfileDocument(
            name: "org/model é" + String(repeating: "x", count: 99),
            source: "line\nand \u{1B}[31m" + String(repeating: "y", count: 999), gpus: 0,
            step: Self.document.step,
            limits: ProfileDocument.Limits(
                kvBlocks: -1, sequences: .max, batchedTokens: 0, modelTokens: 0))
        let bytes = Array(try JSONEncoder().encode(document))
        #expect(try ProfileFile.document(bytes, named: "p") == document)
        #expect(document.name.hasPrefix("org-model--xx"))
    }

    @Test(
        "A number outside its bounds, of another type, missing or unknown is named with its path",
        arguments: [
            ("\"gpus\":2", "\"gpus\":0", "gpus is no whole number from 1 to 1024"),
            ("\"gpus\":2", "\"gpus\":2.5", "gpus is no whole number from 1 to 1024"),
            ("\"gpus\":2", "\"gpus\":\"2\"", "gpus is no whole number from 1 to 1024"),
            ("\"gpus\":2", "\"gpus\":null", "gpus is no whole number from 1 to 1024"),
            ("\"base_ms\":8.25", "\"base_ms\":-1", "step.base_ms is no number from 0 to 60000"),
            ("\"base_ms\":8.25", "\"base_ms\":1e400", "step.base_ms is no number from 0 to 60000"),
            ("\"base_ms\":8.25", "\"base_ms\":[8]", "step.base_ms is no number from 0 to 60000"),
            ("\"base_ms\":8.25", "\"base\":8.25", "step.base_ms is missing"),
            ("\"base_ms\":8.25", "\"base_ms\":1,\"speed\":2", "step.speed is no field"),
            ("\"kv_blocks\":61000", "\"kv_blocks\":99999999999", "limits.kv_blocks is no whole"),
            (
                "\"kv_blocks\":61000", "\"kv_blocks\":99999999999999999999999",
                "limits.kv_blocks is no whole"
            ),
            ("\"max_model_len\":32768", "\"max_model_len\":1", "limits.max_model_len is no whole"),
            ("\"name\":\"tiny\"", "\"name\":\"\"", "name is no printable text"),
            ("\"name\":\"tiny\"", "\"name\":\"a b\"", "name holds other characters"),
            ("\"name\":\"tiny\"", "\"name\":\"\\u001b[31m\"", "name is no printable text"),
            ("\"points\":2", "\"points\":-2", "held_out_error.time_to_first_token.points"),
            ("\"step\":{\"base_ms\"", "\"stop\":{\"base_ms\"", "step is missing"),
            ("plimsoll.profile/v1", "plimsoll.profile/v2", "schema is \"plimsoll.profile/v2\""),
        ])
    func hostile(old: String, new: String, problem: String) throws {
        let message = problems(try Self.changed(old, new))
        #expect(message.contains("p.json: \(problem)"), "\(message)")
    }

    @Test("All problems of a file are told at once, a line each, and no more than twenty")
    func allProblems() throws {
        let text = try Self.changed("\"gpus\":2", "\"gpus\":0,\"a\":1,\"b\":2")
        #expect(problems(text).split(separator: "\n").count == 3)
        let many = (0..<1_000).map { "\"x\($0)\":1" }.joined(separator: ",")
        let flooded = try Self.changed("\"gpus\":2", "\"gpus\":2,\(many)")
        #expect(problems(flooded).split(separator: "\n").count == 20)
    }

    @Test("A step that takes no time is refused")
    func timeless() throws {
        let bytes = Array(
            String(decoding: try Self.changed("\"base_ms\":8.25", "\"base_ms\":0"), as: UTF8.self)
                .replacing("\"per_sequence_us\":202", with: "\"per_sequence_us\":0").utf8)
        #expect(problems(bytes).contains("step takes no time"))
    }

    @Test(
        "What is no document at all is refused",
        arguments: [
            "", "nonsense", "[]", "7", "null", "{}", "{\"schema\":", "\u{FEFF}", "\u{0}\u{0}",
            String(repeating: "[", count: 60_000),
            "{\"schema\":" + String(repeating: "[", count: 9_000),
        ])
    func noDocument(text: String) {
        #expect(problems(Array(text.utf8)).hasPrefix("p.json: "))
    }

    @Test("Every cut of a document, and every flipped byte, is refused or makes a bounded engine")
    func mutations() throws {
        let whole = Array(try JSONEncoder().encode(Self.document))
        for count in 0..<whole.count {
            #expect(!problems(Array(whole[..<count])).isEmpty, "cut at \(count)")
        }
        var random = SeededRandom(seed: 7)
        for _ in 0..<3_000 {
            var bytes = whole
            for _ in 0...random.uniform(below: 3) {
                let place = Int(random.uniform(below: UInt64(bytes.count)))
                bytes[place] = UInt8(truncatingIfNeeded: random.next())
            }
            guard let document = try? ProfileFile.document(bytes, named: "p") else { continue }
            let engine = document.profile.configuration
            #expect((1...10_000_000).contains(engine.kvBlocks))
            #expect((0...6e10).contains(engine.cost.step.base))
        }
    }

    @Test("A file that is missing, a folder or too long is named")
    func files() throws {
        func message(_ path: String) -> String {
            do {
                _ = try ProfileFile.read(path)
                return ""
            } catch {
                return error.message
            }
        }
        #expect(
            message("/nowhere/p.json")
                == "/nowhere/p.json: cannot be opened: No such file or directory")
        #expect(message("/").contains("cannot be read: Is a directory"))
        let long = try TemporaryFile(String(repeating: " ", count: 70_000))
        #expect(message(long.path).contains("is longer than 64 KiB"))
    }

    @Test("A name with a slash or ending in .json is a file")
    func paths() {
        #expect(ProfileFile.isPath("a.json") && ProfileFile.isPath("./a"))
        #expect(!ProfileFile.isPath("llama-3.1-8b-a100-tp2"))
    }
}
