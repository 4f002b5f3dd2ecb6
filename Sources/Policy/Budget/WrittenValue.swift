/// Why a written duration, share, size or amount of money is not one.
package enum WrittenFault: Error, Equatable, Sendable {
    /// It does not have the form.
    case malformed
    /// It has the form and does not fit the range of its type.
    case outOfRange
}

/// Digits with an optional fraction, kept exact: `significand / 10^scale`.
struct WrittenDecimal: Equatable {
    var significand: UInt64
    var scale: Int

    /// Most digits in a number: 19 always fit 64 bits.
    static let digitsMax = 19

    /// Reads all of `text`: digits, then maybe a point and digits.
    init(_ text: Substring) throws(WrittenFault) {
        self.significand = 0
        self.scale = 0
        var digits = 0
        var point = false
        for byte in text.utf8 {
            if byte == UInt8(ascii: "."), !point, digits > 0 {
                point = true
                continue
            }
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { throw .malformed }
            if self.significand > 0 || byte > UInt8(ascii: "0") || point {
                digits += 1
                guard digits <= Self.digitsMax else { throw .outOfRange }
            } else {
                digits = max(digits, 1)
            }
            self.significand = self.significand * 10 + UInt64(byte - UInt8(ascii: "0"))
            self.scale += point ? 1 : 0
        }
        guard digits > 0, !point || self.scale > 0 else { throw .malformed }
    }

    /// The number times `factor`, rounded up to a whole one.
    func times(_ factor: UInt64) throws(WrittenFault) -> UInt64 {
        let (high, low) = self.significand.multipliedFullWidth(by: factor)
        let divisor = powerOfTen(self.scale)
        guard high < divisor else { throw .outOfRange }
        let (quotient, remainder) = divisor.dividingFullWidth((high, low))
        guard remainder > 0 else { return quotient }
        guard quotient < .max else { throw .outOfRange }
        return quotient + 1
    }
}

/// 10 to the power of `exponent`, 0 to 19.
func powerOfTen(_ exponent: Int) -> UInt64 {
    (0..<exponent).reduce(1) { power, _ in power * 10 }
}

extension Substring {
    /// The leading part made of digits and points, and the rest.
    func splitAfterNumber() -> (number: Substring, rest: Substring) {
        let number = self.prefix { $0 == "." || ("0"..."9").contains($0) }
        return (number, self[number.endIndex...])
    }
}
