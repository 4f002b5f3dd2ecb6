import Foundation
import Testing

/// Documentation: comments on what rooms offer each other, and pages that keep what they promise.
struct DocumentationTests {
    private let checkout = Checkout.current

    /// Stored properties, constants and initialisers say what they are by name, unit and type, and
    /// their type's comment carries the rest. What a protocol asks for is documented there, so that
    /// an `extension Type: Protocol` need not say it again. Everything else is documented where it
    /// stands.
    @Test("Every package type and function has a doc comment")
    func comments() {
        let wrong = self.checkout.sources.flatMap { file in
            file.code.indices.compactMap { index -> String? in
                guard needsComment(file.code[index]), !hasComment(above: index, in: file.lines),
                    !isConformance(index, in: file.code)
                else { return nil }
                return "\(file.path):\(index + 1): "
                    + file.lines[index].trimmingCharacters(in: .whitespaces)
            }
        }
        expectNone(wrong, "Say what it is, its units, its bounds and how it fails:")
    }

    /// Whether a member stands in an extension that names a protocol.
    private func isConformance(_ index: Int, in code: [String]) -> Bool {
        guard code[index].hasPrefix("    ") else { return false }
        let opener = code[..<index].last { !$0.isEmpty && !$0.hasPrefix(" ") && $0 != "}" }
        guard let opener, opener.hasPrefix("extension ") else { return false }
        return opener.contains(": ")
    }

    private func needsComment(_ code: String) -> Bool {
        var words = code.split { " (".contains($0) }.map(String.init)
        guard let first = words.firstIndex(of: "package"),
            words[..<first].allSatisfy({ $0.hasPrefix("@") || modifiers.contains($0) })
        else { return false }
        words.removeFirst(first + 1)
        words.removeAll { modifiers.contains($0) || $0 == "set)" }
        guard let kind = words.first, words.count > 1 else { return false }
        switch kind {
        case "struct", "enum", "class", "actor", "protocol", "typealias": return true
        // An operator means what it means everywhere.
        case "func": return words[1].first.map { $0.isLetter || $0 == "_" || $0 == "`" } == true
        default: return false
        }
    }

    private let modifiers: Set<String> = [
        "static", "final", "mutating", "nonmutating", "consuming", "borrowing", "nonisolated",
        "indirect", "override", "lazy", "weak", "unowned", "private", "fileprivate", "convenience",
        "prefix", "postfix", "package",
    ]

    private func hasComment(above index: Int, in lines: [String]) -> Bool {
        for line in lines[..<index].reversed() {
            let text = line.trimmingCharacters(in: .whitespaces)
            // Attributes and a safety proof may stand between the comment and what it is about.
            if text.hasPrefix("@") || (text.hasPrefix("//") && !text.hasPrefix("///")) { continue }
            return text.hasPrefix("///") || text.hasSuffix("*/")
        }
        return false
    }

    @Test("Every link in a page leads somewhere")
    func links() {
        var dead: [String] = []
        for page in self.checkout.markdown {
            for match in page.lines.joined(separator: "\n").matches(of: /\]\(([^)\s]+)\)/) {
                let link = String(match.output.1)
                if link.contains("://") || link.hasPrefix("mailto:") { continue }
                if !self.resolves(link, from: page) { dead.append("\(page.path): \(link)") }
            }
        }
        expectNone(dead, "Dead links:")
    }

    /// Whether a relative link, with or without an anchor, leads to a file and a heading in it.
    private func resolves(_ link: String, from page: TextFile) -> Bool {
        let parts = link.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        let folder = URL(filePath: "/" + page.path).deletingLastPathComponent()
        let url =
            parts[0].isEmpty
            ? URL(filePath: "/" + page.path) : folder.appending(path: String(parts[0]))
        let target = String(url.standardizedFileURL.path.dropFirst())
        guard self.checkout.exists(target) else { return false }
        guard parts.count == 2 else { return true }
        let lines: [String] = self.checkout.file(target)?.lines ?? []
        return lines.contains { self.anchor($0) == String(parts[1]) }
    }

    /// The anchor a heading gets: lower case, spaces as dashes, punctuation dropped.
    private func anchor(_ line: String) -> String? {
        guard line.hasPrefix("#") else { return nil }
        return line.drop { $0 == "#" || $0 == " " }.lowercased()
            .filter { $0.isLetter || $0.isNumber || $0 == " " || $0 == "-" || $0 == "_" }
            .replacing(" ", with: "-")
    }

    @Test("Every make target and script that a page names exists")
    func commands() {
        let makefile = self.checkout.file("Makefile")?.lines ?? []
        let targets = Set(makefile.compactMap { $0.wholeMatch(of: /([a-z]+):.*/)?.output.1 })
        var dead: [String] = []
        for page in self.checkout.markdown {
            for line in page.lines {
                for match in line.matches(of: /(?:`|^|&& |    )make ([a-z]+)/)
                where !targets.contains(match.output.1) {
                    dead.append("\(page.path): make \(match.output.1)")
                }
                for match in line.matches(
                    of: /(?:`|^|    )((?:scripts|Benchmarks)\/[A-Za-z][A-Za-z.-]*)/)
                where !self.checkout.exists(String(match.output.1)) {
                    dead.append("\(page.path): \(match.output.1)")
                }
            }
        }
        expectNone(dead, "Named in a page, absent from the project:")
        for name in ["run", "test"] {
            let named = self.checkout.file("README.md")?.lines.contains {
                $0.contains("make \(name)")
            }
            #expect(named == true, "README.md does not name make \(name)")
        }
    }
}
