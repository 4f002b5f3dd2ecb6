extension FaultScript {
    /// The words of one line, each with its place.
    struct Words {
        struct Word {
            var text: String
            var column: Int
        }

        private let line: Int
        private let endColumn: Int
        private let words: [Word]
        private var position = 0

        init(_ text: Substring, line: Int) {
            self.line = line
            var words: [Word] = []
            var column = 0
            var isInside = false
            for character in text {
                column += 1
                if character == "#" { break }
                if character == " " || character == "\t" || character == "\u{FEFF}" {
                    isInside = false
                } else if isInside {
                    words[words.count - 1].text.append(character)
                } else {
                    words.append(Word(text: String(character), column: column))
                    isInside = true
                }
            }
            self.words = words
            endColumn = (words.last.map { $0.column + $0.text.count } ?? 0) + 1
        }

        var isEmpty: Bool { words.isEmpty }
        var isAtEnd: Bool { position == words.count }

        func isNext(_ text: String) -> Bool {
            position < words.count && words[position].text == text
        }

        func problem(_ word: Word, _ message: String) -> ScriptProblem {
            ScriptProblem(line: line, column: word.column, message: message)
        }

        mutating func next(_ expected: String) throws(ScriptProblem) -> Word {
            guard position < words.count else {
                throw ScriptProblem(
                    line: line, column: endColumn,
                    message: "the line ends here; expected \(expected)")
            }
            position += 1
            return words[position - 1]
        }

        mutating func take(_ text: String) throws(ScriptProblem) {
            let word = try next("'\(text)'")
            guard word.text == text else {
                throw problem(
                    word, "'\(word.text)' stands where '\(text)' was expected: \(grammar)")
            }
        }

        mutating func finish() throws(ScriptProblem) {
            guard position < words.count else { return }
            let word = words[position]
            throw problem(word, "'\(word.text)' is one word too many")
        }

        /// A duration of the budget file's form, in nanoseconds.
        mutating func duration() throws(ScriptProblem) -> UInt64 {
            let word = try next("a time such as 30s")
            let digits = word.text.prefix { $0.isASCII && $0.isNumber }
            let unit: UInt64? =
                switch word.text[digits.endIndex...] {
                case "ms": 1_000_000
                case "s": 1_000_000_000
                case "m": 60_000_000_000
                case "h": 3_600_000_000_000
                default: nil
                }
            guard let unit, let count = UInt64(digits),
                case (let nanos, false) = count.multipliedReportingOverflow(by: unit)
            else { throw problem(word, "'\(word.text)' is no time; write 500ms, 30s, 5m or 1h") }
            return nanos
        }

        /// An endpoint's number; nil for all.
        mutating func endpoint(below count: Int) throws(ScriptProblem) -> Int? {
            let word = try next("the number of an endpoint, or all")
            if word.text == "all" { return nil }
            guard let number = Int(word.text), (0..<max(1, count)).contains(number) else {
                throw problem(
                    word, "'\(word.text)' is no endpoint; there are 0 to \(count - 1), and all")
            }
            return number
        }

        mutating func number(
            suffix: Character, in range: ClosedRange<Double>, example: String
        ) throws(ScriptProblem) -> Double {
            let word = try next("how much, such as \(example)")
            guard word.text.last == suffix, let number = Double(word.text.dropLast()),
                range.contains(number)
            else { throw problem(word, "'\(word.text)' is not of the form \(example)") }
            return number
        }
    }
}
