import Budget
import Config

/// The configuration of a text; a note of its faults fails the test that wanted it.
func accepted(_ text: String) throws(Refused) -> Configuration {
    switch Configuration.parse(bytes: Array(text.utf8), fileName: "budget.yaml") {
    case .accepted(let configuration, _): return configuration
    case .refused(let faults): throw Refused(lines: faults.map(\.text))
    }
}

/// The faults of a text, as `line:column: message; did you mean "..."?`.
func faults(_ bytes: [UInt8]) -> [String] {
    switch Configuration.parse(bytes: bytes, fileName: "f") {
    case .accepted: []
    case .refused(let faults): faults.map { String($0.text.dropFirst(2)) }
    }
}

/// The faults of a text.
func faults(_ text: String) -> [String] {
    faults(Array(text.utf8))
}

/// What a test that expected a sound configuration shows.
struct Refused: Error {
    var lines: [String]
}
