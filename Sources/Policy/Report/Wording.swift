/// Numbers and sentences for people, without a locale.
package enum Wording {
    /// `12,345`.
    package static func grouped(_ value: UInt64) -> String {
        let digits = String(value)
        var text = ""
        for (position, digit) in digits.enumerated() {
            if position > 0, (digits.count - position) % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return text
    }

    /// A value of at least zero with `decimals` digits after the point, rounded to the nearest.
    package static func fixed(_ value: Double, _ decimals: Int) -> String {
        var unit: UInt64 = 1
        for _ in 0..<decimals { unit *= 10 }
        let scaled = (value * Double(unit)).rounded()
        guard scaled.isFinite, scaled >= 0, scaled < 1e18 else { return "-" }
        let whole = UInt64(scaled)
        if decimals == 0 { return grouped(whole) }
        let fraction = String(whole % unit)
        return grouped(whole / unit) + "."
            + String(repeating: "0", count: decimals - fraction.count)
            + fraction
    }

    /// `part` of `whole` as `99.98 %`, rounded down: only all of them are 100.00 %.
    package static func percent(_ part: UInt64, of whole: UInt64) -> String {
        guard whole > 0 else { return "-" }
        let share = part.multipliedFullWidth(by: 10_000)
        // More than 2^64 times the whole is no share of it.
        guard share.high < whole else { return "-" }
        let hundredths = whole.dividingFullWidth((share.high, share.low)).quotient
        return fixed(Double(hundredths) / 100, 2) + " %"
    }

    /// A limit in millionths as `0.1 %`, without needless zeros.
    package static func percent(perMillion: UInt64) -> String {
        let fraction = String(String(1_000_000 + perMillion % 10_000 * 100).dropFirst())
        let digits = trimmed(fraction)
        return "\(perMillion / 10_000)" + (digits.isEmpty ? "" : ".\(digits)") + " %"
    }

    /// `p50`, `p99`, `p99.9`.
    static func quantile(_ share: Double) -> String {
        let perMillion = UInt64((min(max(share, 0), 1) * 1e6).rounded())
        return "p" + percent(perMillion: perMillion).dropLast(2)
    }

    /// Milliseconds as `80 ms`, `1.5 s`, `10 min`.
    package static func duration(millis: Double) -> String {
        if millis >= 120_000 { return shortest(millis / 60_000) + " min" }
        if millis >= 1_000 { return shortest(millis / 1_000) + " s" }
        return shortest(millis) + " ms"
    }

    /// The sentence for an objective that was not met.
    static func broken(_ objective: Report.Objective, in name: String) -> String {
        let title = ReportBudget.Stage(rawValue: objective.stage)?.title ?? objective.stage
        let what =
            "\(name): \(title) \(quantile(objective.quantile)) "
            + "within \(duration(millis: objective.boundMillis))"
        if objective.total == 0 { return "\(what): none completed" }
        return "\(what): \(percent(objective.inside, of: objective.total)) inside "
            + "(\(grouped(objective.inside)) of \(grouped(objective.total)))"
    }

    /// The sentence for a limit that was exceeded.
    static func exceeded(
        _ what: String, _ part: UInt64, of whole: UInt64, limit: UInt64
    ) -> String {
        "\(grouped(part)) of \(grouped(whole)) requests \(what), "
            + "more than the \(percent(perMillion: limit)) allowed"
    }

    /// At most two decimals, without needless zeros.
    private static func shortest(_ value: Double) -> String {
        let text = fixed(value, 2)
        guard let point = text.firstIndex(of: ".") else { return text }
        let digits = trimmed(String(text[text.index(after: point)...]))
        return String(text[..<point]) + (digits.isEmpty ? "" : ".\(digits)")
    }

    private static func trimmed(_ digits: String) -> String {
        var rest = digits
        while rest.last == "0" { rest.removeLast() }
        return rest
    }
}
