/// Sizes as Kubernetes quantities: `256Mi`, `1.5G`, `1048576`, in bytes.
///
/// Source: the Quantity type of the Kubernetes API. Milli- and exponent forms say nothing useful of
/// a size and are left out; fractions of a byte round up, as there.
package enum WrittenSize {
    /// The form, for messages.
    package static let form = "a size such as 256Mi"

    private static let units: [(name: Substring, bytes: UInt64)] = [
        ("", 1),
        ("k", 1000),
        ("Ki", 1 << 10),
        ("M", 1_000_000),
        ("Mi", 1 << 20),
        ("G", 1_000_000_000),
        ("Gi", 1 << 30),
        ("T", 1_000_000_000_000),
        ("Ti", 1 << 40),
        ("P", 1_000_000_000_000_000),
        ("Pi", 1 << 50),
        ("E", 1_000_000_000_000_000_000),
        ("Ei", 1 << 60),
    ]

    /// Reads a size of less than 16 EiB.
    package static func parse(_ text: String) throws(WrittenFault) -> UInt64 {
        let (number, unit) = text[...].splitAfterNumber()
        guard let factor = self.units.first(where: { $0.name == unit })?.bytes else {
            throw .malformed
        }
        return try WrittenDecimal(number).times(factor)
    }

    /// The valid spelling of what was probably meant: `256MB` is `256M`, `256 mib` is `256Mi`.
    package static func nearest(to text: String) -> String? {
        let compact = text.filter { $0 != " " && $0 != "_" && $0 != "," }[...]
        guard compact.utf8.count <= 32 else { return nil }
        let (number, unit) = compact.splitAfterNumber()
        guard (try? WrittenDecimal(number)) != nil else { return nil }
        var word = unit.lowercased()[...]
        for suffix in ["bytes", "byte", "b"] where word.hasSuffix(suffix) {
            word = word.dropLast(suffix.count)
            break
        }
        return self.units.first { $0.name.lowercased() == word }.map { "\(number)\($0.name)" }
    }
}
