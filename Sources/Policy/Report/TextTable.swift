/// Rows of text set in columns. No line is longer than `widthMax`: the last column wraps under
/// itself.
package struct TextTable {
    /// Characters of a line at most.
    package static let widthMax = 100
    /// The widest a column but the last gets; longer text is cut, ending in `~`.
    private static let columnMax = 24
    private static let gap = 2

    private let rightAligned: Set<Int>
    private var rows: [[String]] = []

    /// An empty table; the columns named, from 0, are set flush right.
    package init(rightAligned: Set<Int>) {
        self.rightAligned = rightAligned
    }

    /// Adds a row under the others.
    package mutating func add(_ row: [String]) {
        rows.append(row.map { Self.printable($0) })
    }

    /// The rows as lines, each `indent` characters in.
    package func lines(indent: Int) -> [String] {
        let columns = rows.map(\.count).max() ?? 0
        guard columns > 0 else { return [] }
        var widths = [Int](repeating: 0, count: columns)
        for row in rows {
            for (column, text) in row.enumerated() {
                widths[column] = max(widths[column], min(text.count, Self.columnMax))
            }
        }
        let lead = indent + widths.dropLast().reduce(0) { $0 + $1 + Self.gap }
        return rows.flatMap { row in
            var start = String(repeating: " ", count: indent)
            for (column, text) in row.dropLast().enumerated() {
                start += pad(text, to: widths[column], column: column)
                start += String(repeating: " ", count: Self.gap)
            }
            var last = row.last ?? ""
            if rightAligned.contains(columns - 1) {
                last = pad(last, to: widths[columns - 1], column: columns - 1)
            }
            return Self.wrapped(last, first: start, indent: lead)
        }
    }

    /// `text` in lines of at most `widthMax`, each `indent` in.
    package static func wrapped(_ text: String, indent: Int) -> [String] {
        let text = printable(text)
        return wrapped(text, first: String(repeating: " ", count: indent), indent: indent)
    }

    private static func wrapped(_ text: String, first: String, indent: Int) -> [String] {
        var lines: [String] = []
        var line = first
        var isFresh = true
        for word in text.split(separator: " ", omittingEmptySubsequences: false) {
            let room = widthMax - line.count - (isFresh ? 0 : 1)
            if !isFresh, word.count > room {
                lines.append(line)
                line = String(repeating: " ", count: indent)
                isFresh = true
            }
            line += (isFresh ? "" : " ") + word.prefix(max(widthMax - line.count - 1, 1))
            isFresh = false
        }
        lines.append(line)
        return lines.map { line in
            String(line.reversed().drop { $0 == " " }.reversed())
        }
    }

    private func pad(_ text: String, to width: Int, column: Int) -> String {
        let cut = text.count > width ? text.prefix(width - 1) + "~" : Substring(text)
        let space = String(repeating: " ", count: width - cut.count)
        return rightAligned.contains(column) ? space + cut : cut + space
    }

    /// Names come from files and clients: what is not printable ASCII becomes `?`, so that nothing
    /// can steer a terminal.
    private static func printable(_ text: String) -> String {
        String(text.map { $0.isASCII && $0 >= " " && $0 != "\u{7f}" ? $0 : "?" })
    }
}
