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
                let settings = try Self.settings(arguments, of: gate)
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

    /// How one of the field's gates is set: as published, in every way of its sweep, or by name.
    private static func settings(
        _ arguments: Arguments, of gate: BaselineGate
    ) throws(UsageError) -> [BaselineSetting] {
        let all = gate.settings()
        guard let name = arguments.text("--setting") else {
            return arguments.has("--sweep") ? all : [.published]
        }
        let found = all.filter { $0.label == name }
        guard found.isEmpty else { return found }
        let names = all.map { "'\($0.label)'" }.joined(separator: ", ")
        throw UsageError("--setting '\(name)' is none of \(gate.rawValue)'s: \(names)")
    }

    /// nil: each policy's own.
    private static func choices(_ arguments: Arguments) throws(UsageError) -> [BaselineChoice]? {
        guard let text = arguments.text("--choice") else { return nil }
        var choices: [BaselineChoice] = []
        for word in Self.words(text) {
            guard let choice = BaselineChoice(rawValue: word) else {
                let names = BaselineChoice.allCases.map(\.rawValue).joined(separator: ", ")
                throw UsageError("--choice '\(word)' is none of \(names)")
            }
            choices.append(choice)
        }
        return choices
    }

    private static func words(_ text: String) -> [String] {
        text.split(separator: ",").map(String.init)
    }
}
