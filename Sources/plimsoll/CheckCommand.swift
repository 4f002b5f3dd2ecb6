import Budget
import Config
import FoundationEssentials

/// `plimsoll check`: validates budget files.
enum CheckCommand: Command {
    static let synopsis = Synopsis(
        name: "check", summary: "validate a budget file or folder",
        usage: "FILE|DIR... [--output json]", words: ["FILE|DIR..."],
        options: [.init(name: "--output", value: "text|json", help: "how the result is printed")],
        example: "plimsoll check examples/budget.yaml",
        notes: "Every fault is listed with file:line:column. Exit 0 when sound, 2 when not.")

    static func run(_ arguments: Arguments) throws -> Int32 {
        guard !arguments.words.isEmpty else {
            throw UsageError("name a file or a folder: plimsoll check FILE|DIR")
        }
        let report = CheckReport(Configuration.load(paths: arguments.words))
        if try arguments.wantsJSON() {
            Console.out(try JSON.text(report))
        } else {
            for line in report.lines { Console.out(line) }
        }
        return report.exitCode
    }
}

/// JSON of results, off the request path.
enum JSON {
    /// - Parameter snakeCase: names are written `gpu_hours` where the code has `gpuHours`.
    static func text(_ value: some Encodable, snakeCase: Bool = false) throws -> String {
        let encoder = JSONEncoder()
        if snakeCase { encoder.keyEncodingStrategy = .convertToSnakeCase }
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}
