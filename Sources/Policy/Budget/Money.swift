/// An amount of money, exact to a millionth of the currency's unit.
package struct Money: Hashable, Sendable {
    package var microUnits: Int64
    /// Three capital letters, as ISO 4217 has them.
    package var currency: String

    package init(microUnits: Int64, currency: String) {
        self.microUnits = microUnits
        self.currency = currency
    }

    /// The form, for messages.
    package static let form = "an amount and a currency such as 0.60 USD"

    /// Reads `0.60 USD`: a decimal of at most 6 places, one space, three capital letters.
    package init(parsing text: String) throws(WrittenFault) {
        let (number, rest) = text[...].splitAfterNumber()
        let currency = rest.dropFirst()
        guard rest.utf8.first == UInt8(ascii: " "), currency.utf8.count == 3,
            currency.utf8.allSatisfy({ $0 >= UInt8(ascii: "A") && $0 <= UInt8(ascii: "Z") })
        else { throw .malformed }
        let decimal = try WrittenDecimal(number)
        guard decimal.scale <= 6 else { throw .malformed }
        let micros = try decimal.times(1_000_000)
        guard micros <= UInt64(Int64.max) else { throw .outOfRange }
        self.init(microUnits: Int64(micros), currency: String(currency))
    }

    /// The valid spelling of what was probably meant: `$0.60` and `0.60usd` are `0.60 USD`.
    package static func nearest(to text: String) -> String? {
        guard text.utf8.count <= 32 else { return nil }
        let signs: [(sign: Character, currency: String)] = [
            ("$", "USD"), ("€", "EUR"), ("£", "GBP"),
        ]
        let number = text.filter { $0 == "." || ("0"..."9").contains($0) }
        var currency = text.filter { $0.isLetter }.uppercased()
        for (sign, name) in signs where text.contains(sign) && currency.isEmpty {
            currency = name
        }
        let spelling = "\(number) \(currency.isEmpty ? "USD" : currency)"
        return (try? Money(parsing: spelling)) == nil ? nil : spelling
    }
}
