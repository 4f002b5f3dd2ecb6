/// The fields of one map while it is read.
///
/// Every field the reader knows is asked for, present or not; what was never asked for by `close`
/// is unknown. So the list of valid spellings is the code that reads them.
package struct Fields {
    /// Where the map belongs in the document, `spec.budget`.
    package let path: String
    /// The key the map belongs to: where a missing field is reported.
    package let position: Position
    package let faults: FaultList
    /// In written order, without duplicates.
    private let entries: [Field]
    private let indices: [String: Int]
    private var asked: [String] = []
    private var refused: Set<String> = []

    /// Takes the map of `field`; a fault and `nil` when it is something else.
    package init?(_ field: Field) {
        guard let entries = field.entries() else { return nil }
        self.path = field.path
        self.position = field.keyPosition
        self.faults = field.faults
        self.entries = entries
        self.indices = Dictionary(
            entries.enumerated().map { ($1.key, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// A field that may be absent.
    package mutating func optional(_ key: String) -> Field? {
        self.asked.append(key)
        return self.indices[key].map { self.entries[$0] }
    }

    /// A field whose absence is a fault; `form` says what belongs there.
    package mutating func required(_ key: String, _ form: String) -> Field? {
        let field = self.optional(key)
        if field == nil {
            self.faults.add(self.position, "\(self.name(of: key)) is missing: write \(form)")
        }
        return field
    }

    /// A field that is known and wrong here: the caller says why. `nil` when it is not written.
    mutating func refuse(_ key: String) -> Field? {
        self.refused.insert(key)
        return self.indices[key].map { self.entries[$0] }
    }

    /// Whether a field is written, without asking for it.
    func has(_ key: String) -> Bool {
        self.indices[key] != nil
    }

    /// Reports every field that was not asked for.
    func close() {
        guard self.entries.count > 0 else { return }
        let known = self.refused.union(self.asked)
        let place = self.path.isEmpty ? "the document" : self.path
        for entry in self.entries where !known.contains(entry.key) {
            let nearest = NearestSpelling.of(entry.key, among: self.asked)
            let valid = nearest == nil ? ": valid are \(self.asked.joined(separator: ", "))" : ""
            self.faults.add(
                entry.keyPosition, "unknown field \"\(quoted(entry.key))\" in \(place)\(valid)",
                suggestion: nearest)
        }
    }

    /// Reports the fields not asked for that are near a known one. Others pass: of an API that is
    /// not this project's, a newer version may have them.
    package func closeToMisspellings() {
        let known = Set(self.asked)
        for entry in self.entries where !known.contains(entry.key) {
            guard let nearest = NearestSpelling.of(entry.key, among: self.asked) else { continue }
            let place = self.path.isEmpty ? "the document" : self.path
            self.faults.add(
                entry.keyPosition, "unknown field \"\(quoted(entry.key))\" in \(place)",
                suggestion: nearest)
        }
    }

    private func name(of key: String) -> String {
        self.path.isEmpty ? key : "\(self.path).\(key)"
    }
}
