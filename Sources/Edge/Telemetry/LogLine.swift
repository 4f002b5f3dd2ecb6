import Glibc

/// One thing worth a line in the log. Never a prompt, an answer or a key.
package struct LogLine: Sendable {
    /// How much it matters.
    package enum Level: String, Sendable, Comparable {
        case info, warn, error

        package static func < (left: Level, right: Level) -> Bool {
            left.order < right.order
        }

        private var order: Int {
            switch self {
            case .info: 0
            case .warn: 1
            case .error: 2
            }
        }
    }

    /// A field's value.
    package enum Value: Sendable {
        case text(String)
        case number(Double)
        case whole(Int)
        case flag(Bool)
        case list([String])
    }

    package var level: Level
    /// Name of the kind of event: bounded, `snake_case`.
    package var event: String
    /// In the order they are written.
    package var fields: [(name: String, value: Value)]

    package init(_ level: Level, _ event: String, _ fields: [(name: String, value: Value)] = []) {
        self.level = level
        self.event = event
        self.fields = fields
    }

    /// One JSON object and a line end.
    package func json(unixNanos: UInt64) -> [UInt8] {
        var text = JSONBytes()
        text.raw("{\"ts\":\"\(Self.timestamp(unixNanos))\",\"level\":\"\(self.level.rawValue)\"")
        text.raw(",\"event\":")
        text.string(self.event)
        for field in self.fields {
            text.raw(",")
            text.string(field.name)
            text.raw(":")
            text.value(field.value)
        }
        text.raw("}\n")
        return text.bytes
    }

    /// One short line for a terminal; control characters are left out, so that no field can move
    /// the cursor.
    package func human(unixNanos: UInt64) -> [UInt8] {
        var text = "\(Self.timestamp(unixNanos).dropFirst(11).dropLast(5)) "
        if self.level != .info { text += "\(self.level.rawValue): " }
        text += self.event.split(separator: "_").joined(separator: " ")
        for field in self.fields {
            if case .list(let items) = field.value {
                for item in items { text += "\n    " + Self.printable(item) }
            } else {
                text += "  \(field.name)=" + Self.printable(field.value.plain)
            }
        }
        return Array((text + "\n").utf8)
    }

    private static func printable(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.filter { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) }
            ))
    }

    /// RFC 3339 in UTC with milliseconds.
    package static func timestamp(_ unixNanos: UInt64) -> String {
        var seconds = Int(unixNanos / 1_000_000_000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        let millis = Int(unixNanos / 1_000_000 % 1000)
        return Self.padded(Int(parts.tm_year) + 1900, 4) + "-"
            + Self.padded(Int(parts.tm_mon) + 1, 2) + "-" + Self.padded(Int(parts.tm_mday), 2)
            + "T" + Self.padded(Int(parts.tm_hour), 2) + ":" + Self.padded(Int(parts.tm_min), 2)
            + ":" + Self.padded(Int(parts.tm_sec), 2) + "." + Self.padded(millis, 3) + "Z"
    }

    private static func padded(_ value: Int, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

extension LogLine.Value {
    var plain: String {
        switch self {
        case .text(let text): text
        case .number(let number): "\(number)"
        case .whole(let whole): "\(whole)"
        case .flag(let flag): "\(flag)"
        case .list(let items): items.joined(separator: ", ")
        }
    }
}

/// JSON by appending bytes (RFC 8259).
struct JSONBytes {
    private(set) var bytes: [UInt8] = []

    mutating func raw(_ text: String) {
        self.bytes.append(contentsOf: text.utf8)
    }

    mutating func string(_ text: String) {
        self.bytes.append(0x22)
        for byte in text.utf8 {
            switch byte {
            case 0x22, 0x5C:
                self.bytes.append(0x5C)
                self.bytes.append(byte)
            case 0x0A: self.raw("\\n")
            case 0..<0x20, 0x7F:
                let digits = Array("0123456789abcdef".utf8)
                self.raw("\\u00")
                self.bytes.append(digits[Int(byte >> 4)])
                self.bytes.append(digits[Int(byte & 15)])
            default: self.bytes.append(byte)
            }
        }
        self.bytes.append(0x22)
    }

    mutating func value(_ value: LogLine.Value) {
        switch value {
        case .text(let text): self.string(text)
        // JSON has no infinity and no NaN.
        case .number(let number): self.raw(number.isFinite ? "\(number)" : "null")
        case .whole(let whole): self.raw("\(whole)")
        case .flag(let flag): self.raw(flag ? "true" : "false")
        case .list(let items):
            self.raw("[")
            for (index, item) in items.enumerated() {
                if index > 0 { self.raw(",") }
                self.string(item)
            }
            self.raw("]")
        }
    }
}
