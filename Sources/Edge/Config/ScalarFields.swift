import Budget

extension Field {
    /// A string. What YAML would read as another type must be quoted, as Kubernetes wants it.
    package func string(_ form: String = "a string") -> String? {
        guard let (text, isPlain) = self.scalar(form) else { return nil }
        if isPlain {
            guard case .text = PlainType(text) else {
                self.fault(
                    "\(self.path) must be a string, and YAML reads \(quoted(text)) as another type:"
                        + " quote it")
                return nil
            }
        }
        return text
    }

    /// A string of a given alphabet and length; `form` describes it.
    func string(_ form: String, lengthMax: Int, where isValid: (UInt8) -> Bool) -> String? {
        guard let text = self.string(form) else { return nil }
        guard !text.isEmpty, text.utf8.count <= lengthMax, text.utf8.allSatisfy(isValid) else {
            self.fault("\(self.path): \"\(quoted(text))\" is not \(form)")
            return nil
        }
        return text
    }

    /// A whole number inside `range`.
    package func integer<Value: FixedWidthInteger>(in range: ClosedRange<Value>) -> Value? {
        guard let (text, isPlain) = self.scalar("a whole number") else { return nil }
        guard isPlain, text.utf8.first != UInt8(ascii: "+"), let value = Self.wholeNumber(text)
        else {
            self.fault(
                "\(self.path): \"\(quoted(text))\" is not a whole number"
                    + (isPlain ? "" : ": remove the quotes"),
                suggestion: Self.nearestInteger(to: text))
            return nil
        }
        guard let fitting = Value(exactly: value), range.contains(fitting) else {
            self.fault(
                "\(self.path) is \(quoted(text)): it must be from \(range.lowerBound) "
                    + "to \(range.upperBound)")
            return nil
        }
        return fitting
    }

    /// A number, whole or not, inside `range`.
    func number(in range: ClosedRange<Double>) -> Double? {
        guard let (text, isPlain) = self.scalar("a number") else { return nil }
        let value: Double
        switch isPlain ? PlainType(text) : .text {
        case .integer(let integer): value = Double(integer)
        case .number(let number): value = number
        case .null, .bool, .text:
            self.fault("\(self.path): \"\(quoted(text))\" is not a number")
            return nil
        }
        guard range.contains(value) else {
            self.fault(
                "\(self.path) is \(quoted(text)): it must be from \(Self.short(range.lowerBound)) "
                    + "to \(Self.short(range.upperBound))")
            return nil
        }
        return value
    }

    private static func short(_ number: Double) -> String {
        Int(exactly: number).map(String.init) ?? String(number)
    }

    /// A duration inside `range`, in nanoseconds.
    func duration(in range: ClosedRange<UInt64>) -> UInt64? {
        self.written(
            WrittenDuration.form, WrittenDuration.parse, WrittenDuration.nearest, in: range,
            WrittenDuration.text)
    }

    /// A size inside `range`, in bytes.
    func size(in range: ClosedRange<UInt64>) -> UInt64? {
        self.written(
            WrittenSize.form, WrittenSize.parse, WrittenSize.nearest, in: range
        ) { "\($0)" }
    }

    /// A share inside `range`, 0...1.
    func share(in range: ClosedRange<Double> = 0...1) -> Double? {
        self.written(
            WrittenShare.form, WrittenShare.parse, WrittenShare.nearest, in: range,
            WrittenShare.text)
    }

    /// An amount of money.
    func money() -> Money? {
        guard let (text, _) = self.scalar(Money.form) else { return nil }
        do throws(WrittenFault) {
            return try Money(parsing: text)
        } catch {
            switch error {
            case .outOfRange:
                self.fault("\(self.path): \"\(quoted(text))\" is too much")
            case .malformed:
                self.fault(
                    "\(self.path): \"\(quoted(text))\" is not \(Money.form)",
                    suggestion: Money.nearest(to: text))
            }
            return nil
        }
    }

    /// One of the spellings of an enum.
    package func choice<Choice: RawRepresentable & CaseIterable>(of: Choice.Type) -> Choice?
    where Choice.RawValue == String {
        let valid = Choice.allCases.map(\.rawValue)
        guard let (text, _) = self.scalar("one of \(valid.joined(separator: ", "))") else {
            return nil
        }
        guard let choice = Choice(rawValue: text) else {
            self.fault(
                "\(self.path): \"\(quoted(text))\" is not one of "
                    + valid.joined(separator: ", "),
                suggestion: NearestSpelling.of(text, among: valid))
            return nil
        }
        return choice
    }

    private func written<Value: Comparable>(
        _ form: String, _ parse: (String) throws(WrittenFault) -> Value,
        _ nearest: (String) -> String?, in range: ClosedRange<Value>, _ spell: (Value) -> String
    ) -> Value? {
        guard let (text, _) = self.scalar(form) else { return nil }
        do throws(WrittenFault) {
            let value = try parse(text)
            guard range.contains(value) else { throw .outOfRange }
            return value
        } catch {
            switch error {
            case .outOfRange:
                self.fault(
                    "\(self.path) is \(quoted(text)): it must be from "
                        + "\(spell(range.lowerBound)) to \(spell(range.upperBound))")
            case .malformed:
                self.fault(
                    "\(self.path): \"\(quoted(text))\" is not \(form)",
                    suggestion: nearest(text))
            }
            return nil
        }
    }

    /// Digits with a sign, at most 18 of them; saturates above, so that range checks speak.
    private static func wholeNumber(_ text: String) -> Int64? {
        let digits = text.utf8.first == UInt8(ascii: "-") ? text.utf8.dropFirst() : text.utf8[...]
        guard !digits.isEmpty,
            digits.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") })
        else { return nil }
        return Int64(text) ?? (text.utf8.first == UInt8(ascii: "-") ? .min : .max)
    }

    private static func nearestInteger(to text: String) -> String? {
        let compact = text.lowercased().filter { !"_, +".contains($0) }[...]
        guard compact.utf8.count <= 24, let last = compact.last else { return nil }
        let factor: Double = ["k": 1e3, "m": 1e6, "g": 1e9][last] ?? 1
        let number = factor == 1 ? compact : compact.dropLast()
        guard number.allSatisfy({ "0123456789.".contains($0) }), let value = Double(number),
            value * factor < 1e15, (value * factor).rounded() == value * factor
        else { return nil }
        return String(Int64(value * factor))
    }
}
