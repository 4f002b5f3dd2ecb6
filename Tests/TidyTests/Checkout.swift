import Foundation

/// One text file of the checkout.
struct TextFile: Sendable {
    /// Relative to the package root.
    let path: String
    let lines: [String]
    /// The same lines with comments and string contents blanked: what the compiler reads as code.
    let code: [String]

    /// `Policy/Budget` for a file in that room, `plimsoll` for the front door, else nil.
    var room: String? {
        let parts = self.path.split(separator: "/")
        guard parts.count > 2, parts[0] == "Sources" else { return nil }
        return parts[1] == "plimsoll" ? "plimsoll" : parts[1...2].joined(separator: "/")
    }
}

/// The files that are the project: everything but what is built, hidden or fetched.
struct Checkout: Sendable {
    static let current = Checkout()

    let root: URL
    /// Sorted by path, so that findings come in one order.
    let files: [TextFile]

    var swift: [TextFile] { self.files.filter { $0.path.hasSuffix(".swift") } }
    var sources: [TextFile] { self.swift.filter { $0.path.hasPrefix("Sources/") } }
    var markdown: [TextFile] { self.files.filter { $0.path.hasSuffix(".md") } }

    private static let textual: Set<String> = [
        "swift", "md", "sh", "py", "js", "html", "css", "c", "h", "cpp", "yaml", "yml", "json", "",
    ]

    private init() {
        self.root = URL(filePath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let base = self.root.standardizedFileURL.path + "/"
        var files: [TextFile] = []
        let walk = FileManager.default.enumerator(
            at: self.root, includingPropertiesForKeys: [.isRegularFileKey],
            options: [.skipsHiddenFiles])
        while let url = walk?.nextObject() as? URL {
            let path = url.standardizedFileURL.path
            let relative = path.hasPrefix(base) ? String(path.dropFirst(base.count)) : path
            if relative.hasSuffix("/corpus") || relative.hasSuffix("/Resources") {
                walk?.skipDescendants()
                continue
            }
            guard Self.textual.contains(url.pathExtension),
                (try? url.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile) == true,
                let text = try? String(contentsOf: url, encoding: .utf8)
            else { continue }
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
                .map(String.init)
            let isSwift = relative.hasSuffix(".swift")
            files.append(
                TextFile(path: relative, lines: lines, code: isSwift ? blanked(lines) : lines))
        }
        self.files = files.sorted { $0.path < $1.path }
    }

    /// The file at `path`, or nil.
    func file(_ path: String) -> TextFile? {
        self.files.first { $0.path == path }
    }

    func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: self.root.appending(path: path).path)
    }
}

/// Blanks comments and the insides of string literals, keeping every line's number.
///
/// A lexer of four states is enough for a checker of style: it reads nested block comments, raw and
/// multi-line strings and back-ticked names. An interpolation is blanked with its string.
private func blanked(_ lines: [String]) -> [String] {
    var commentDepth = 0
    var closing: [UInt8]?
    return lines.map { line in
        let bytes = Array(line.utf8)
        var out: [UInt8] = []
        var at = 0
        func starts(_ text: [UInt8]) -> Bool { bytes[at...].starts(with: text) }
        while at < bytes.count {
            if commentDepth > 0 {
                let opens = starts(Array("/*".utf8))
                let closes = starts(Array("*/".utf8))
                commentDepth += opens ? 1 : closes ? -1 : 0
                at += opens || closes ? 2 : 1
            } else if let end = closing {
                if bytes[at] == UInt8(ascii: "\\"), end.last != UInt8(ascii: "#") {
                    at += 2
                } else if starts(end) {
                    out += end
                    at += end.count
                    closing = nil
                } else {
                    at += 1
                }
            } else if starts(Array("//".utf8)) {
                break
            } else if starts(Array("/*".utf8)) {
                commentDepth = 1
                at += 2
            } else if let end = stringEnd(bytes[at...]) {
                out += end
                at += end.count
                closing = end
            } else if bytes[at] == UInt8(ascii: "`"),
                let end = bytes[(at + 1)...].firstIndex(of: UInt8(ascii: "`"))
            {
                out += Array("`name`".utf8)
                at = end + 1
            } else {
                out.append(bytes[at])
                at += 1
            }
        }
        // A one-line string ends with its line even in code that would not compile.
        if let end = closing, end.filter({ $0 == UInt8(ascii: "\"") }).count == 1 { closing = nil }
        return String(decoding: out, as: UTF8.self)
    }
}

/// The delimiter that ends the string literal starting here; nil where none starts.
private func stringEnd(_ bytes: ArraySlice<UInt8>) -> [UInt8]? {
    let hashes = bytes.prefix { $0 == UInt8(ascii: "#") }.count
    let quotes = bytes.dropFirst(hashes).prefix { $0 == UInt8(ascii: "\"") }.count
    guard quotes > 0 else { return nil }
    let quote = [UInt8](repeating: UInt8(ascii: "\""), count: quotes >= 3 ? 3 : 1)
    return quote + [UInt8](repeating: UInt8(ascii: "#"), count: hashes)
}
