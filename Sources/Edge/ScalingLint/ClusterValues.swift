import Config

extension Field {
    /// A duration as Go writes it, `90s`, `1m30s`, `0`: the form of Knative and Karpenter. In whole
    /// seconds, fractions cut.
    func goSeconds(in range: ClosedRange<Int>) -> Int? {
        let form = "a duration such as 90s or 1h30m"
        guard let (text, _) = self.scalar(form) else { return nil }
        guard let seconds = goDuration(text) else {
            self.fault("\(self.path): \"\(quoted(text))\" is not \(form)")
            return nil
        }
        guard range.contains(seconds) else {
            self.fault(
                "\(self.path) is \(quoted(text)): it must be from \(range.lowerBound)s "
                    + "to \(range.upperBound)s")
            return nil
        }
        return seconds
    }

    /// A number that Kubernetes may write as a quantity: `0.05`, `50m`, `2`.
    func quantity(in range: ClosedRange<Double>) -> Double? {
        let form = "a number such as 0.05"
        guard let (text, _) = self.scalar(form) else { return nil }
        let isMilli = text.utf8.last == UInt8(ascii: "m")
        guard let number = decimal(isMilli ? text.dropLast() : text[...]) else {
            self.fault("\(self.path): \"\(quoted(text))\" is not \(form)")
            return nil
        }
        let value = isMilli ? number / 1000 : number
        guard range.contains(value) else {
            self.fault(
                "\(self.path) is \(quoted(text)): it must be from \(shortText(range.lowerBound)) "
                    + "to \(shortText(range.upperBound))")
            return nil
        }
        return value
    }

    /// Text whatever YAML makes of it: labels and annotations of objects that were printed.
    var text: String? { self.scalar("text")?.text }

    /// `true` or `false`, quoted or not.
    func flag() -> Bool? {
        guard let (text, _) = self.scalar("true or false") else { return nil }
        switch text {
        case "true": return true
        case "false": return false
        default:
            self.fault(
                "\(self.path): \"\(quoted(text))\" is not true or false",
                suggestion: NearestSpelling.of(text, among: ["true", "false"]))
            return nil
        }
    }
}

extension Fields {
    /// A field that may be absent, null being absence as Kubernetes has it.
    mutating func present(_ key: String) -> Field? {
        let field = self.optional(key)
        return field?.isNull == true ? nil : field
    }

    /// Reads a field, or takes the default at the place where it would be written.
    mutating func setting<Value>(
        _ key: String, or fallback: Value, at position: Position, _ read: (Field) -> Value?
    ) -> Setting<Value> {
        guard let field = self.present(key), let value = read(field) else {
            return .unwritten(fallback, at: position)
        }
        return Setting(value: value, position: field.position)
    }

    /// Fields that are known and say nothing about scaling.
    mutating func passOver(_ keys: String...) {
        for key in keys { _ = self.optional(key) }
    }
}

/// Reads Go's duration syntax; `nil` when it is none or longer than a century.
func goDuration(_ text: String) -> Int? {
    if text == "0" { return 0 }
    let units: [(name: String, seconds: Double)] = [
        ("ns", 1e-9), ("us", 1e-6), ("µs", 1e-6), ("ms", 1e-3), ("s", 1), ("m", 60), ("h", 3600),
    ]
    var rest = text[...]
    var total = 0.0
    guard !rest.isEmpty, rest.utf8.count <= 40 else { return nil }
    while !rest.isEmpty {
        let number = rest.prefix { $0 == "." || ("0"..."9").contains($0) }
        rest = rest[number.endIndex...]
        let unit = rest.prefix { $0 != "." && !("0"..."9").contains($0) }
        rest = rest[unit.endIndex...]
        guard let value = decimal(number), let scale = units.first(where: { $0.name == unit })
        else { return nil }
        total += value * scale.seconds
    }
    return total <= 3.2e9 ? Int(total + 1e-9) : nil
}

/// Digits with at most one point; `nil` for anything else `Double` would take.
func decimal(_ text: Substring) -> Double? {
    guard !text.isEmpty, text.utf8.count <= 20,
        text.allSatisfy({ $0 == "." || ("0"..."9").contains($0) })
    else { return nil }
    return Double(String(text))
}

/// `2` for 2.0, `0.05` for 0.05.
func shortText(_ number: Double) -> String {
    Int(exactly: number).map(String.init) ?? "\(number)"
}
