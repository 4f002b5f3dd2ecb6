/// What is wrong with a trace, and where. Nothing after the fault is read.
package struct TraceFault: Error, Hashable, Sendable, CustomStringConvertible {
    /// The line, from 1; 0 when the fault is not about a line.
    package let line: Int
    /// What is wrong and what was expected, in one sentence without the place.
    package let message: String

    /// Creates a fault.
    package init(line: Int, message: String) {
        self.line = line
        self.message = message
    }

    /// `line 12: ...`, ready to stand behind the name of the file.
    package var description: String {
        line == 0 ? message : "line \(line): \(message)"
    }
}
