import EventLoop
import Glibc
import HTTP
import TestSockets
import Testing

private let milliseconds: UInt64 = 1_000_000

/// How fast a body must come, and what is left of it afterwards.
@Suite struct ServerPaceTests {
    /// Waits for the server's word, at most so long.
    private func says(_ client: RawSocket, millis: Int32) -> Bool {
        var poll = pollfd(descriptor: client.descriptor)
        return Glibc.poll(&poll, 1, millis) == 1
    }

    private func limits(_ bodyNanosMax: UInt64) -> ServerLimits {
        var limits = ServerLimits()
        limits.bodyNanosMax = bodyNanosMax
        return limits
    }

    private static let head = "POST /p HTTP/1.1\r\nHost: a\r\n"
    private static let chunked = head + "Transfer-Encoding: chunked\r\n\r\n"

    @Test(
        "a body that trickles is given up, though no pause in it is long",
        arguments: [
            (head + "Content-Length: 1000000\r\n\r\n", "x"), (chunked, "1\r\nx\r\n"),
            (chunked + "fffff\r\n", "x"),
        ])
    func trickle(_ start: String, _ drop: String) throws {
        let port = try startServer(.echo(), limits: self.limits(150 * milliseconds))
        let client = RawSocket(port: port)
        client.send(start)
        let begun = monotonicNanos()
        var sent = 0
        while !self.says(client, millis: 5), monotonicNanos() < begun + 5_000 * milliseconds {
            client.send(drop)
            sent += 1
        }
        #expect(client.ends())
        #expect(sent > 5 && monotonicNanos() < begun + 4_000 * milliseconds, "\(sent)")
    }

    @Test(
        "a body that comes at the least rate is waited for, however long it takes",
        arguments: [false, true])
    func steady(_ isChunked: Bool) throws {
        var limits = self.limits(250 * milliseconds)
        limits.bodyBytesPerSecondMin = 1_000
        let behaviour = Behaviour { connection, seen in
            connection.respond(status: 200, body: Array("\(seen.body.utf8.count)".utf8))
        }
        let client = RawSocket(port: try startServer(behaviour, limits: limits))
        let piece = String(repeating: "x", count: 100)
        client.send(isChunked ? Self.chunked : Self.head + "Content-Length: 12000\r\n\r\n")
        for _ in 0..<120 {
            client.send(isChunked ? "64\r\n\(piece)\r\n" : piece)
            // Nothing is to come yet: this is the client's own pace.
            if self.says(client, millis: 5) { break }
        }
        if isChunked { client.send("0\r\n\r\n") }
        #expect(client.message()?.text == "12000")
    }

    @Test(
        "a connection between requests holds nothing of a large one",
        arguments: [
            (head + "Content-Length: 3000000\r\n\r\n", ""),
            (chunked + "2dc6c0\r\n", "\r\n0\r\n\r\n"),
        ])
    func holdsNothing(_ start: String, _ end: String) throws {
        let held = Locked<ServerConnection?>(nil)
        let storage = Locked<[Bool]>([])
        let behaviour = Behaviour { connection, seen in
            if seen.target == "/look" {
                let other = held.withLock { $0 }
                storage.withLock { $0.append(other?.buffer.bytes.baseAddress != nil) }
            } else {
                held.withLock { $0 = connection }
                storage.withLock { $0.append(connection.buffer.bytes.baseAddress != nil) }
            }
            connection.respond(status: 200, body: [])
        }
        let port = try startServer(behaviour, bufferedBytes: 4_000_000)
        let look = RawSocket(port: port)
        let client = RawSocket(port: port)
        // The bound on all bodies is given back too, or the second one would find it used up.
        for _ in 0..<2 {
            client.send(start)
            client.send([UInt8](repeating: 0x78, count: 3_000_000))
            client.send(end)
            #expect(client.message()?.status == 200)
            look.send("GET /look HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(look.message()?.status == 200)
        }
        #expect(storage.withLock { $0 } == [true, false, true, false])
    }
}
