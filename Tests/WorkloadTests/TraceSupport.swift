import Foundation
import Workload

/// A source that gives `bytes` in pieces of `size`.
func chunks(_ bytes: [UInt8], of size: Int) -> ChunkSource {
    var position = 0
    return {
        guard position < bytes.count else { return nil }
        let end = min(position + size, bytes.count)
        defer { position = end }
        return Array(bytes[position..<end])
    }
}

/// Reads a whole trace held in a string.
func readAll(
    _ format: TraceFormat, _ text: String, chunk: Int = 1_000
) throws(TraceFault) -> [Arrival] {
    try readAll(format, Array(text.utf8), chunk: chunk)
}

/// Reads a whole trace held in memory.
func readAll(
    _ format: TraceFormat, _ bytes: [UInt8], chunk: Int
) throws(TraceFault) -> [Arrival] {
    var reader = TraceReader(format: format, source: chunks(bytes, of: chunk))
    var arrivals: [Arrival] = []
    while let arrival = try reader.next() { arrivals.append(arrival) }
    return arrivals
}

/// The fault that reading gives; nil when it gives none.
func fault(_ format: TraceFormat, _ text: String) -> TraceFault? {
    do {
        _ = try readAll(format, text)
        return nil
    } catch {
        return error
    }
}

/// A real trace beside the project; nil when it is not there.
func realTrace(_ path: String) -> [UInt8]? {
    let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let file = root.appending(path: "../shared/data/\(path)").standardizedFileURL
    return (try? Data(contentsOf: file)).map { Array($0) }
}
