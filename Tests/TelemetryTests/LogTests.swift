import Foundation
import Synchronization
import Telemetry
import Testing

struct LogTests {
    private static let noon: UInt64 = 1_795_435_200_123_456_789

    @Test("A line is one JSON object with time, level, event and fields in order")
    func json() {
        let line = LogLine(
            .warn, "request_failed",
            [
                ("id", .text("a\"\\\n\u{1}")), ("ms", .number(1.5)), ("tries", .whole(2)),
                ("whole", .flag(false)), ("faults", .list(["x", "y"])), ("odd", .number(.nan)),
            ])
        #expect(
            String(decoding: line.json(unixNanos: Self.noon), as: UTF8.self)
                == "{\"ts\":\"2026-11-23T12:00:00.123Z\",\"level\":\"warn\""
                + ",\"event\":\"request_failed\""
                + ",\"id\":\"a\\\"\\\\\\n\\u0001\",\"ms\":1.5,\"tries\":2,\"whole\":false"
                + ",\"faults\":[\"x\",\"y\"],\"odd\":null}\n")
    }

    @Test("Every line can be read back as JSON, whatever stands in it")
    func readBack() throws {
        let text = String(String.UnicodeScalarView((0..<0x250).compactMap { Unicode.Scalar($0) }))
        let line = LogLine(.info, text, [(text, .text(text))])
        let object = try JSONSerialization.jsonObject(
            with: Data(line.json(unixNanos: Self.noon)))
        #expect((object as? [String: String])?[text] == text)
    }

    @Test("On a terminal no field can move the cursor or make a line of its own")
    func human() {
        let line = LogLine(.warn, "request_failed", [("id", .text("a\u{1B}[2J\r\nb\u{9B}1m"))])
        #expect(
            String(decoding: line.human(unixNanos: Self.noon), as: UTF8.self)
                == "12:00:00 warn: request failed  id=a[2Jb1m\n")
    }

    @Test("Of one kind only so many lines a second are taken, and the next says how many were not")
    func rate() throws {
        let clock = TestClock()
        let pipe = Self.pipe()
        let log = Log(
            descriptor: pipe.fileHandleForWriting.fileDescriptor, form: .json, ratePerSecond: 2,
            clock: { clock.now })
        for _ in 0..<5 { log.write(LogLine(.info, "often")) }
        log.write(LogLine(.info, "seldom"))
        clock.advance(bySeconds: 1)
        log.write(LogLine(.info, "often"))
        let lines = try Self.read(4, from: pipe)
        #expect(lines.filter { $0.contains("often") }.count == 3)
        #expect(lines.filter { $0.contains("seldom") }.count == 1)
        #expect(lines.last?.contains("\"dropped_before\":3") == true)
        #expect(log.droppedLines == 3)
    }

    @Test("A reader that does not read holds nobody up, and what waits is bounded")
    func stalledReader() {
        let clock = TestClock()
        let pipe = Self.pipe()
        let log = Log(
            descriptor: pipe.fileHandleForWriting.fileDescriptor, form: .json,
            ratePerSecond: .max, clock: { clock.now })
        let long = String(repeating: "x", count: 10_000)
        for _ in 0..<1000 { log.write(LogLine(.info, "long", [("text", .text(long))])) }
        // A pipe of 64 KiB, a batch under way, a megabyte waiting: the rest is dropped.
        #expect(log.droppedLines > 500)
    }

    /// A pipe that is never closed: a log's thread writes to it for as long as the process lives.
    private static func pipe() -> Pipe {
        let pipe = Pipe()
        _ = Unmanaged.passRetained(pipe)
        return pipe
    }

    private static func read(_ count: Int, from pipe: Pipe) throws -> [String] {
        var bytes = Data()
        while bytes.filter({ $0 == 0x0A }).count < count {
            let more = pipe.fileHandleForReading.availableData
            if more.isEmpty { break }
            bytes += more
        }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }
}

/// A clock that goes when it is told to.
private final class TestClock: Sendable {
    private let nanos = Atomic<UInt64>(1_795_435_200_000_000_000)

    var now: UInt64 { self.nanos.load(ordering: .relaxed) }

    func advance(bySeconds seconds: UInt64) {
        self.nanos.wrappingAdd(seconds * 1_000_000_000, ordering: .relaxed)
    }
}

struct ProcessFiguresTests {
    @Test("A process that runs has memory, files and a thread")
    func figures() {
        let figures = ProcessFigures()
        #expect(figures.residentBytes > 1 << 20)
        #expect(figures.openFiles >= 3)
        #expect(figures.openFilesMax >= figures.openFiles)
        #expect(figures.threads >= 1)
    }
}
