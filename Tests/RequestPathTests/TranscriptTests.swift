#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif
import Testing

/// Stories told as events and the actions they cause: one file each, a command, `----`, what
/// follows. `PLIMSOLL_REWRITE=1` writes what follows anew, to be reviewed as a difference.
@Suite struct TranscriptTests {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Transcripts")

    @Test(arguments: [
        "burst", "cold-start", "degrade", "ejection", "hedge", "infeasible", "quota", "retry",
    ])
    func `the story goes as it is written`(_ name: String) throws {
        let file = Self.folder.appendingPathComponent("\(name).txt")
        let written = try String(contentsOf: file, encoding: .utf8)
        let told = Transcript.retell(written)
        if ProcessInfo.processInfo.environment["PLIMSOLL_REWRITE"] == "1" {
            try told.write(to: file, atomically: true, encoding: .utf8)
        } else {
            #expect(told == written)
        }
    }
}
