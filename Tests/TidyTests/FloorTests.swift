import Foundation
import Testing

/// The floors: ARCHITECTURE.md's table is the rule, and the sources must obey it.
struct FloorTests {
    private let checkout = Checkout.current

    /// What each room may import, from the rows `| Floor/Room | A, B | ... |`.
    private var table: [(room: String, imports: Set<String>)] {
        (self.checkout.file("ARCHITECTURE.md")?.lines ?? []).compactMap { line in
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            guard line.hasPrefix("| `"), cells.count == 4 else { return nil }
            let imports = cells[1].split(separator: ",").map {
                $0.trimmingCharacters(in: CharacterSet(charactersIn: " `"))
            }
            return (
                cells[0].trimmingCharacters(in: CharacterSet(charactersIn: "`")), Set(imports)
            )
        }
    }

    @Test("A room imports only what its row in ARCHITECTURE.md allows")
    func imports() {
        let allowed = Dictionary(
            self.table.map { ($0.room, $0.imports) }, uniquingKeysWith: { first, _ in first })
        #expect(!allowed.isEmpty, "ARCHITECTURE.md has no table of rooms")
        let wrong = findings(in: self.checkout.sources) { file, line in
            guard let room = file.room, !room.hasPrefix("System/"),
                let module = importedModule(line)
            else { return false }
            // One C library, under the name each platform gives it.
            let name = ["Darwin", "Musl"].contains(module) ? "Glibc" : module
            return allowed[room]?.contains(name) != true
        }
        expectNone(wrong, "Change the room, or its row and its reason in ARCHITECTURE.md:")
    }

    @Test("Arrows run down only: Policy sees Policy, Twin sees Policy, Edge sees no front door")
    func arrows() {
        let floorOf = Dictionary(
            self.table.map { row in
                let parts = row.room.split(separator: "/").map(String.init)
                return (parts.last ?? "", parts[0])
            }, uniquingKeysWith: { first, _ in first })
        let mayUse: [String: Set<String>] = [
            "Policy": ["Policy"], "Twin": ["Policy", "Twin"], "Edge": ["Policy", "Twin", "Edge"],
            "plimsoll": ["Policy", "Twin", "Edge"],
        ]
        let wrong = self.table.flatMap { row in
            let floor = String(row.room.split(separator: "/")[0])
            return row.imports.sorted().compactMap { module -> String? in
                if module == "nothing" { return nil }
                let outside = floorOf[module] == nil
                if outside {
                    return ["Policy", "Twin"].contains(floor) ? "\(row.room): \(module)" : nil
                }
                return mayUse[floor]?.contains(floorOf[module] ?? "") == true
                    ? nil : "\(row.room): \(module)"
            }
        }
        expectNone(wrong, "These rows of ARCHITECTURE.md point upwards or out of the house:")
    }

    @Test("Every room has a row in ARCHITECTURE.md, and every row a room with sources")
    func rooms() {
        let built = Set(self.checkout.sources.compactMap(\.room)).filter {
            !$0.hasPrefix("System/")
        }
        let described = Set(self.table.map(\.room))
        expectNone(built.subtracting(described).sorted(), "No row in ARCHITECTURE.md:")
        expectNone(
            described.subtracting(built).sorted(),
            "A row, but no sources:")
    }

    @Test("Every folder of sources or tests is a target of the manifest, and no folder is empty")
    func targets() {
        let manifest = self.checkout.file("Package.swift")?.lines.joined(separator: "\n") ?? ""
        var dead: [String] = []
        for parent in ["Sources/Policy", "Sources/Twin", "Sources/Edge", "Sources/System", "Tests"]
        {
            let folder = self.checkout.root.appending(path: parent)
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
            for name in names.sorted() where name != "Fuzz" {
                let path = "\(parent)/\(name)"
                if !manifest.contains("\"\(name)\"") { dead.append("\(path): not in the manifest") }
                if !self.checkout.files.contains(where: { $0.path.hasPrefix(path + "/") })
                    && !self.checkout.exists(path + "/module.modulemap")
                {
                    dead.append("\(path): no sources")
                }
            }
        }
        expectNone(dead, "Dead folders:")
    }

    @Test("Every fuzz target is in the manifest and has a corpus")
    func fuzzTargets() {
        let manifest = self.checkout.file("Package.swift")?.lines.joined(separator: "\n") ?? ""
        let wrong = self.checkout.swift.map(\.path)
            .filter { $0.hasPrefix("Tests/Fuzz/") && $0.hasSuffix("/Fuzz.swift") }
            .filter { path in
                let name = path.split(separator: "/")[2]
                return !manifest.contains("fuzz(\"\(name)\"")
                    || !self.checkout.exists("Tests/Fuzz/\(name)/corpus")
            }
        expectNone(wrong, "Name it in Package.swift and commit a corpus beside it:")
    }
}

/// The module of an import line in whatever access and form; nil for another line.
private func importedModule(_ line: String) -> String? {
    var words = line.split(separator: " ")
    while let first = words.first,
        first.hasPrefix("@")
            || ["package", "public", "internal", "private", "fileprivate"].contains(first)
    {
        words.removeFirst()
    }
    guard words.first == "import", words.count > 1 else { return nil }
    let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "func", "var", "let"]
    let name = kinds.contains(words[1]) && words.count > 2 ? words[2] : words[1]
    return name.split(separator: ".").first.map(String.init)
}
