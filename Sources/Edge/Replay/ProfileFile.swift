package import EngineModel
import FoundationEssentials
import Glibc

/// Engine profiles in files: JSON of the schema `plimsoll.profile/v1`.
package enum ProfileFile {
    /// A profile is a thousand bytes long.
    private static let bytesMax = 64 << 10

    /// Whether a profile's name on a command line means a file: it holds a slash or ends in
    /// `.json`.
    package static func isPath(_ text: String) -> Bool {
        text.contains("/") || text.hasSuffix(".json")
    }

    /// Reads and judges a file; the fault names it and lists every problem, a line each.
    package static func read(_ path: String) throws(ReplayFault) -> EngineProfile {
        try Self.document(try Self.bytes(path), named: path).profile
    }

    /// Judges the content of a file called `name`.
    package static func document(
        _ bytes: [UInt8], named name: String
    ) throws(ReplayFault) -> ProfileDocument {
        do {
            return try JSONDecoder().decode(ProfileDocument.self, from: Data(bytes))
        } catch let fault as ProfileFault {
            throw ReplayFault(fault.problems.map { "\(name): \($0)" }.joined(separator: "\n"))
        } catch {
            throw ReplayFault("\(name): is no JSON; plimsoll engine calibrate --write makes one")
        }
    }

    /// Writes a document, whole or not at all; an existing file is replaced.
    package static func write(
        _ document: ProfileDocument, to path: String
    ) throws(ReplayFault) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(document) else {
            throw ReplayFault("\(path): the profile holds a number that JSON cannot")
        }
        // Beside it first: whoever reads the file meanwhile sees the old one or the new one.
        let partial = path + ".partial"
        let descriptor = open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0, Self.writeAll(data + [0x0A], to: descriptor),
            rename(partial, path) == 0
        else {
            let why = String(cString: strerror(errno))
            unlink(partial)
            throw ReplayFault("\(path): cannot be written: \(why)")
        }
    }

    /// Writes and closes; false, with `errno`, when that failed.
    private static func writeAll(_ bytes: Data, to descriptor: Int32) -> Bool {
        var rest = Array(bytes)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            rest = rest.dropFirst(count)
        }
        let why = errno
        let isClosed = close(descriptor) == 0
        if !rest.isEmpty { errno = why }
        return rest.isEmpty && isClosed
    }

    private static func bytes(_ path: String) throws(ReplayFault) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw ReplayFault("\(path): cannot be opened: \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: Self.bytesMax + 1)
        var filled = 0
        while filled < bytes.count {
            let count = bytes.withUnsafeMutableBytes { space in
                Glibc.read(
                    descriptor, space.baseAddress.map { $0 + filled }, space.count - filled)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw ReplayFault("\(path): cannot be read: \(String(cString: strerror(errno)))")
            }
            if count == 0 { break }
            filled += count
        }
        guard filled <= Self.bytesMax else {
            throw ReplayFault("\(path): is longer than \(Self.bytesMax >> 10) KiB: no profile is")
        }
        return Array(bytes[..<filled])
    }
}
