import Glibc

/// What the system says of this process, read from `/proc/self`.
package struct ProcessFigures: Sendable {
    /// User and system time of all threads.
    package var cpuSeconds = 0.0
    package var residentBytes: UInt64 = 0
    package var openFiles: UInt64 = 0
    package var openFilesMax: UInt64 = 0
    package var threads: UInt64 = 0

    /// Reads them now; what cannot be read stays zero.
    package init() {
        var usage = rusage()
        if getrusage(RUSAGE_SELF.rawValue, &usage) == 0 {
            self.cpuSeconds = Self.seconds(usage.ru_utime) + Self.seconds(usage.ru_stime)
        }
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            self.openFilesMax = UInt64(limit.rlim_cur)
        }
        self.readStatus()
        self.openFiles = Self.countFiles()
    }

    private static func seconds(_ time: timeval) -> Double {
        Double(time.tv_sec) + Double(time.tv_usec) / 1e6
    }

    private mutating func readStatus() {
        for line in Self.read("/proc/self/status").split(separator: "\n") {
            let parts = line.split(whereSeparator: { $0 == ":" || $0 == "\t" || $0 == " " })
            guard parts.count >= 2, let value = UInt64(parts[1]) else { continue }
            if parts[0] == "VmRSS" { self.residentBytes = value << 10 }
            if parts[0] == "Threads" { self.threads = value }
        }
    }

    private static func countFiles() -> UInt64 {
        guard let folder = opendir("/proc/self/fd") else { return 0 }
        defer { closedir(folder) }
        var count: UInt64 = 0
        while readdir(folder) != nil { count += 1 }
        // ".", ".." and the descriptor of this very walk.
        return count > 3 ? count - 3 : 0
    }

    private static func read(_ path: String) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 8192)
        let count = Glibc.read(descriptor, &buffer, buffer.count)
        return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : ""
    }
}
