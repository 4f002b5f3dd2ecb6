import Testing

/// Fails the test once, with every finding on a line of its own.
func expectNone(
    _ findings: [String], _ rule: Comment, sourceLocation: SourceLocation = #_sourceLocation
) {
    if findings.isEmpty { return }
    Issue.record("\(rule)\n\(findings.joined(separator: "\n"))", sourceLocation: sourceLocation)
}

/// `path:line: text` for every line of `files` that `matches`.
func findings(
    in files: [TextFile], raw: Bool = false, where matches: (TextFile, String) -> Bool
) -> [String] {
    files.flatMap { file in
        (raw ? file.lines : file.code).enumerated().compactMap { number, line in
            matches(file, line)
                ? "\(file.path):\(number + 1): \(line.trimmingPrefix { $0 == " " })" : nil
        }
    }
}
