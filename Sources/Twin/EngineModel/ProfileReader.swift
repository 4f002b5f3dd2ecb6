/// Reads one object of a profile's document, and notes what is wrong with it instead of stopping
/// there. What could not be read has the least value of its range.
struct ProfileReader {
    private static let problemsMax = 20
    private static let echoMax = 40

    /// nil where the object itself is missing or of another type, which has been noted.
    private let fields: KeyedDecodingContainer<FieldName>?
    private let path: String
    private var known: Set<String> = []
    private(set) var problems: [String] = []

    /// Reads an object; `path` stands before the names of its fields, with its dot.
    init(_ fields: KeyedDecodingContainer<FieldName>?, path: String) {
        self.fields = fields
        self.path = path
    }

    /// The whole document as an object; throws what a person can read when it is something else.
    static func object(_ decoder: any Decoder) throws -> KeyedDecodingContainer<FieldName> {
        guard let fields = try? decoder.container(keyedBy: FieldName.self) else {
            throw ProfileFault(problems: ["the document is no JSON object"])
        }
        return fields
    }

    /// Whether a field stands there and is not null.
    mutating func has(_ name: FieldName) -> Bool {
        known.insert(name.stringValue)
        return (try? fields?.decodeNil(forKey: name)) == false
    }

    /// Notes what is wrong with a field.
    mutating func note(_ name: FieldName, _ what: String) {
        if problems.count < Self.problemsMax {
            problems.append("\(path)\(name.stringValue) \(what)")
        }
    }

    /// A number inside a range.
    mutating func decimal(_ name: FieldName, _ range: ClosedRange<Double>) -> Double {
        guard expect(name) else { return range.lowerBound }
        guard let value = try? fields?.decode(Double.self, forKey: name), range.contains(value)
        else {
            note(
                name,
                "is no number from \(Self.plain(range.lowerBound)) to "
                    + Self.plain(range.upperBound))
            return range.lowerBound
        }
        return value
    }

    /// A whole number inside a range.
    mutating func integer(_ name: FieldName, _ range: ClosedRange<Int>) -> Int {
        guard expect(name) else { return range.lowerBound }
        guard let value = try? fields?.decode(Int.self, forKey: name), range.contains(value) else {
            note(name, "is no whole number from \(range.lowerBound) to \(range.upperBound)")
            return range.lowerBound
        }
        return value
    }

    /// A printable text that is not empty; nil when it is none.
    mutating func text(_ name: FieldName, bytesMax: Int) -> String? {
        guard expect(name) else { return nil }
        guard let value = try? fields?.decode(String.self, forKey: name),
            (1...bytesMax).contains(value.utf8.count),
            value.unicodeScalars.allSatisfy(ProfileDocument.isPrintable)
        else {
            note(name, "is no printable text of 1 to \(bytesMax) characters")
            return nil
        }
        return value
    }

    /// An object inside this one; its reader is given back with `take`.
    mutating func part(_ name: FieldName) -> ProfileReader {
        var inner: KeyedDecodingContainer<FieldName>?
        if expect(name) {
            inner = try? fields?.nestedContainer(keyedBy: FieldName.self, forKey: name)
            if inner == nil { note(name, "is no object") }
        }
        return ProfileReader(inner, path: "\(path)\(name.stringValue).")
    }

    /// Takes the problems of an object inside this one over.
    mutating func take(_ part: inout ProfileReader) {
        part.end()
        problems += part.problems.prefix(Self.problemsMax - problems.count)
    }

    /// Notes every field that was not asked for.
    mutating func end() {
        guard let fields else { return }
        let unknown = fields.allKeys.map(\.stringValue).filter { !known.contains($0) }.sorted()
        for name in unknown.prefix(Self.problemsMax) {
            let shown = String(
                name.unicodeScalars.prefix(Self.echoMax)
                    .map { ProfileDocument.isPrintable($0) ? Character($0) : "?" })
            note(FieldName(shown), "is no field of this schema")
        }
    }

    /// Whether the field can be looked at; a missing one is noted, unless the whole object is.
    private mutating func expect(_ name: FieldName) -> Bool {
        known.insert(name.stringValue)
        guard let fields else { return false }
        if fields.contains(name) { return true }
        note(name, "is missing")
        return false
    }

    /// A bound of a range without a needless fraction.
    private static func plain(_ bound: Double) -> String {
        bound == bound.rounded() && abs(bound) < 1e15 ? "\(Int(bound))" : "\(bound)"
    }
}

/// A name of a field, written as a string.
struct FieldName: CodingKey, ExpressibleByStringLiteral {
    let stringValue: String
    var intValue: Int? { nil }

    init(_ text: String) {
        stringValue = text
    }

    init(stringLiteral text: String) {
        stringValue = text
    }

    init?(stringValue: String) {
        self.init(stringValue)
    }

    init?(intValue: Int) {
        nil
    }
}
