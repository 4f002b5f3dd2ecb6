import Baselines
import World

extension SimulateCommand {
    /// The policies of the command line, each of the field's with every choice that was asked for,
    /// or else the one it is published with.
    static func policies(_ arguments: Arguments) throws(UsageError) -> [PolicyUnderTest] {
        let choices = try Self.choices(arguments)
        var policies: [PolicyUnderTest] = []
        for word in Self.words(arguments.text("--policy") ?? "plimsoll") {
            if word == "plimsoll" {
                policies.append(.plimsoll)
            } else if let gate = BaselineGate(rawValue: word) {
                let settings = arguments.has("--sweep") ? gate.settings() : [.published]
                for choice in choices ?? [gate.publishedChoice] {
                    policies += settings.map { .baseline(gate, choice, $0) }
                }
            } else {
                let names = BaselineGate.allCases.map(\.rawValue).joined(separator: ", ")
                throw UsageError("--policy '\(word)' is none of plimsoll, \(names)")
            }
        }
        guard !policies.isEmpty else { throw UsageError("--policy and --choice leave no policy") }
        return policies
    }

    /// nil: each policy's own.
    private static func choices(_ arguments: Arguments) throws(UsageError) -> [BaselineChoice]? {
        guard let text = arguments.text("--choice") else { return nil }
        var choices: [BaselineChoice] = []
        for word in Self.words(text) where word != "ledger" {
            guard let choice = BaselineChoice(rawValue: word) else {
                let names = BaselineChoice.allCases.map(\.rawValue).joined(separator: ", ")
                throw UsageError("--choice '\(word)' is none of ledger, \(names)")
            }
            choices.append(choice)
        }
        return choices
    }

    private static func words(_ text: String) -> [String] {
        text.split(separator: ",").map(String.init)
    }
}
