import Config
import Foundation
import Testing

/// Budget files and the faults they must give, as written in `Transcripts`.
///
/// A case is a line `== sentence`, a file, a line `----`, and the faults as
/// `line:column: message`. With `REWRITE_TRANSCRIPTS=1` the expected parts are written anew, to be
/// reviewed as a diff.
@Suite struct TranscriptTests {
    struct Case {
        var title: String
        var file: String
        var expected: [String]
    }

    @Test(
        "every fault is reported at its place, in its words",
        arguments: ["model.txt", "budget.txt", "references.txt", "yaml.txt"])
    func transcript(name: String) throws {
        let url = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "Transcripts/\(name)")
        let cases = Self.cases(try String(contentsOf: url, encoding: .utf8))
        if ProcessInfo.processInfo.environment["REWRITE_TRANSCRIPTS"] == "1" {
            let text = cases.map { one in
                let found = faults(one.file).map { $0 + "\n" }.joined()
                return "== \(one.title)\n\(one.file)----\n\(found)\n"
            }
            try text.joined().write(to: url, atomically: true, encoding: .utf8)
        }
        #expect(!cases.isEmpty)
        for one in Self.cases(try String(contentsOf: url, encoding: .utf8)) {
            #expect(faults(one.file) == one.expected, "\(name): \(one.title)")
        }
    }

    private static func cases(_ text: String) -> [Case] {
        var cases: [Case] = []
        var isFile = true
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("== ") {
                cases.append(Case(title: String(line.dropFirst(3)), file: "", expected: []))
                isFile = true
            } else if line == "----" {
                isFile = false
            } else if let last = cases.indices.last {
                if isFile {
                    cases[last].file += line + "\n"
                } else if !line.isEmpty {
                    cases[last].expected.append(String(line))
                }
            }
        }
        return cases
    }
}
