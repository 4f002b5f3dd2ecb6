/// Shares as a budget writes them: `0.1%`, as 0...1.
package enum WrittenShare {
    /// The form, for messages.
    package static let form = "a share such as 0.1%"

    /// Reads a share of at most 100%, to at most 6 decimals.
    package static func parse(_ text: String) throws(WrittenFault) -> Double {
        guard text.utf8.last == UInt8(ascii: "%") else { throw .malformed }
        let decimal = try WrittenDecimal(text.dropLast())
        guard decimal.scale <= 6 else { throw .malformed }
        let divisor = powerOfTen(decimal.scale + 2)
        guard decimal.significand <= divisor else { throw .outOfRange }
        return Double(decimal.significand) / Double(divisor)
    }

    /// The valid spelling of what was probably meant: `0.001` and `0.1 %` are `0.1%`.
    package static func nearest(to text: String) -> String? {
        var compact = text.filter { $0 != " " }[...]
        guard compact.utf8.count <= 24 else { return nil }
        for suffix in ["percent", "pct", "%"] where compact.hasSuffix(suffix) {
            compact = compact.dropLast(suffix.count)
            let spelling = "\(compact)%"
            return (try? self.parse(spelling)) == nil ? nil : spelling
        }
        guard let decimal = try? WrittenDecimal(compact), decimal.scale <= 8 else { return nil }
        if decimal.scale == 0 {
            return decimal.significand > 100 ? nil : "\(decimal.significand)%"
        }
        guard decimal.significand <= powerOfTen(decimal.scale) else { return nil }
        return self.text(significand: decimal.significand * 100, scale: decimal.scale)
    }

    /// The shortest spelling of a share of 0...1, to 4 decimals of a percent.
    package static func text(_ share: Double) -> String {
        let millionths = (min(max(share, 0), 1) * 1_000_000).rounded()
        return self.text(significand: UInt64(millionths), scale: 4)
    }

    private static func text(significand: UInt64, scale: Int) -> String {
        let divisor = powerOfTen(scale)
        let whole = significand / divisor
        var fraction = String(significand % divisor)
        fraction = String(repeating: "0", count: scale - fraction.utf8.count) + fraction
        while fraction.utf8.last == UInt8(ascii: "0") {
            fraction.removeLast()
        }
        return fraction.isEmpty ? "\(whole)%" : "\(whole).\(fraction)%"
    }
}
