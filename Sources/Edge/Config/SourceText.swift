/// The bytes of one file after the checks that need no YAML, in one pass.
struct SourceText {
    private let bytes: [UInt8]
    private let fileIndex: Int

    init(bytes: [UInt8], fileIndex: Int) {
        self.bytes = bytes
        self.fileIndex = fileIndex
    }

    /// Reports what no YAML reader should see: bytes that are not UTF-8, control characters,
    /// separators that editors do not show as line ends, directives. True when there was none.
    ///
    /// Positions past a broken byte sequence mean little, so that fault ends the pass.
    func check(into faults: FaultList) -> Bool {
        var isClean = true
        var position = Position(file: self.fileIndex, line: 1, column: 1)
        var index = 0
        while index < self.bytes.count {
            guard let (scalar, length) = self.scalar(at: index) else {
                faults.add(
                    position,
                    "byte \(hexadecimal(self.bytes[index])) is not UTF-8: save the file as UTF-8")
                return false
            }
            if Self.isRefused(scalar, atLineStart: position.column == 1) {
                faults.add(position, Self.refusal(of: scalar))
                isClean = false
            }
            index += length
            let isCarriageReturnOfPair =
                scalar == "\r" && index < self.bytes.count
                && self.bytes[index] == UInt8(ascii: "\n")
            if scalar == "\n" || (scalar == "\r" && !isCarriageReturnOfPair) {
                position.line += 1
                position.column = 1
            } else {
                position.column += 1
            }
        }
        return isClean
    }

    /// Places of tabs among the blanks that begin a line, at most one a line.
    func indentationTabs() -> [Position] {
        var tabs: [Position] = []
        var position = Position(file: self.fileIndex, line: 1, column: 1)
        var inIndentation = true
        for byte in self.bytes {
            switch byte {
            case UInt8(ascii: "\n"):
                position.line += 1
                position.column = 0
                inIndentation = true
            case UInt8(ascii: "\t") where inIndentation:
                tabs.append(position)
                inIndentation = false
            case UInt8(ascii: " "):
                break
            default:
                inIndentation = false
            }
            position.column += 1
            if tabs.count == ConfigurationLimits.faultsMax { break }
        }
        return tabs
    }

    /// The place after the last character.
    var end: Position {
        var position = Position(file: self.fileIndex, line: 1, column: 1)
        var previous: UInt8 = 0
        for byte in self.bytes {
            if byte == UInt8(ascii: "\n"), previous == UInt8(ascii: "\r") {
                // The second half of a line end.
            } else if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") {
                position.line += 1
                position.column = 1
            } else if byte & 0xC0 != 0x80 {
                position.column += 1
            }
            previous = byte
        }
        return position
    }

    private static func isRefused(_ scalar: Unicode.Scalar, atLineStart: Bool) -> Bool {
        switch scalar.value {
        case 0x09, 0x0A, 0x0D: false
        case 0x25: atLineStart
        case 0x00..<0x20, 0x7F..<0xA0, 0x2028, 0x2029, 0xFEFF, 0xFFFE, 0xFFFF: true
        default: false
        }
    }

    private static func refusal(of scalar: Unicode.Scalar) -> String {
        switch scalar.value {
        case 0x25:
            "YAML directives (%) are not accepted: remove this line"
        case 0x00..<0xA0:
            "control character \(hexadecimal(UInt8(scalar.value))) is not allowed: remove it"
        default:
            "invisible character U+\(String(scalar.value, radix: 16, uppercase: true)) "
                + "is not allowed: remove it"
        }
    }

    /// Decodes the scalar at `index`; `nil` when the bytes there are not well-formed UTF-8.
    private func scalar(at index: Int) -> (Unicode.Scalar, length: Int)? {
        let first = self.bytes[index]
        if first < 0x80 {
            return (Unicode.Scalar(first), 1)
        }
        let length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2
        guard first >= 0xC2, first <= 0xF4, index + length <= self.bytes.count else { return nil }
        var value = UInt32(first) & (0x7F >> UInt32(length))
        for byte in self.bytes[(index + 1)..<(index + length)] {
            guard byte & 0xC0 == 0x80 else { return nil }
            value = value << 6 | UInt32(byte & 0x3F)
        }
        let smallest: UInt32 = length == 4 ? 0x1_0000 : length == 3 ? 0x800 : 0x80
        guard value >= smallest else { return nil }
        return Unicode.Scalar(value).map { ($0, length) }
    }
}

/// `0x0A`.
private func hexadecimal(_ byte: UInt8) -> String {
    let digits = String(byte, radix: 16, uppercase: true)
    return "0x" + (digits.utf8.count < 2 ? "0" : "") + digits
}
