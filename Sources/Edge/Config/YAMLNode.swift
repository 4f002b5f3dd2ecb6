/// One value of a YAML document, with the place where it starts.
struct YAMLNode {
    enum Content {
        /// Plain scalars carry types; quoted and block ones are text.
        case scalar(String, isPlain: Bool)
        case list([YAMLNode])
        /// Keys and values in turn, duplicates included.
        case map([YAMLNode])
        /// Something already reported as a fault; readers pass over it in silence.
        case refused
    }

    var content: Content
    var position: Position

    /// The type as a reader of the file would name it.
    var kindName: String {
        switch self.content {
        case .scalar(let text, let isPlain):
            if isPlain, case .null = PlainType(text) { "nothing" } else { "\"\(quoted(text))\"" }
        case .list: "a list"
        case .map: "a map"
        case .refused: "nothing"
        }
    }
}

/// A value fit to stand in a message: one line, printable, of bounded length. Of what looks like a
/// secret only the beginning that makes it look so.
package func quoted(_ text: String) -> String {
    for prefix in ["plm_", "sk-"] where text.hasPrefix(prefix) {
        return "\(prefix)..."
    }
    var result = ""
    var count = 0
    for scalar in text.unicodeScalars {
        if count == ConfigurationLimits.quotedCharactersMax {
            return result + "..."
        }
        result += scalar.properties.generalCategory.isPrintable ? String(scalar) : "?"
        count += 1
    }
    return result
}

extension Unicode.GeneralCategory {
    fileprivate var isPrintable: Bool {
        switch self {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
            .paragraphSeparator:
            false
        default: true
        }
    }
}
