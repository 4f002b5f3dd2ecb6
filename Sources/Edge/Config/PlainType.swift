/// The type YAML gives a plain scalar: the reading of Kubernetes' own tools, YAML 1.1.
enum PlainType {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case text

    init(_ text: String) {
        switch text {
        case "", "~", "null", "Null", "NULL":
            self = .null
        case "true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON":
            self = .bool(true)
        case "false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF":
            self = .bool(false)
        default:
            self = Self.numeric(text)
        }
    }

    private static func numeric(_ text: String) -> PlainType {
        guard let first = text.utf8.first, text.utf8.count <= 64,
            first < 0x3A && first >= 0x2B  // A digit, a sign or a point.
        else { return .text }
        if let integer = Int64(text) {
            return .integer(integer)
        }
        let allowed = text.utf8.allSatisfy { byte in
            (byte >= 0x30 && byte <= 0x39) || [0x2B, 0x2D, 0x2E, 0x45, 0x65].contains(byte)
        }
        if allowed, let number = Double(text), number.isFinite {
            return .number(number)
        }
        return .text
    }
}
