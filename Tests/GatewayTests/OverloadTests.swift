import EventLoop
import Foundation
import Gateway
import Glibc
import HTTP
import TestSockets
import Testing

/// Small versions of what `Benchmarks/overload` measures.
@Suite struct OverloadTests {
    private func isReadable(_ client: RawSocket) -> Bool {
        var poll = pollfd(fd: client.descriptor, events: Int16(POLLIN), revents: 0)
        return Glibc.poll(&poll, 1, 0) == 1
    }

    @Test func `past its bounds each request is answered, or refused at once with a time`() throws {
        let goOn = DispatchSemaphore(value: 0)
        let server = engine { socket, _ in
            goOn.wait()
            return socket.send(Wire.text(200, Wire.answer))
        }
        let budget = TestGateway.budget(
            [server.port], deadline: "10s", engine: ", limits: {concurrentRequests: 2}"
        ).replacingOccurrences(
            of: "standard: {priority: 5}",
            with: "standard: {priority: 5, queue: {requests: 4, bytes: 1Mi}}")
        let gateway = try TestGateway([server.port], budget: budget)
        let clients = (0..<24).map { _ in
            let client = gateway.client()
            client.send(TestGateway.chat(",\"max_tokens\":1"))
            return client
        }
        // Two are at the engine and four wait at most; no other may wait for their answers.
        #expect(eventually { clients.count { self.isReadable($0) } >= 18 })
        for _ in clients { goOn.signal() }
        var counts: [Int: Int] = [:]
        for client in clients {
            let answer = try #require(client.message())
            counts[answer.status, default: 0] += 1
            guard answer.status != 200 else { continue }
            #expect(["queue_full", "saturated"].contains(errorCode(answer) ?? ""))
            #expect(answer["x-plimsoll-refused"] == errorCode(answer))
            let seconds = try #require(answer["retry-after"].flatMap(Int.init))
            let millis = try #require(answer["retry-after-ms"].flatMap(Int.init))
            #expect(millis >= 1 && seconds == (millis + 999) / 1000)
        }
        #expect(counts.keys.sorted() == [200, 429], "\(counts)")
        #expect((2...6).contains(counts[200] ?? 0), "\(counts)")
    }

    @Test func `idle connections and slow heads at the bound keep nobody out`() throws {
        let server = engine { socket, _ in socket.send(Wire.text(200, Wire.answer)) }
        let gateway = try TestGateway([server.port]) { $0.server.connectionsMax = 64 }
        let idle = (0..<48).map { _ in
            let client = gateway.client()
            client.send("GET /v1/models HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(client.message()?.status == 200)
            return client
        }
        let slow = (0..<16).map { _ in
            let client = gateway.client()
            client.send("POST /v1/chat/completions HT")
            return client
        }
        // Bytes that wait to be read protect their connection: the first may find no room yet.
        #expect(eventually { gateway.ask(",\"max_tokens\":1")?.status == 200 })
        for _ in 0..<40 {
            for client in slow { client.send("x") }
            #expect(gateway.ask(",\"max_tokens\":1")?.status == 200)
        }
        withExtendedLifetime(idle) {}
    }

    /// Lets this process open `count` files; `false` where the system does not allow it.
    private func allowFiles(_ count: UInt) -> Bool {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            return false
        }
        if limit.rlim_cur >= count { return true }
        guard limit.rlim_max >= count else { return false }
        limit.rlim_cur = count
        return setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0
    }

    @Test func `ten thousand idle connections leave others served`() throws {
        let count = 10_000
        // Both ends of each are in this process.
        guard self.allowFiles(UInt(2 * count + 4_000)) else {
            try Test.cancel("the limit on open files is below 24,000")
        }
        let server = engine { socket, _ in socket.send(Wire.text(200, Wire.answer)) }
        let gateway = try TestGateway([server.port])
        let idle = (0..<count).compactMap { _ in
            RawSocket.connected(to: gateway.gateway.address.port)
        }
        #expect(idle.count == count)
        #expect(eventually { gateway.gateway.counters.connections >= count })
        for _ in 0..<100 { #expect(gateway.ask(",\"max_tokens\":1")?.status == 200) }
        #expect(gateway.gateway.counters.turnedAway == 0)
        withExtendedLifetime(idle) {}
    }
}
