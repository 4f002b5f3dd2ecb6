/// One thing wrong with a budget file: where, what, and the spelling that was probably meant.
package struct Fault: Codable, Hashable, Sendable {
    /// The file as it was named to the loader.
    package var file: String
    /// From 1.
    package var line: Int
    /// From 1, in characters.
    package var column: Int
    /// What is wrong, and what to do where that is not a spelling. One line, no secret values.
    package var message: String
    /// The nearest valid spelling, ready to be pasted; `nil` when nothing is near.
    package var suggestion: String?

    package init(
        file: String, line: Int, column: Int, message: String, suggestion: String? = nil
    ) {
        self.file = file
        self.line = line
        self.column = column
        self.message = message
        self.suggestion = suggestion
    }

    /// `file:line:column: message; did you mean "spelling"?`
    package var text: String {
        let place = "\(self.file):\(self.line):\(self.column): \(self.message)"
        return self.suggestion.map { "\(place); did you mean \"\($0)\"?" } ?? place
    }
}
