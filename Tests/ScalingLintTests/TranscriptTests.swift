import Foundation
import ScalingLint
import Testing

/// Objects and what the lint must say of them, as written in `Transcripts`.
///
/// A case is a line `== sentence`, maybe `$ lead-time 300s` or `$ lead-time 300s:600s` in seconds,
/// a file, maybe `==== budget` and a budget, a line `----`, and the findings as
/// `line:column: rule: object: reason; fix: setting`. With `REWRITE_TRANSCRIPTS=1` the expected
/// parts are written anew, to be reviewed as a diff.
@Suite struct TranscriptTests {
    struct Case {
        var title: String
        var options: [String] = []
        var input = LintInput(file: "")
        var expected: [String] = []

        /// The case as the file has it.
        func text(_ found: [String]) -> String {
            let options = self.options.map { $0 + "\n" }.joined()
            let budget = self.input.budget.map { "==== budget\n\($0)" } ?? ""
            let lines = found.map { $0 + "\n" }.joined()
            return "== \(self.title)\n\(options)\(self.input.file)\(budget)----\n\(lines)\n"
        }
    }

    static let names = [
        "hpa.txt", "keda.txt", "knative.txt", "karpenter.txt", "workloads.txt", "budget.txt",
        "faults.txt",
    ]

    @Test("every finding is reported at its place, in its words", arguments: TranscriptTests.names)
    func transcript(name: String) throws {
        let url = Self.url(name)
        let cases = Self.cases(try String(contentsOf: url, encoding: .utf8))
        if ProcessInfo.processInfo.environment["REWRITE_TRANSCRIPTS"] == "1" {
            let text = try cases.map { $0.text(try lines($0.input)) }
            try text.joined().write(to: url, atomically: true, encoding: .utf8)
        }
        #expect(!cases.isEmpty)
        for one in Self.cases(try String(contentsOf: url, encoding: .utf8)) {
            #expect(try lines(one.input) == one.expected, "\(name): \(one.title)")
        }
    }

    @Test("every clean object of the transcripts' kinds is without a finding")
    func clean() throws {
        let cases = Self.cases(try String(contentsOf: Self.url("clean.txt"), encoding: .utf8))
        #expect(cases.count >= 8)
        for one in cases {
            #expect(try lines(one.input) == [], "\(one.title)")
        }
    }

    @Test("every rule has a case that breaks it")
    func coverage() throws {
        var seen: Set<String> = []
        for name in Self.names {
            let text = try String(contentsOf: Self.url(name), encoding: .utf8)
            for line in Self.cases(text).flatMap(\.expected) {
                let parts = line.split(separator: ": ", maxSplits: 2)
                if parts.count > 1 { seen.insert(String(parts[1])) }
            }
        }
        #expect(RuleName.allCases.map(\.rawValue).filter { !seen.contains($0) } == [])
    }

    private static func url(_ name: String) -> URL {
        URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Transcripts/\(name)")
    }

    private enum Part {
        case file
        case budget
        case expected
    }

    private static func cases(_ text: String) -> [Case] {
        var cases: [Case] = []
        var part = Part.file
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            let last = cases.indices.last
            if line == "==== budget", let last {
                part = .budget
                cases[last].input.budget = ""
            } else if line.hasPrefix("== ") {
                cases.append(Case(title: String(line.dropFirst(3))))
                part = .file
            } else if line == "----" {
                part = .expected
            } else if line.hasPrefix("$ lead-time "), let last, part == .file {
                cases[last].options.append(String(line))
                cases[last].input.leadTime = self.leadTime(line.dropFirst(12))
            } else if let last {
                switch part {
                case .file: cases[last].input.file += line + "\n"
                case .budget: cases[last].input.budget? += line + "\n"
                case .expected where !line.isEmpty: cases[last].expected.append(String(line))
                case .expected: break
                }
            }
        }
        return cases
    }

    /// `300s:600s`, or one of the two.
    private static func leadTime(_ text: Substring) -> LeadTime? {
        let seconds = text.split(separator: ":").compactMap { Int($0.dropLast()) }
        guard let typical = seconds.first, let slow = seconds.last else { return nil }
        return LeadTime(whole: LeadTime.Span(typical: typical, slow: slow))
    }
}
