extension Field {
    /// A name as Kubernetes objects have them (RFC 1123 label).
    func objectName() -> String? {
        let form = "a name of lowercase letters, digits and \"-\", at most 63, no \"-\" at the ends"
        guard let text = self.string("a name") else { return nil }
        guard Self.isLabel(text) else {
            self.fault(
                "\(self.path): \"\(quoted(text))\" is not \(form)",
                suggestion: Self.nearestLabel(to: text))
            return nil
        }
        return text
    }

    /// Like `objectName`, for the key of a map: the fault is reported at the key.
    func keyIsObjectName() -> Bool {
        guard !Self.isLabel(self.key) else { return true }
        self.faults.add(
            self.keyPosition,
            "\"\(quoted(self.key))\" is not a name of lowercase letters, digits and \"-\"",
            suggestion: Self.nearestLabel(to: self.key))
        return false
    }

    /// A name clients ask models by: printable ASCII without blanks and quotes.
    func modelAlias() -> String? {
        self.string("a model name of at most 256 printable characters", lengthMax: 256) { byte in
            byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "\"")
                && byte != UInt8(ascii: "\\")
        }
    }

    /// A map of strings: labels, annotations, a node selector.
    func stringMap() -> [(key: String, value: String)]? {
        guard let entries = self.entries() else { return nil }
        return entries.compactMap { entry in
            if entry.key.isEmpty || entry.key.utf8.count > 317 {
                self.faults.add(entry.keyPosition, "\(self.path): a key is 1 to 317 characters")
            }
            return entry.string().map { (entry.key, $0) }
        }
    }

    private static func isLabel(_ text: String) -> Bool {
        let bytes = Array(text.utf8.prefix(64))
        guard let first = bytes.first, let last = bytes.last, bytes.count <= 63 else {
            return false
        }
        return first != UInt8(ascii: "-") && last != UInt8(ascii: "-")
            && bytes.allSatisfy { $0.isLowerOrDigit || $0 == UInt8(ascii: "-") }
    }

    private static func nearestLabel(to text: String) -> String? {
        guard text.utf8.count <= 63 else { return nil }
        let mapped = text.lowercased().map { character in
            character.utf8.allSatisfy(\.isLowerOrDigit) ? character : "-"
        }
        let trimmed = String(mapped.drop { $0 == "-" }.reversed().drop { $0 == "-" }.reversed())
        return self.isLabel(trimmed) ? trimmed : nil
    }
}

extension UInt8 {
    /// `a-z0-9`.
    var isLowerOrDigit: Bool {
        (self >= UInt8(ascii: "a") && self <= UInt8(ascii: "z"))
            || (self >= UInt8(ascii: "0") && self <= UInt8(ascii: "9"))
    }
}
