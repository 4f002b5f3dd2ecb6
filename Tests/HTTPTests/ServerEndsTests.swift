import Glibc
import HTTP
import TestSockets
import Testing
import Wire

private let milliseconds: UInt64 = 1_000_000

@Suite struct ServerEndsTests {
    private func quick() -> ServerLimits {
        var limits = ServerLimits()
        limits.headerNanosMax = 50 * milliseconds
        limits.bodyNanosMax = 50 * milliseconds
        limits.idleNanosMax = 50 * milliseconds
        limits.lingerNanos = 50 * milliseconds
        return limits
    }

    @Test(
        "a client that is too slow is closed without an answer",
        arguments: [
            "", "GET / HTTP/1.1\r\nHost: a\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        ])
    func slow(_ start: String) throws {
        let client = RawSocket(port: try startServer(.echo(), limits: self.quick()))
        client.send(start)
        #expect(client.ends())
    }

    @Test func `bytes now and then do not keep a slow head alive`() throws {
        let client = RawSocket(port: try startServer(.echo(), limits: self.quick()))
        let start = monotonicNanos()
        client.send("GET / HTTP/1.1\r\nHost: a\r\n")
        while client.send("X"), monotonicNanos() - start < 10_000 * milliseconds { usleep(1000) }
        #expect(monotonicNanos() - start < 5_000 * milliseconds)
    }

    @Test func `an idle connection is closed between requests`() throws {
        let client = RawSocket(port: try startServer(.echo(), limits: self.quick()))
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(client.message()?.status == 200)
        #expect(client.ends())
    }

    @Test func `a request that is being served is not timed out`() throws {
        let behaviour = Behaviour.silent()
        let client = RawSocket(port: try startServer(behaviour, limits: self.quick()))
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        var poll = pollfd(descriptor: client.descriptor)
        #expect(Glibc.poll(&poll, 1, 700) == 0)
        #expect(behaviour.goneAt.withLock { $0.isEmpty })
    }

    @Test("a client that goes while it is served is noticed at once", arguments: [false, true])
    func gone(_ byReset: Bool) throws {
        let behaviour = Behaviour.silent()
        let client = RawSocket(port: try startServer(behaviour))
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(eventually { behaviour.seen.withLock { $0.count == 1 } })
        let left = monotonicNanos()
        if byReset { client.reset() } else { client.close() }
        #expect(eventually { behaviour.goneAt.withLock { $0.count == 1 } })
        let noticed = behaviour.goneAt.withLock { $0.first ?? 0 }
        // The bound is 10 ms; a busy machine may hold the thread back for longer.
        #expect(noticed < left + 200 * milliseconds)
    }

    @Test func `a client that asks and never reads does not fill the memory`() throws {
        let body = [UInt8](repeating: 0x62, count: 4_000)
        let behaviour = Behaviour { connection, _ in connection.respond(status: 200, body: body) }
        let client = RawSocket(port: try startServer(behaviour), receiveBytes: 4_096)
        let requests = Array(
            String(repeating: "GET / HTTP/1.1\r\nHost: a\r\n\r\n", count: 1_000).utf8)
        var poll = pollfd(descriptor: client.descriptor, events: Int16(POLLOUT))
        var asked = 0
        while asked < 20_000, Glibc.poll(&poll, 1, 300) == 1 {
            let count = requests.withUnsafeBytes {
                send(client.descriptor, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT))
            }
            // Whole requests only: the tail of a cut one goes out with the next.
            asked += max(0, count) / 28
            if count > 0, count % 28 != 0 { break }
        }
        #expect(behaviour.pendingBytesMax.withLock { $0 } < 1 << 20)
        // Nothing is lost: as the client reads, the answers come.
        for _ in 0..<500 { #expect(client.message()?.body.count == body.count) }
    }

    @Test func `a slow client's last answer is not cut while it reads`() throws {
        let body = [UInt8](repeating: 0x62, count: 8_000_000)
        let behaviour = Behaviour { connection, _ in connection.respond(status: 200, body: body) }
        var limits = self.quick()
        limits.writeNanosMax = 1_000 * milliseconds
        let client = RawSocket(
            port: try startServer(behaviour, limits: limits), receiveBytes: 4_096)
        client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        // The end of the linger passes before the first byte is read.
        var moment = pollfd(descriptor: -1)
        poll(&moment, 1, 400)
        #expect(client.message()?.body.count == body.count)
        #expect(client.ends())
    }

    @Test func `a client that takes nothing of its last answer is closed`() throws {
        let body = [UInt8](repeating: 0x62, count: 8_000_000)
        let behaviour = Behaviour { connection, _ in connection.respond(status: 200, body: body) }
        var limits = self.quick()
        limits.writeNanosMax = 50 * milliseconds
        let client = RawSocket(
            port: try startServer(behaviour, limits: limits), receiveBytes: 4_096)
        client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        var moment = pollfd(descriptor: -1)
        poll(&moment, 1, 1_500)
        #expect(client.message()?.isWhole == false)
    }

    @Test func `draining finishes what was accepted and closes what is idle`() throws {
        let behaviour = Behaviour.echo()
        let port = try startServer(behaviour)
        let (idle, half, waiting) = (
            RawSocket(port: port), RawSocket(port: port), RawSocket(port: port)
        )
        idle.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(idle.message()?.status == 200)
        half.send("POST /half HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab")
        #expect(eventually { RawSocket(port: port).descriptor >= 0 })
        waiting.send("GET /drain HTTP/1.1\r\nHost: a\r\n\r\n")
        let last = waiting.message()
        #expect(last?.status == 200 && last?["connection"] == "close")
        #expect(waiting.ends() && idle.ends())
        half.send("cd")
        let answer = half.message()
        #expect(answer?.text == "POST /half abcd" && answer?["connection"] == "close")
        #expect(half.ends())
    }

    @Test func `requests that came before the drain was told are answered`() throws {
        let behaviour = Behaviour.echo()
        let port = try startServer(behaviour)
        let sockets = (0..<200).map { _ in RawSocket(port: port) }
        let drain = RawSocket(port: port)
        for socket in sockets { socket.send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n") }
        drain.send("GET /drain HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(drain.message()?.status == 200)
        for socket in sockets { #expect(socket.message()?.text == "GET /x ") }
    }
}

extension pollfd {
    init(descriptor: Int32, events: Int16 = Int16(POLLIN)) {
        self.init(fd: descriptor, events: events, revents: 0)
    }
}
