import HTTP
import TestSockets
import Testing
import Wire

private let milliseconds: UInt64 = 1_000_000

@Suite struct ServerTests {
    private func get(_ path: String, _ fields: String = "") -> String {
        "GET \(path) HTTP/1.1\r\nHost: a\r\n\(fields)\r\n"
    }

    private func post(_ body: String, _ fields: String = "") -> String {
        "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.utf8.count)\r\n\(fields)\r\n\(body)"
    }

    @Test func `a connection serves one request after another`() throws {
        let client = RawSocket(port: try startServer(.echo()))
        for index in 0..<20 {
            client.send(self.post("body \(index)"))
            #expect(client.message()?.text == "POST /p body \(index)")
        }
    }

    @Test func `pipelined requests are answered in order`() throws {
        let client = RawSocket(port: try startServer(.echo()))
        client.send((0..<50).map { self.get("/\($0)") + self.post("\($0)") }.joined())
        for index in 0..<50 {
            #expect(client.message()?.text == "GET /\(index) ")
            #expect(client.message()?.text == "POST /p \(index)")
        }
    }

    @Test func `a chunked request is served, and the next one behind it`() throws {
        let client = RawSocket(port: try startServer(.echo()))
        let chunked = "POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        let text = chunked + "3;x=y\r\nabc\r\n4\r\ndefg\r\n0\r\nT: 1\r\n\r\n" + self.get("/next")
        for byte in text.utf8 { client.send([byte]) }
        #expect(client.message()?.text == "POST /c abcdefg")
        #expect(client.message()?.text == "GET /next ")
        client.send(text)
        #expect(client.message()?.text == "POST /c abcdefg")
        #expect(client.message()?.text == "GET /next ")
    }

    @Test func `a large chunked body arrives whole`() throws {
        let client = RawSocket(port: try startServer(.echo()))
        let body = String(repeating: "0123456789abcdef", count: 40_000)
        client.send("POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        var rest = body.utf8[...]
        while !rest.isEmpty {
            let piece = rest.prefix(7_919)
            client.send("\(String(piece.count, radix: 16))\r\n\(String(piece) ?? "")\r\n")
            rest = rest.dropFirst(7_919)
        }
        client.send("0\r\n\r\n")
        #expect(client.message()?.text == "POST /c " + body)
    }

    @Test func `a streamed answer is chunked to HTTP 1.1 and ends by closing to HTTP 1.0`() throws {
        let port = try startServer(
            Behaviour { connection, _ in
                let head = HeadBuilder()
                head.statusLine(200)
                connection.appendFraming(head, length: nil)
                head.append("\r\n")
                for (piece, isLast) in [("one", false), ("two", false), ("", true)] {
                    Array(piece.utf8).withUnsafeBytes {
                        connection.send(
                            head: piece == "one" ? head : nil, body: [$0], ends: isLast)
                    }
                }
            })
        let client = RawSocket(port: port)
        client.send(self.get("/") + self.get("/"))
        for _ in 0..<2 {
            let answer = client.message()
            #expect(answer?.text == "onetwo" && answer?.isWhole == true)
            #expect(answer?["transfer-encoding"] == "chunked")
        }
        client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        let old = String(decoding: client.receiveAll(), as: UTF8.self)
        #expect(old.hasSuffix("\r\n\r\nonetwo") && old.contains("connection: close\r\n"))
    }

    @Test func `HEAD gets the fields and no body`() throws {
        let client = RawSocket(port: try startServer(.echo()))
        client.send("HEAD /h HTTP/1.1\r\nHost: a\r\n\r\n" + self.get("/g"))
        let head = client.message(toHead: true)
        #expect(head?.status == 200 && head?["content-length"] == "8")
        #expect(client.message()?.text == "GET /g ")
    }

    @Test func `HTTP 1.0 closes unless it asks to be kept`() throws {
        let port = try startServer(.echo())
        let client = RawSocket(port: port)
        client.send("GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        #expect(client.message()?["connection"] == "keep-alive")
        client.send("GET /2 HTTP/1.0\r\n\r\n")
        #expect(client.message()?["connection"] == "close")
        #expect(client.ends())
    }

    @Test func `a body that waits for 100 Continue is asked for`() throws {
        let client = RawSocket(port: try startServer(.echo()))
        client.send(
            "POST /p HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        #expect(
            String(decoding: client.receive(until: "\r\n\r\n"), as: UTF8.self)
                == "HTTP/1.1 100 Continue\r\n\r\n")
        client.send("ab")
        #expect(client.message()?.text == "POST /p ab")
    }

    @Test func `a request refused by its head is answered without asking for its body`() throws {
        let behaviour = Behaviour(takesHead: false) { _, _ in }
        let client = RawSocket(port: try startServer(behaviour))
        client.send(
            "POST /p HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        let answer = client.message()
        #expect(answer?.status == 401 && answer?["connection"] == "close")
        #expect(client.ends())
    }

    @Test func `faults are answered with their status and the connection is closed`() throws {
        let behaviour = Behaviour.echo()
        var limits = ServerLimits()
        limits.bodyBytesMax = 100
        let port = try startServer(behaviour, limits: limits)
        let long = String(repeating: "x", count: 70 << 10)
        let chunked = "POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        for (text, status) in [
            (self.get("/", "X: \(long)\r\n"), 431), (self.get("/" + long.prefix(9_000)), 414),
            (self.post(String(repeating: "b", count: 101)), 413),
            (chunked + "60\r\n\(long.prefix(96))\r\n5\r\nabcde\r\n0\r\n\r\n", 413),
            (chunked + "x\r\n", 400), ("GET / HTTP/1.1\r\n\r\n", 400),
            ("GET / HTTP/3.0\r\n\r\n", 505),
        ] {
            let client = RawSocket(port: port)
            client.send(text + self.get("/smuggled"))
            let answer = client.message()
            #expect(answer?.status == status && answer?["connection"] == "close")
            #expect(client.ends())
        }
        #expect(!behaviour.seen.withLock { $0.contains { $0.target == "/smuggled" } })
        let client = RawSocket(port: port)
        client.send(self.post(String(repeating: "b", count: 100)))
        #expect(client.message()?.status == 200)
    }

    @Test func `an answer before the body reaches a client that is still sending`() throws {
        var limits = ServerLimits()
        limits.bodyBytesMax = 1000
        let port = try startServer(.echo(), limits: limits)
        for _ in 0..<20 {
            let client = RawSocket(port: port)
            client.send("POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 4000000\r\n\r\n")
            client.send([UInt8](repeating: 0x62, count: 4_000_000))
            #expect(client.message()?.status == 413)
        }
    }

    @Test func `a body beyond all buffers is turned away, and room comes back`() throws {
        let port = try startServer(.echo(), bufferedBytes: 100_000)
        let holder = RawSocket(port: port)
        let half = String(repeating: "h", count: 40_000)
        holder.send("POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 80000\r\n\r\n" + half)
        // Only what has come counts: a length alone keeps nobody out.
        let liar = RawSocket(port: port)
        liar.send("POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 90000\r\n\r\nx")
        let body = String(repeating: "b", count: 70_000)
        #expect(
            eventually {
                let client = RawSocket(port: port)
                client.send(self.post(body))
                return client.message()?.status == 503
            })
        holder.send(half)
        #expect(holder.message()?.status == 200)
        let client = RawSocket(port: port)
        client.send(self.post(body))
        #expect(client.message()?.status == 200)
    }
}
