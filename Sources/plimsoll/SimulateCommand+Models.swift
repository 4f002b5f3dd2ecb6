import Budget
import EngineModel
import RequestPath
import World

/// What is said for each model on the command line: `4`, or `chat=4,small=2`.
extension SimulateCommand {
    /// Engines of each model, in the order written.
    static func replicas(
        _ arguments: Arguments, _ configuration: Configuration
    ) throws(UsageError) -> [Int] {
        var counts: [Int] = []
        for text in try Self.perModel("--replicas", arguments, configuration) {
            guard let text else {
                counts.append(1)
                continue
            }
            guard let count = Int(text), (0...10_000).contains(count) else {
                throw UsageError("--replicas '\(text)' is no whole number from 0 to 10000")
            }
            counts.append(count)
        }
        return counts
    }

    /// The profile of each model's engines, in the order written.
    static func profiles(
        _ arguments: Arguments, _ configuration: Configuration
    ) throws(UsageError) -> [EngineProfile] {
        var profiles: [EngineProfile] = []
        for text in try Self.perModel("--profile", arguments, configuration) {
            profiles.append(try ProfileOption.profile(named: text))
        }
        return profiles
    }

    /// The text of an option for each model; nil where it says nothing of one. A word without a
    /// model is for those that are not named.
    private static func perModel(
        _ option: String, _ arguments: Arguments, _ configuration: Configuration
    ) throws(UsageError) -> [String?] {
        var texts = [String?](repeating: nil, count: configuration.models.count)
        var rest: String?
        for word in (arguments.text(option) ?? "").split(separator: ",") {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else {
                guard rest == nil else {
                    throw UsageError("\(option): '\(word)' names no model; write MODEL=...")
                }
                rest = String(word)
                continue
            }
            guard let index = configuration.modelIndex(named: String(parts[0])) else {
                let names = configuration.models.map(\.name).joined(separator: ", ")
                throw UsageError(
                    "\(option): the budget has no model '\(parts[0])'; it has \(names)")
            }
            guard texts[index] == nil else {
                throw UsageError("\(option): \(parts[0]) stands twice")
            }
            texts[index] = String(parts[1])
        }
        return texts.map { $0 ?? rest }
    }
}
