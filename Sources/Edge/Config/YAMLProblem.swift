import CYAML

/// Why libyaml stopped, in words that name the fix.
struct YAMLProblem {
    private let problem: String
    private let context: String
    private let position: Position
    private let contextPosition: Position

    init(_ parser: yaml_parser_t, fileIndex: Int) {
        self.problem = parser.problem.map { String(cString: $0) } ?? "cannot be read"
        self.context = parser.context.map { String(cString: $0) } ?? ""
        self.position = Position(parser.problem_mark, fileIndex: fileIndex)
        self.contextPosition = Position(parser.context_mark, fileIndex: fileIndex)
    }

    /// Reports it; where a tab is the cause, every tab that indents is reported.
    func report(_ source: SourceText, to faults: FaultList) {
        let tabs = source.indentationTabs()
        if tabs.contains(where: { $0.line == self.position.line }) {
            for tab in tabs {
                faults.add(tab, "a tab cannot indent YAML: use spaces")
            }
            return
        }
        // libyaml ends a last line that has no line end, and names the line after it.
        faults.add(min(self.place, source.end), self.message)
    }

    /// An unclosed quote or bracket is best shown where it was opened.
    private var place: Position {
        self.isUnclosed ? self.contextPosition : self.position
    }

    private var isUnclosed: Bool {
        self.problem == "found unexpected end of stream" && !self.context.isEmpty
    }

    private var message: String {
        if self.isUnclosed {
            return "this quote is never closed"
        }
        switch self.problem {
        case "mapping values are not allowed in this context":
            return "\":\" is not allowed here: quote the value, or check the indentation"
        case "did not find expected key", "did not find expected '-' indicator",
            "did not find expected <document start>":
            return "the indentation does not fit the lines above"
        case "could not find expected ':'":
            return "a key needs \":\" and a space after it"
        case "did not find expected ',' or ']'":
            return "the list needs \",\" or \"]\" here (it opened at line \(self.contextLine))"
        case "did not find expected ',' or '}'":
            return "the map needs \",\" or \"}\" here (it opened at line \(self.contextLine))"
        case "did not find expected node content":
            return "a value or a closing bracket is missing here"
        case "found character that cannot start any token":
            return "a value cannot start with this character: quote it"
        default:
            return self.context.isEmpty
                ? "not valid YAML: \(self.problem)"
                : "not valid YAML: \(self.problem) \(self.context)"
        }
    }

    private var contextLine: Int {
        self.contextPosition.line
    }
}
