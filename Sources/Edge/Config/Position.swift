/// A place in the files being read. Lines and columns count from 1, columns in characters.
struct Position: Hashable, Comparable {
    /// Index of the file in the order of reading.
    var file: Int
    var line: Int
    var column: Int

    static func < (left: Position, right: Position) -> Bool {
        (left.file, left.line, left.column) < (right.file, right.line, right.column)
    }
}
