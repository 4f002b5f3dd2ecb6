import Testing

/// Sizes: a file is one idea, a function fits a screen.
struct SizeTests {
    private let checkout = Checkout.current

    @Test("A file has at most 500 lines, a test 700, and a line at most 100 columns")
    func filesAndLines() {
        let long = self.checkout.swift.filter {
            $0.lines.count - 1 > ($0.path.hasPrefix("Tests/") ? 700 : 500)
        }
        expectNone(long.map { "\($0.path): \($0.lines.count - 1) lines" }, "More than one idea?")
        let wide = findings(in: self.checkout.swift, raw: true) { $1.count > 100 }
        expectNone(wide, "Wider than 100 columns:")
    }

    @Test("A function has at most 70 lines")
    func functions() {
        let long = self.checkout.swift.flatMap { file in
            functionLengths(file.code).filter { $0.lines > 70 }
                .map { "\(file.path):\($0.start): \($0.lines) lines" }
        }
        expectNone(long, "Longer than 70 lines:")
    }

    @Test("A function's length is counted from its first line to its closing brace")
    func counting() {
        let lengths = functionLengths([
            "struct A {", "    func f(", "        x: Int", "    ) {", "        if true { g() }",
            "    }", "    init() {}", "}", "protocol P { func p() }", "func q() {", "}",
        ])
        #expect(lengths.map(\.start) == [2, 7, 10])
        #expect(lengths.map(\.lines) == [5, 1, 2])
    }
}

/// First line and length of every function and initializer with a body, nested ones too.
private func functionLengths(_ code: [String]) -> [(start: Int, lines: Int)] {
    var open: [(start: Int, depth: Int)] = []
    var pending: Int?
    var depth = 0
    var lengths: [(start: Int, lines: Int)] = []
    for (number, line) in code.enumerated() {
        let words = line.split { !($0.isLetter || $0 == "_") }
        let declares = words.prefix(8).contains { $0 == "func" || $0 == "init" || $0 == "deinit" }
        // `self.init(...)` and `.init(...)` are calls; a declaration has no dot before the word.
        if declares, !line.contains(".init"), !line.hasPrefix("protocol") { pending = number + 1 }
        for byte in line.utf8 {
            if byte == UInt8(ascii: "{") {
                if let start = pending {
                    open.append((start, depth))
                    pending = nil
                }
                depth += 1
            } else if byte == UInt8(ascii: "}") {
                depth -= 1
                if let last = open.last, last.depth == depth {
                    lengths.append((last.start, number + 2 - last.start))
                    open.removeLast()
                }
            }
        }
    }
    return lengths.sorted { $0.start < $1.start }
}
