import Foundation

/// Programs of the machine that tests use where they are there.
enum Tool {
    struct Result {
        var status: Int32
        var output: String
    }

    /// Runs to the end; `nil` input is none. Both streams are read as they come.
    static func run(_ path: String, _ arguments: [String], input: String? = nil) throws -> Result {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        let stdin = Pipe()
        process.standardInput = stdin
        try process.run()
        try stdin.fileHandleForWriting.write(contentsOf: Data((input ?? "").utf8))
        try stdin.fileHandleForWriting.close()
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return Result(
            status: process.terminationStatus, output: String(decoding: bytes, as: UTF8.self))
    }

    /// The first of `names` on the path.
    static func find(_ names: [String]) -> String? {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        return names.lazy.flatMap { name in folders.map { "\($0)/\(name)" } }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// A Python that can import `module`: the project's own environment, else the machine's.
    static func python(with module: String) -> String? {
        let root = URL(filePath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let own = root.appending(path: ".build/venv/bin/python3").path
        let candidates = [own, Self.find(["python3"])].compactMap { $0 }
        return candidates.filter { FileManager.default.isExecutableFile(atPath: $0) }.first {
            path in
            (try? Self.run(path, ["-c", "import \(module)"]))?.status == 0
        }
    }
}
