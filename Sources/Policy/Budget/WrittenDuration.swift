/// Durations as a budget writes them: `[0-9]+(ms|s|m|h|d)`, in nanoseconds.
package enum WrittenDuration {
    /// The form, for messages.
    package static let form = "a duration (a whole number and ms, s, m, h or d)"

    private static let units: [(name: Substring, nanos: UInt64)] = [
        ("ms", 1_000_000),
        ("s", 1_000_000_000),
        ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
        ("d", 86_400_000_000_000),
    ]

    /// Reads a duration. The longest is 584 years.
    package static func parse(_ text: String) throws(WrittenFault) -> UInt64 {
        let (number, unit) = text[...].splitAfterNumber()
        guard let factor = self.units.first(where: { $0.name == unit })?.nanos else {
            throw .malformed
        }
        let decimal = try WrittenDecimal(number)
        guard decimal.scale == 0 else { throw .malformed }
        return try decimal.times(factor)
    }

    /// The shortest exact spelling; what is finer than a millisecond is rounded up.
    package static func text(nanos: UInt64) -> String {
        let millis = nanos / 1_000_000 + (nanos % 1_000_000 == 0 ? 0 : 1)
        for (name, unit) in self.units.reversed() where millis > 0 {
            let unitMillis = unit / 1_000_000
            if millis % unitMillis == 0 {
                return "\(millis / unitMillis)\(name)"
            }
        }
        return "\(millis)ms"
    }

    /// The valid spelling of what was probably meant: `1.5s` is `1500ms`, `2 min` is `2m`, `1h30m`
    /// is `90m`, a bare number is milliseconds. `nil` when nothing is near.
    package static func nearest(to text: String) -> String? {
        var rest = text.lowercased().filter { $0 != " " && $0 != "_" && $0 != "," }[...]
        guard !rest.isEmpty, rest.utf8.count <= 32 else { return nil }
        var total: UInt64 = 0
        while !rest.isEmpty {
            let (number, afterNumber) = rest.splitAfterNumber()
            let word = afterNumber.prefix { $0.isLetter }
            rest = afterNumber[word.endIndex...]
            guard let decimal = try? WrittenDecimal(number), let unit = self.unit(likely: word),
                let nanos = try? decimal.times(unit)
            else { return nil }
            let (sum, overflow) = total.addingReportingOverflow(nanos)
            guard !overflow else { return nil }
            total = sum
        }
        return self.text(nanos: total)
    }

    private static func unit(likely word: Substring) -> UInt64? {
        switch word {
        case "ns", "nanos", "nanoseconds": 1
        case "us", "µs", "μs", "micros", "microseconds": 1000
        case "", "ms", "msec", "msecs", "milli", "millis", "millisecond", "milliseconds":
            1_000_000
        case "s", "sec", "secs", "second", "seconds": 1_000_000_000
        case "m", "min", "mins", "minute", "minutes": 60_000_000_000
        case "h", "hr", "hrs", "hour", "hours": 3_600_000_000_000
        case "d", "day", "days": 86_400_000_000_000
        case "w", "week", "weeks": 7 * 86_400_000_000_000
        default: nil
        }
    }
}
