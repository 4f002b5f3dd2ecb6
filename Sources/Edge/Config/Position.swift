/// A place in the files being read. Lines and columns count from 1, columns in characters.
package struct Position: Hashable, Comparable, Sendable {
    /// Index of the file in the order of reading.
    package var file: Int
    package var line: Int
    package var column: Int

    package static func < (left: Position, right: Position) -> Bool {
        (left.file, left.line, left.column) < (right.file, right.line, right.column)
    }
}
