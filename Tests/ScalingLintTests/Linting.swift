import Budget
import Config
import ScalingLint

/// What a test gives to the lint besides the file.
struct LintInput {
    var file: String
    var leadTime: LeadTime?
    var budget: String?
}

/// The report of a file named `f`, under a budget that must be sound.
func report(_ input: LintInput) throws(Refused) -> LintReport {
    var configuration: Configuration?
    if let budget = input.budget {
        switch Configuration.parse(bytes: Array(budget.utf8), fileName: "budget.yaml") {
        case .accepted(let accepted, _): configuration = accepted
        case .refused(let faults): throw Refused(lines: faults.map(\.text))
        }
    }
    return Lint.run(
        bytes: Array(input.file.utf8), fileName: "f", configuration: configuration,
        leadTime: input.leadTime)
}

/// The findings or faults of a file, as `line:column: ...`.
func lines(_ input: LintInput) throws(Refused) -> [String] {
    let report = try report(input)
    return (report.faults.map(\.text) + report.findings.map(\.text)).map { text in
        String(text.dropFirst(2))
    }
}

/// The findings or faults of a file under the usual lead times.
func lines(_ file: String) throws(Refused) -> [String] {
    try lines(LintInput(file: file))
}

/// The names of the rules that a file breaks, in the order of their places.
func rules(_ file: String) throws(Refused) -> [String] {
    try report(LintInput(file: file)).findings.map(\.rule)
}

/// What a test that expected a sound budget shows.
struct Refused: Error {
    var lines: [String]
}
