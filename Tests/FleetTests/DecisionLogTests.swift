import Fleet
import Foundation
import Scaling
import Testing
import Time

private let second: UInt64 = 1_000_000_000

/// Decisions in files: kept, read, made again; and files that somebody else made.
@Suite struct DecisionLogTests {
    private let folder = FileManager.default.temporaryDirectory
        .appendingPathComponent("plimsoll-decisions-\(UUID().uuidString)")

    init() throws {
        try FileManager.default.createDirectory(at: self.folder, withIntermediateDirectories: true)
    }

    private func file(_ name: String) -> String { self.folder.appendingPathComponent(name).path }

    private static let plan = ScalingPlan(
        replicasMax: 16, waitNanos: second / 2, leadNanos: 60 * second, workPerReplica: 0.7)

    /// Twenty minutes of decisions: a load that comes, goes and comes again.
    private func keep(_ path: String, decisions: UInt64 = 240) throws {
        let header = DecisionHeader(
            model: "m", plan: Self.plan, replicas: 1, clockNanos: 0, unixNanos: 1)
        let log = try DecisionLog(path: path, header: header)
        var scaler = Scaler(plan: Self.plan, replicas: 1)
        var ready = 1
        for index in 1...decisions {
            let level = index % 100 < 30 ? 3.3 : 0.7
            var input = ScalingInput(
                at: Instant(nanos: index * 5 * second),
                work: (0..<25).map { level * 0.2e9 * (1 + Double($0 % 3) / 10) }, ready: ready)
            if index == 20 { input.starts = [55 * second] }
            let decision = scaler.decide(input)
            try log.add(DecisionRecord(input: input, decision: decision))
            ready = decision.target
        }
    }

    private func replay(_ path: String) throws -> DecisionReplay {
        var replay = DecisionReplay()
        var reader = try DecisionReader(path: path)
        while let line = try reader.next() {
            switch line {
            case .header(let header): replay.begin(header)
            case .record(let record, let text): replay.add(record, text: text)
            }
        }
        return replay
    }

    @Test func `every decision that was kept comes out the same to the last byte`() throws {
        let path = self.file("kept.jsonl")
        try self.keep(path)
        // A scaler that begins again in the same file begins anew when it is replayed.
        try self.keep(path, decisions: 100)
        let replay = try self.replay(path)
        #expect(replay.decisions == 340)
        #expect(replay.differing == 0)
        #expect(replay.unexplained == 0)
    }

    @Test func `a decision that was changed is found`() throws {
        let path = self.file("changed.jsonl")
        try self.keep(path)
        var lines = try String(contentsOfFile: path, encoding: .utf8)
            .split(separator: "\n").map(String.init)
        let place = 150
        let digits = try #require(lines[place].firstMatch(of: /"target":(\d+)/)?.output.1)
        let target = try #require(Int(digits))
        lines[place] = lines[place].replacing(
            "\"target\":\(target)", with: "\"target\":\(target + 1)")
        try (lines.joined(separator: "\n") + "\n").write(
            toFile: path, atomically: true, encoding: .utf8)
        let replay = try self.replay(path)
        #expect(replay.differing == 1)
        #expect(replay.unexplained == 1)
        #expect(replay.firstDifference?.kept.target == target + 1)
        #expect(replay.firstDifference?.now.target == target)
    }

    @Test func `a line that was cut off is passed over, also where a scaler began again`() throws {
        let path = self.file("cut.jsonl")
        try self.keep(path, decisions: 10)
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        try whole.dropLast(20).write(to: URL(fileURLWithPath: path))
        #expect(try self.replay(path).decisions == 9)
        try self.keep(path, decisions: 5)
        let replay = try self.replay(path)
        #expect(replay.decisions == 14)
        #expect(replay.differing == 0)
        var reader = try DecisionReader(path: path)
        while try reader.next() != nil {}
        #expect(reader.torn == 1)
    }

    @Test func `a line that cannot be read among others says which`() throws {
        let path = self.file("torn.jsonl")
        try self.keep(path, decisions: 10)
        var lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        lines[5] = lines[5].dropLast(30)
        try lines.joined(separator: "\n").write(toFile: path, atomically: true, encoding: .utf8)
        let fault = #expect(throws: DecisionLogFault.self) { try self.replay(path) }
        #expect(fault?.description.hasPrefix("\(path):6: no decision") == true, "\(fault as Any)")
    }

    @Test(arguments: [
        "", "\n", "{}", "[]", "nonsense", "{\"schema\":\"plimsoll.decisions/v9\"}",
        "{\"decision\":1}", "{\"decision\":{},\"input\":{}}", "\u{0}\u{0}\u{0}", "\u{FEFF}{}",
        String(repeating: "[", count: 100_000), String(repeating: "x", count: 5 << 20),
    ])
    func `a line of something else is refused with its number`(_ line: String) throws {
        let path = self.file("other.jsonl")
        try (line + "\n").write(toFile: path, atomically: true, encoding: .utf8)
        let fault = #expect(throws: DecisionLogFault.self) { try self.replay(path) }
        if !line.isEmpty {
            #expect(fault?.description.hasPrefix("\(path):1: ") == true, "\(fault as Any)")
        }
    }

    @Test(arguments: [
        ("\"ready\":1", "\"ready\":9223372036854775807"), ("\"ready\":1", "\"ready\":-1"),
        ("\"work_ns\":[", "\"work_ns\":[1e300,"), ("\"work_ns\":[", "\"work_ns\":[-1,"),
        ("\"replicas_max\":16", "\"replicas_max\":0"), ("\"replicas\":1", "\"replicas\":99999"),
        ("\"input\":{\"at_ns\":1", "\"input\":{\"at_ns\":1000000000"),
        ("\"attainment\":0.99", "\"attainment\":2"),
        ("\"replicas_max\":16", "\"replicas_max\":99999999999"),
        ("\"work_per_replica\":0.7}", "\"work_per_replica\":0}"),
    ])
    func `figures that no fleet can have are refused`(_ from: String, _ to: String) throws {
        let path = self.file("figures.jsonl")
        try self.keep(path, decisions: 3)
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let changed = text.replacing(from, with: to)
        try #require(changed != text)
        try changed.write(toFile: path, atomically: true, encoding: .utf8)
        #expect(throws: DecisionLogFault.self) { try self.replay(path) }
    }

    @Test func `time that runs back or far ahead ends nothing`() throws {
        let path = self.file("time.jsonl")
        try self.keep(path, decisions: 8)
        var lines = try String(contentsOfFile: path, encoding: .utf8)
            .split(separator: "\n").map(String.init)
        lines[3] = lines[3].replacing(
            "\"input\":{\"at_ns\":15000000000", with: "\"input\":{\"at_ns\":0")
        lines[5] = lines[5].replacing(
            "\"input\":{\"at_ns\":25000000000", with: "\"input\":{\"at_ns\":4611686018427387903")
        try lines.joined(separator: "\n").write(toFile: path, atomically: true, encoding: .utf8)
        #expect(try self.replay(path).decisions == 8)
    }

    @Test func `a file that is not there, or may not be written, is named`() {
        let missing = #expect(throws: DecisionLogFault.self) {
            _ = try self.replay("/nowhere/decisions.jsonl")
        }
        #expect(missing?.description.contains("/nowhere/decisions.jsonl") == true)
        #expect(throws: DecisionLogFault.self) { try self.keep("/nowhere/decisions.jsonl") }
    }
}
