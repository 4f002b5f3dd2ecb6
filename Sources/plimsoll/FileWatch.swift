import Glibc

/// Notices that the budget's files changed, by looking at them: works on every file system, and
/// with the links that Kubernetes swaps under a mounted ConfigMap.
struct FileWatch {
    /// What tells one state of a file from another.
    private struct Mark: Equatable {
        var path: String
        var device: UInt64 = 0
        var inode: UInt64 = 0
        var size = 0
        var seconds = 0
        var nanos = 0
    }

    /// Files of one folder looked at.
    private static let filesMax = 1000

    private let paths: [String]
    private var marks: [Mark]

    init(_ paths: [String]) {
        self.paths = paths
        self.marks = Self.look(at: paths)
    }

    /// Whether anything changed since the last call, or since the start.
    mutating func hasChanged() -> Bool {
        let now = Self.look(at: self.paths)
        guard now != self.marks else { return false }
        self.marks = now
        return true
    }

    private static func look(at paths: [String]) -> [Mark] {
        paths.flatMap { path -> [Mark] in
            let names = Self.budgets(in: path)
            return [Self.mark(of: path)] + names.map { Self.mark(of: "\(path)/\($0)") }
        }
    }

    /// A missing file has a mark, too.
    private static func mark(of path: String) -> Mark {
        var status = stat()
        guard stat(path, &status) == 0 else { return Mark(path: path) }
        return Mark(
            path: path, device: UInt64(status.st_dev), inode: UInt64(status.st_ino),
            size: Int(status.st_size), seconds: Int(status.st_mtim.tv_sec),
            nanos: Int(status.st_mtim.tv_nsec))
    }

    /// Names of budgets directly in a folder, sorted; none for what is no folder.
    private static func budgets(in path: String) -> [String] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while names.count < Self.filesMax, let entry = readdir(folder) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name.hasSuffix(".yaml") || name.hasSuffix(".yml") { names.append(name) }
        }
        return names.sorted()
    }
}
