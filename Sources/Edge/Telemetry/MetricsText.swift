/// Writes the Prometheus text exposition format, version 0.0.4.
///
/// A family is opened once, then all of its samples follow. Names and label names are the caller's
/// and hold to `[a-zA-Z_][a-zA-Z0-9_]*`; label values and help may be any text and are escaped.
package struct MetricsText {
    /// What `TYPE` says.
    package enum Kind: String, Sendable {
        case counter, gauge, histogram
    }

    /// One label; the value may be any text.
    package struct Label: Sendable {
        package var name: String
        package var value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    package static let contentType: StaticString = "text/plain; version=0.0.4; charset=utf-8"

    package private(set) var bytes: [UInt8] = []
    private var family = ""

    package init() {
        self.bytes.reserveCapacity(64 << 10)
    }

    /// Opens a family: its HELP and TYPE lines.
    package mutating func open(_ name: String, _ kind: Kind, _ help: String) {
        self.family = name
        self.append("# HELP \(name) ")
        self.appendEscaped(help, quotes: false)
        self.append("\n# TYPE \(name) \(kind.rawValue)\n")
    }

    /// One sample of the open family.
    package mutating func sample(_ value: Double, _ labels: [Label] = []) {
        self.line("", labels, value)
    }

    /// One sample that is a whole number.
    package mutating func sample(_ value: UInt64, _ labels: [Label] = []) {
        self.line("", labels, whole: value)
    }

    /// One histogram of the open family. `bounds` are rising nanoseconds; `counts` are one a bound,
    /// not cumulative, and one more for what lies above the last; both are written in seconds.
    package mutating func histogram(
        bounds: [UInt64], counts: [UInt64], sumNanos: UInt64, _ labels: [Label] = []
    ) {
        var total: UInt64 = 0
        for (index, bound) in bounds.enumerated() {
            total += counts[index]
            let text = Self.text(Double(bound) / 1e9)
            self.line("_bucket", labels + [Label("le", text)], whole: total)
        }
        total += counts[bounds.count]
        self.line("_bucket", labels + [Label("le", "+Inf")], whole: total)
        self.line("_sum", labels, Double(sumNanos) / 1e9)
        self.line("_count", labels, whole: total)
    }

    private mutating func line(_ suffix: String, _ labels: [Label], _ value: Double) {
        self.start(suffix, labels)
        self.append(Self.text(value))
        self.append("\n")
    }

    private mutating func line(_ suffix: String, _ labels: [Label], whole value: UInt64) {
        self.start(suffix, labels)
        self.append(String(value))
        self.append("\n")
    }

    private mutating func start(_ suffix: String, _ labels: [Label]) {
        self.append(self.family)
        self.append(suffix)
        for (index, label) in labels.enumerated() {
            self.append(index == 0 ? "{" : ",")
            self.append(label.name)
            self.append("=\"")
            self.appendEscaped(label.value, quotes: true)
            self.append("\"")
        }
        self.append(labels.isEmpty ? " " : "} ")
    }

    /// As Go's and Prometheus's parsers want it.
    private static func text(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        guard value == value.rounded(), abs(value) < 1e15 else { return "\(value)" }
        return String(Int64(value))
    }

    private mutating func append(_ text: String) {
        self.bytes.append(contentsOf: text.utf8)
    }

    private mutating func appendEscaped(_ text: String, quotes: Bool) {
        for byte in text.utf8 {
            switch byte {
            case 0x5C: self.append("\\\\")
            case 0x0A: self.append("\\n")
            case 0x22 where quotes: self.append("\\\"")
            default: self.bytes.append(byte)
            }
        }
    }
}
