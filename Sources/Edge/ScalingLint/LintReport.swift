package import Config

/// One setting that cannot hold.
package struct Finding: Codable, Hashable, Sendable {
    /// The file as it was named.
    package var file: String
    /// From 1.
    package var line: Int
    /// From 1, in characters.
    package var column: Int
    /// A `RuleName`.
    package var rule: String
    /// Kind, namespace and name.
    package var object: String
    /// Why, with the figures of the file.
    package var reason: String
    /// The setting that ends it.
    package var fix: String

    /// `file:line:column: rule: object: reason; fix: setting`.
    package var text: String {
        "\(self.file):\(self.line):\(self.column): \(self.rule): \(self.object): \(self.reason); "
            + "fix: \(self.fix)"
    }
}

/// What `plimsoll lint-scaling` says, as lines or as JSON (`plimsoll.lint/v1`).
package struct LintReport: Encodable, Sendable {
    package let schema = "plimsoll.lint/v1"
    /// Objects read that have to do with scaling; 0 when there were faults.
    package let objects: Int
    /// Sorted by file, line and column; none when there were faults.
    package let findings: [Finding]
    /// Why the files could not be judged, in the same order.
    package let faults: [Fault]
    /// What was assumed.
    package let notes: [String]

    init(objects: Int, findings: [Finding], notes: [String]) {
        self.objects = objects
        self.findings = findings
        self.faults = []
        self.notes = notes
    }

    /// A report of input that could not be read: nothing was judged.
    package init(faults: [Fault]) {
        self.objects = 0
        self.findings = []
        self.faults = faults
        self.notes = []
    }

    /// 0 without findings, 1 with some, 2 when the files could not be read.
    package var exitCode: Int32 {
        if !self.faults.isEmpty { return 2 }
        return self.findings.isEmpty ? 0 : 1
    }

    /// A line a fault or finding, then the notes, then one that sums up.
    package var lines: [String] {
        guard self.faults.isEmpty else {
            return self.faults.map(\.text) + [counted(self.faults.count, "fault")]
        }
        let sum =
            self.findings.isEmpty
            ? "ok: \(counted(self.objects, "object")), no finding"
            : "\(counted(self.findings.count, "finding")) in "
                + counted(Set(self.findings.map(\.object)).count, "object")
        return self.findings.map(\.text) + self.notes.map { "note: \($0)" } + [sum]
    }
}
