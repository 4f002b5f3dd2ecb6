/// Reads the Prometheus text exposition format, version 0.0.4, in place.
///
/// A line that cannot be read is skipped and counted: one bad line of an engine hides no other.
package struct PrometheusText: ~Copyable {
    /// One sample line.
    package struct Sample {
        package var name: ByteRange
        /// Between the braces; empty without labels.
        package var labels: ByteRange
        package var value: Double
    }

    private var offset = 0
    /// Lines that were neither blank, nor comment, nor sample.
    package private(set) var badLines = 0

    package init() {}

    /// The next sample of `bytes`; `nil` at their end.
    package mutating func next(_ bytes: Span<UInt8>) -> Sample? {
        while self.offset < bytes.count {
            let end =
                Bytes.firstIndex(of: Bytes.lineFeed, in: bytes, from: self.offset, to: bytes.count)
                ?? bytes.count
            let line = Bytes.trimmed(bytes, ByteRange(start: self.offset, end: end))
            self.offset = end + 1
            if line.isEmpty || bytes[line.start] == 0x23 { continue }
            if let sample = Self.sample(bytes, line) { return sample }
            self.badLines += 1
        }
        return nil
    }

    /// The value of `label` in a sample's labels, without unescaping; `nil` when absent.
    package static func label(
        _ label: StaticString, in bytes: Span<UInt8>, _ labels: ByteRange
    ) -> ByteRange? {
        var index = labels.start
        while index < labels.end {
            let nameStart = Bytes.skippingBlanks(bytes, index, labels.end)
            guard
                let equals = Bytes.firstIndex(
                    of: 0x3D, in: bytes, from: nameStart, to: labels.end),
                equals + 1 < labels.end, bytes[equals + 1] == 0x22,
                let close = Self.closingQuote(bytes, from: equals + 2, to: labels.end)
            else { return nil }
            let name = Bytes.trimmed(bytes, ByteRange(start: nameStart, end: equals))
            if Bytes.equals(bytes, name, label) {
                return ByteRange(start: equals + 2, end: close)
            }
            index = close + 1
            if index < labels.end, bytes[index] == 0x2C { index += 1 }
        }
        return nil
    }

    private static func sample(_ bytes: Span<UInt8>, _ line: ByteRange) -> Sample? {
        var index = line.start
        while index < line.end, Self.isName(bytes[index]) { index += 1 }
        guard index > line.start, index < line.end else { return nil }
        let name = ByteRange(start: line.start, end: index)
        var labels = ByteRange.empty
        if bytes[index] == 0x7B {
            guard let close = Self.closingBrace(bytes, from: index + 1, to: line.end) else {
                return nil
            }
            labels = ByteRange(start: index + 1, end: close)
            index = close + 1
        } else if bytes[index] != Bytes.space, bytes[index] != Bytes.tab {
            return nil
        }
        let rest = Bytes.trimmed(bytes, ByteRange(start: index, end: line.end))
        var valueEnd = rest.start
        while valueEnd < rest.end, bytes[valueEnd] != Bytes.space, bytes[valueEnd] != Bytes.tab {
            valueEnd += 1
        }
        guard let value = Self.number(bytes, ByteRange(start: rest.start, end: valueEnd)) else {
            return nil
        }
        return Sample(name: name, labels: labels, value: value)
    }

    private static func isName(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x3A, 0x41...0x5A, 0x5F, 0x61...0x7A: true
        default: false
        }
    }

    private static func closingQuote(_ bytes: Span<UInt8>, from start: Int, to end: Int) -> Int? {
        var index = start
        while index < end {
            if bytes[index] == 0x5C { index += 1 } else if bytes[index] == 0x22 { return index }
            index += 1
        }
        return nil
    }

    private static func closingBrace(_ bytes: Span<UInt8>, from start: Int, to end: Int) -> Int? {
        var index = start
        while index < end {
            if bytes[index] == 0x7D { return index }
            if bytes[index] == 0x22 {
                guard let close = Self.closingQuote(bytes, from: index + 1, to: end) else {
                    return nil
                }
                index = close
            }
            index += 1
        }
        return nil
    }

    private static func number(_ bytes: Span<UInt8>, _ range: ByteRange) -> Double? {
        guard range.count > 0, range.count <= 40 else { return nil }
        if let whole = Bytes.decimal(bytes, range) { return Double(whole) }
        let text = String(
            decoding: (range.start..<range.end).map { bytes[$0] }, as: UTF8.self)
        return text == "+Inf" ? .infinity : Double(text)
    }
}
