import HTTP
import TestSockets
import Testing

@Suite struct ServerBoundTests {
    private func bounded(_ connections: Int) -> ServerLimits {
        var limits = ServerLimits()
        limits.connectionsMax = connections
        return limits
    }

    private static let request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

    @Test func `at the bound the connection that has waited longest makes room`() throws {
        let port = try startServer(.echo(), limits: self.bounded(3))
        let clients = (0..<3).map { _ in
            let client = RawSocket(port: port)
            client.send(Self.request)
            #expect(client.message()?.status == 200)
            return client
        }
        let newcomer = RawSocket(port: port)
        newcomer.send(Self.request)
        #expect(newcomer.message()?.status == 200)
        #expect(clients[0].ends())
        clients[2].send(Self.request)
        #expect(clients[2].message()?.status == 200)
    }

    @Test func `a head that comes slowly makes room too`() throws {
        let port = try startServer(.echo(), limits: self.bounded(1))
        let slow = RawSocket(port: port)
        slow.send("GET / HT")
        // Until the server has read the slow one's bytes, they count as a request on its way.
        #expect(
            eventually {
                let newcomer = RawSocket(port: port)
                newcomer.send(Self.request)
                return newcomer.message()?.status == 200
            })
        #expect(slow.ends())
    }

    @Test func `a request that is being served never makes room`() throws {
        let behaviour = Behaviour.silent()
        let port = try startServer(behaviour, limits: self.bounded(1))
        let served = RawSocket(port: port)
        served.send(Self.request)
        #expect(eventually { behaviour.seen.withLock { $0.count } == 1 })
        let newcomer = RawSocket(port: port)
        newcomer.send(Self.request)
        #expect(newcomer.ends())
        #expect(behaviour.goneAt.withLock { $0.isEmpty })
    }
}
