/// What a command takes, for parsing and for help.
struct Synopsis {
    struct Option {
        /// As written: `--listen`, `-f`.
        var name: String
        /// Name of its value in help; `nil` for a switch.
        var value: String?
        var help: String
        /// May stand several times.
        var repeats = false
    }

    var name: String
    var summary: String
    /// Behind `plimsoll NAME`.
    var usage: String
    /// Names of words that are no options, for messages; the last may repeat when it ends in `...`.
    var words: [String] = []
    var options: [Option] = []
    var example: String
    var notes = ""

    var help: String {
        var text = "plimsoll \(self.name): \(self.summary)\n\n"
        text += "usage: plimsoll \(self.name) \(self.usage)\n"
        if !self.options.isEmpty { text += "\noptions:\n" }
        for option in self.options {
            let left = "  " + option.name + (option.value.map { " \($0)" } ?? "")
            let gap = max(2, 30 - left.count)
            text += left + String(repeating: " ", count: gap) + option.help + "\n"
        }
        if !self.notes.isEmpty { text += "\n\(self.notes)\n" }
        text += "\nexample:\n  \(self.example)"
        return text
    }
}

/// A command line taken apart by its synopsis.
struct Arguments {
    private var values: [String: [String]] = [:]
    private(set) var words: [String] = []

    init(_ raw: [String], synopsis: Synopsis) throws(UsageError) {
        var index = 0
        var onlyWords = false
        while index < raw.count {
            let word = raw[index]
            index += 1
            if word == "--" {
                onlyWords = true
                continue
            }
            guard !onlyWords, word.hasPrefix("-"), word != "-" else {
                self.words.append(word)
                continue
            }
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0])
            guard let option = synopsis.options.first(where: { $0.name == name }) else {
                let near = Spelling.nearest(name, among: synopsis.options.map(\.name))
                throw UsageError(
                    "no option '\(name)'" + (near.map { "; did you mean '\($0)'?" } ?? ""))
            }
            var value = ""
            if let valueName = option.value {
                if parts.count == 2 {
                    value = String(parts[1])
                } else {
                    guard index < raw.count else {
                        throw UsageError("\(name) needs a value: \(name) \(valueName)")
                    }
                    value = raw[index]
                    index += 1
                }
            } else if parts.count == 2 {
                throw UsageError("\(name) takes no value")
            }
            if self.values[name] != nil, !option.repeats {
                throw UsageError("\(name) stands twice")
            }
            self.values[name, default: []].append(value)
        }
        let open = synopsis.words.last?.hasSuffix("...") ?? false
        if self.words.count > synopsis.words.count, !open {
            throw UsageError("'\(self.words[synopsis.words.count])' is one word too many")
        }
    }

    func has(_ name: String) -> Bool { self.values[name] != nil }

    func text(_ name: String) -> String? { self.values[name]?.last }

    func all(_ name: String) -> [String] { self.values[name] ?? [] }

    /// A whole number inside `range`.
    func number(_ name: String, in range: ClosedRange<Int>) throws(UsageError) -> Int? {
        guard let text = self.text(name) else { return nil }
        guard let value = Int(text), range.contains(value) else {
            throw UsageError(
                "\(name) '\(text)' is no whole number from \(range.lowerBound) to "
                    + "\(range.upperBound)")
        }
        return value
    }

    /// A positive decimal number.
    func decimal(_ name: String) throws(UsageError) -> Double? {
        guard let text = self.text(name) else { return nil }
        guard let value = Double(text), value > 0, value.isFinite else {
            throw UsageError("\(name) '\(text)' is no positive number")
        }
        return value
    }

    /// A duration such as `250ms`, `60s`, `5m`, in nanoseconds.
    func duration(_ name: String) throws(UsageError) -> UInt64? {
        guard let text = self.text(name) else { return nil }
        guard let nanos = WrittenTime.nanos(text) else {
            throw UsageError("\(name) '\(text)' is no duration; write 250ms, 60s, 5m or 1h")
        }
        return nanos
    }

    /// `json` or not, from `--output`.
    func wantsJSON(others: [String] = ["text"]) throws(UsageError) -> Bool {
        guard let text = self.text("--output") else { return false }
        guard text == "json" || others.contains(text) else {
            throw UsageError(
                "--output '\(text)' is none of json, \(others.joined(separator: ", "))")
        }
        return text == "json"
    }
}

/// A wrong command line: exit code 2.
struct UsageError: Error {
    var message: String

    init(_ message: String) {
        self.message = message
    }
}

/// Durations of the command line.
enum WrittenTime {
    static func nanos(_ text: String) -> UInt64? {
        let units: [(String, UInt64)] = [
            ("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000),
            ("h", 3_600_000_000_000),
        ]
        for (unit, scale) in units where text.hasSuffix(unit) {
            guard let count = UInt64(text.dropLast(unit.count)) else { continue }
            let (nanos, overflow) = count.multipliedReportingOverflow(by: scale)
            return overflow ? nil : nanos
        }
        return nil
    }
}

/// Finds the word that was probably meant.
enum Spelling {
    static func nearest(_ word: String, among words: [String]) -> String? {
        let scored = words.map { ($0, Self.distance(Array(word.utf8), Array($0.utf8))) }
        guard let best = scored.min(by: { $0.1 < $1.1 }), best.1 <= max(2, word.utf8.count / 3)
        else { return nil }
        return best.0
    }

    /// Levenshtein distance.
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var previous = Array(0...right.count)
        for (row, byte) in left.enumerated() {
            var current = [row + 1]
            for (column, other) in right.enumerated() {
                current.append(
                    min(
                        previous[column] + (byte == other ? 0 : 1), previous[column + 1] + 1,
                        current[column] + 1))
            }
            previous = current
        }
        return previous[right.count]
    }
}
