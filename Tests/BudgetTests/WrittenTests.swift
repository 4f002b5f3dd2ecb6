import Budget
import Testing

@Suite struct WrittenTests {
    @Test(
        "a duration is digits and a unit",
        arguments: [
            ("0ms", 0), ("250ms", 250_000_000), ("3s", 3_000_000_000), ("10m", 600_000_000_000),
            ("007h", 25_200_000_000_000), ("28d", 2_419_200_000_000_000),
            ("213503d", 18_446_659_200_000_000_000),
        ] as [(String, UInt64)])
    func duration(text: String, nanos: UInt64) throws {
        #expect(try WrittenDuration.parse(text) == nanos)
    }

    @Test(
        "what is not a duration is refused",
        arguments: [
            "", "s", "3", "3 s", "1.5s", "-1s", "+1s", "3S", "3sec", "1m30s", "٣s", "3s\n", "0x3s",
        ])
    func notDuration(text: String) {
        #expect(throws: WrittenFault.malformed) { try WrittenDuration.parse(text) }
    }

    @Test(
        "a duration beyond 64 bits of nanoseconds is out of range",
        arguments: ["213504d", "99999999999999999999ms", "9999999999999999999d"])
    func longDuration(text: String) {
        #expect(throws: WrittenFault.outOfRange) { try WrittenDuration.parse(text) }
    }

    @Test(
        "the nearest duration is what was meant",
        arguments: [
            ("1.5s", "1500ms"), ("250", "250ms"), ("2 seconds", "2s"), ("1h30m", "90m"),
            ("1w", "7d"), ("3S", "3s"), ("1500000us", "1500ms"), ("120min", "2h"), ("1ns", "1ms"),
            ("soon", nil), ("", nil), ("-3s", nil), ("3 parsecs", nil),
        ] as [(String, String?)])
    func nearestDuration(text: String, nearest: String?) {
        #expect(WrittenDuration.nearest(to: text) == nearest)
    }

    @Test func `a duration's text reads back as itself`() throws {
        for nanos: UInt64 in [0, 1_000_000, 999_000_000, 1_000_000_000, 90_000_000_000] {
            #expect(try WrittenDuration.parse(WrittenDuration.text(nanos: nanos)) == nanos)
        }
        #expect(WrittenDuration.text(nanos: 86_400_000_000_000) == "1d")
        #expect(WrittenDuration.text(nanos: .max) == "18446744073710ms")
    }

    @Test(
        "a share is a percentage of at most 100",
        arguments: [("0%", 0), ("0.1%", 0.001), ("95%", 0.95), ("100%", 1), ("99.9999%", 0.999999)])
    func share(text: String, value: Double) throws {
        #expect(try WrittenShare.parse(text) == value)
        #expect(WrittenShare.text(value) == text)
    }

    @Test(
        "what is not a share is refused",
        arguments: ["", "%", "1", "0.1", "1 %", "-1%", ".5%", "1.%", "1%%", "1e1%", "0.1234567%"])
    func notShare(text: String) {
        #expect(throws: WrittenFault.malformed) { try WrittenShare.parse(text) }
    }

    @Test func `a share above the whole is out of range`() {
        #expect(throws: WrittenFault.outOfRange) { try WrittenShare.parse("100.000001%") }
        #expect(throws: WrittenFault.outOfRange) { try WrittenShare.parse("9999999999999999999%") }
    }

    @Test(
        "the nearest share is what was meant",
        arguments: [
            ("0.001", "0.1%"), ("0.95", "95%"), ("5", "5%"), ("1 %", "1%"), ("2 percent", "2%"),
            ("1.0", "100%"), ("500", nil), ("many", nil), ("", nil),
        ] as [(String, String?)])
    func nearestShare(text: String, nearest: String?) {
        #expect(WrittenShare.nearest(to: text) == nearest)
    }

    @Test(
        "a size is a Kubernetes quantity",
        arguments: [
            ("0", 0), ("1048576", 1 << 20), ("256Mi", 256 << 20), ("256M", 256_000_000),
            ("1.5Gi", 3 << 29), ("1k", 1000), ("0.0001Ki", 1), ("15Ei", 15 << 60),
        ] as [(String, UInt64)])
    func size(text: String, bytes: UInt64) throws {
        #expect(try WrittenSize.parse(text) == bytes)
    }

    @Test func `what is not a size is refused, and the nearest is found`() {
        for text in ["", "Mi", "256MB", "256 Mi", "256mi", "-1", "1e6", "100m"] {
            #expect(throws: WrittenFault.malformed) { try WrittenSize.parse(text) }
        }
        #expect(throws: WrittenFault.outOfRange) { try WrittenSize.parse("16Ei") }
        #expect(WrittenSize.nearest(to: "256MB") == "256M")
        #expect(WrittenSize.nearest(to: "256 mib") == "256Mi")
        #expect(WrittenSize.nearest(to: "1,024 bytes") == "1024")
        #expect(WrittenSize.nearest(to: "big") == nil)
    }

    @Test func `money is exact`() throws {
        let money = try Money(parsing: "0.60 USD")
        #expect(money == Money(microUnits: 600_000, currency: "USD"))
        #expect(try Money(parsing: "9223372036854.775807 EUR").microUnits == .max)
        #expect(throws: WrittenFault.outOfRange) { try Money(parsing: "9223372036855 EUR") }
        for text in ["", "0.60", "0.60USD", "0.60 usd", "$0.60", "0.0000001 USD", "0.6  USD"] {
            #expect(throws: WrittenFault.malformed) { try Money(parsing: text) }
        }
        #expect(Money.nearest(to: "$0.60") == "0.60 USD")
        #expect(Money.nearest(to: "0.60eur") == "0.60 EUR")
        #expect(Money.nearest(to: "2.99") == "2.99 USD")
        #expect(Money.nearest(to: "cheap") == nil)
    }
}
