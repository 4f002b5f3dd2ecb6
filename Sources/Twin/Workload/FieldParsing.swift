/// Readers for the values inside a line. They return nil for what is malformed; the caller knows
/// the field's name and says what is wrong.
enum FieldParsing {
    /// An unsigned integer: digits only, no sign, no blanks.
    static func integer(_ bytes: ArraySlice<UInt8>) -> UInt64? {
        guard !bytes.isEmpty else { return nil }
        var value: UInt64 = 0
        for byte in bytes {
            guard let digit = digit(byte) else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(digit)
            if overflow || carry { return nil }
            value = sum
        }
        return value
    }

    /// A decimal number of at least zero (`12`, `12.5`) times `scale`, a power of ten; digits finer
    /// than the scale are dropped.
    static func decimal(_ bytes: ArraySlice<UInt8>, scale: UInt64) -> UInt64? {
        let point = bytes.firstIndex(of: UInt8(ascii: ".")) ?? bytes.endIndex
        guard let whole = integer(bytes[..<point]) else { return nil }
        let (scaled, overflow) = whole.multipliedReportingOverflow(by: scale)
        if overflow { return nil }
        guard point < bytes.endIndex else { return scaled }
        let digits = bytes[(point + 1)...]
        guard !digits.isEmpty else { return nil }
        var fraction: UInt64 = 0
        var unit = scale
        for byte in digits {
            guard let digit = digit(byte) else { return nil }
            unit /= 10
            fraction += digit * unit
        }
        let (sum, carry) = scaled.addingReportingOverflow(fraction)
        return carry ? nil : sum
    }

    /// Nanoseconds since 1970 of `2023-11-16 18:17:03.9799600`, in UTC; a `T` between date and time
    /// and `Z` or `+00:00` at the end are accepted. Years 1970 to 2500.
    static func timestamp(_ bytes: ArraySlice<UInt8>) -> UInt64? {
        var rest = bytes
        if rest.last == UInt8(ascii: "Z") {
            rest.removeLast()
        } else if rest.count > 6, rest.suffix(6).elementsEqual("+00:00".utf8) {
            rest.removeLast(6)
        }
        guard rest.count >= 19 else { return nil }
        let start = rest.startIndex
        func number(_ from: Int, _ to: Int) -> Int? {
            integer(rest[(start + from)..<(start + to)]).map { Int($0) }
        }
        func isAt(_ offset: Int, _ one: Unicode.Scalar, or other: Unicode.Scalar? = nil) -> Bool {
            let byte = rest[start + offset]
            return byte == UInt8(ascii: one) || (other.map { byte == UInt8(ascii: $0) } ?? false)
        }
        guard isAt(4, "-"), isAt(7, "-"), isAt(10, " ", or: "T"), isAt(13, ":"), isAt(16, ":"),
            let year = number(0, 4), let month = number(5, 7), let day = number(8, 10),
            let hour = number(11, 13), let minute = number(14, 16),
            let nanos = decimal(rest[(start + 17)...], scale: 1_000_000_000)
        else { return nil }
        guard (1970...2500).contains(year), (1...12).contains(month),
            (1...daysIn(month, of: year)).contains(day), hour < 24, minute < 60,
            nanos < 61_000_000_000
        else { return nil }
        let minutes = (daysSinceEpoch(year, month, day) * 24 + hour) * 60 + minute
        return UInt64(minutes) * 60_000_000_000 + nanos
    }

    /// The bytes as text, blanks at the ends removed; nil when they are not UTF-8.
    static func text(_ bytes: ArraySlice<UInt8>) -> String? {
        String(validating: trimmed(bytes), as: UTF8.self)
    }

    /// The bytes without blanks at the ends.
    static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var rest = bytes
        while let byte = rest.first, isBlank(byte) { rest.removeFirst() }
        while let byte = rest.last, isBlank(byte) { rest.removeLast() }
        return rest
    }

    /// The bytes for a message: at most 40, what is not UTF-8 replaced.
    static func excerpt(_ bytes: ArraySlice<UInt8>) -> String {
        bytes.count <= 40
            ? String(decoding: bytes, as: UTF8.self)
            : String(decoding: bytes.prefix(37), as: UTF8.self) + "..."
    }

    static func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
    }

    private static func digit(_ byte: UInt8) -> UInt64? {
        let value = byte &- UInt8(ascii: "0")
        return value < 10 ? UInt64(value) : nil
    }

    private static func isLeap(_ year: Int) -> Bool {
        year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    }

    private static func daysIn(_ month: Int, of year: Int) -> Int {
        switch month {
        case 2: isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days of the proleptic Gregorian calendar since 1970-01-01, counting years from March, so
    /// that the leap day is the last of its year.
    private static func daysSinceEpoch(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let shifted = month > 2 ? year : year - 1
        let monthFromMarch = (month + 9) % 12
        let dayOfYear = (153 * monthFromMarch + 2) / 5 + day - 1
        return shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear - 719_468
    }
}
