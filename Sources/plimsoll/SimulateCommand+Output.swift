import Console
import World

extension SimulateCommand {
    /// How a result is printed.
    enum Output: String, CaseIterable {
        case table, json, html
    }

    static func output(_ arguments: Arguments) throws(UsageError) -> Output {
        guard let text = arguments.text("--output") else { return .table }
        guard let output = Output(rawValue: text) else {
            let words = Output.allCases.map(\.rawValue).joined(separator: ", ")
            throw UsageError("--output '\(text)' is none of \(words)")
        }
        return output
    }

    /// One self-contained page with charts.
    static func page(_ result: SimulationResult) throws -> String {
        SimulationPage.html(json: try JSON.text(result))
    }
}
