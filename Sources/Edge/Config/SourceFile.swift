#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Why a file or folder could not be read.
struct SourceFault: Error {
    var message: String
}

/// The files of a load, read with bounds.
enum SourceFile {
    /// Reads a whole file of at most `max` bytes. A larger one is refused by its size, unread; what
    /// has no size, as a pipe, is read to the bound.
    static func read(_ path: String, max: Int) throws(SourceFault) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.systemFault() }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Self.systemFault() }
        guard Int(status.st_size) <= max else { throw Self.tooLarge(Int(status.st_size), max) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = buffer.withUnsafeMutableBytes {
                readBytes(descriptor, $0.baseAddress, $0.count)
            }
            if count < 0 {
                guard errno == EINTR else { throw Self.systemFault() }
            } else if count == 0 {
                return bytes
            } else {
                bytes.append(contentsOf: buffer[..<count])
                guard bytes.count <= max else { throw Self.tooLarge(bytes.count, max) }
            }
        }
    }

    /// Whether the path is a folder; `false` when it cannot be looked at.
    static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    private static func isRegular(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    /// Paths of the `.yaml` and `.yml` files directly in a folder, hidden ones left out, in the
    /// order of their names' bytes.
    static func budgets(inFolder path: String) throws(SourceFault) -> [String] {
        guard let folder = opendir(path) else { throw Self.systemFault() }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            let isBudget = name.hasSuffix(".yaml") || name.hasSuffix(".yml")
            if isBudget, !name.hasPrefix("."), Self.isRegular("\(path)/\(name)") {
                names.append(name)
            }
        }
        let prefix = path.hasSuffix("/") ? path : "\(path)/"
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.map { prefix + $0 }
    }

    private static func tooLarge(_ size: Int, _ max: Int) -> SourceFault {
        SourceFault(
            message: "the file has \(size) bytes: at most \(max) are read, split it into several")
    }

    private static func systemFault() -> SourceFault {
        SourceFault(message: "cannot be read: \(String(cString: strerror(errno)))")
    }
}

/// The system's `read`, which `SourceFile.read` hides.
private func readBytes(_ descriptor: CInt, _ buffer: UnsafeMutableRawPointer?, _ count: Int) -> Int
{
    read(descriptor, buffer, count)
}
