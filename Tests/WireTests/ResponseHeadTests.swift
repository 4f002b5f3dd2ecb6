import Testing
import Wire

@Suite struct ResponseHeadTests {
    private func parse(_ text: String, toHead: Bool = false) throws(WireFault) -> ResponseHead {
        let bytes = Array(text.utf8)
        let head = ResponseHead()
        try head.parse(bytes.span, end: bytes.count, toHead: toHead, limits: HeadLimits())
        return head
    }

    private func fault(_ text: String) -> WireFault? {
        do throws(WireFault) {
            _ = try self.parse(text)
            return nil
        } catch {
            return error
        }
    }

    @Test func `the end of a body is found as RFC 9112 6.3 says`() throws {
        let length = "Content-Length: 5\r\n"
        let chunked = "Transfer-Encoding: chunked\r\n"
        #expect(try self.parse("HTTP/1.1 200 OK\r\n\(length)\r\n").framing == .length(5))
        #expect(try self.parse("HTTP/1.1 200 OK\r\n\(chunked)\r\n").framing == .chunked)
        #expect(try self.parse("HTTP/1.1 200 OK\r\n\r\n").framing == .untilClose)
        #expect(try self.parse("HTTP/1.1 204 \r\n\(length)\r\n").framing == .none)
        #expect(try self.parse("HTTP/1.1 304 NM\r\n\(length)\r\n").framing == .none)
        #expect(try self.parse("HTTP/1.1 200 OK\r\n\(length)\r\n", toHead: true).framing == .none)
        #expect(try !self.parse("HTTP/1.1 200 OK\r\n\r\n").keepAlive)
        #expect(try self.parse("HTTP/1.1 200\r\n\(length)\r\n").keepAlive)
        #expect(try !self.parse("HTTP/1.0 200 OK\r\n\(length)\r\n").keepAlive)
    }

    @Test func `an answer that could be read in two ways is refused`() {
        #expect(self.fault("HTTP/1.1 99 X\r\n\r\n") == .badStatusLine)
        #expect(self.fault("HTTP/1.1 099 X\r\n\r\n") == .badStatusLine)
        #expect(self.fault("HTTP/1.1 600 X\r\n\r\n") == .badStatusLine)
        #expect(self.fault("HTTP/1.1 2000 X\r\n\r\n") == .badStatusLine)
        #expect(self.fault("HTTP/1.1  200 X\r\n\r\n") == .badStatusLine)
        #expect(self.fault("HTTP/2.0 200 X\r\n\r\n") == .badStatusLine)
        #expect(self.fault("ICY 200 OK OK OK\r\n\r\n") == .badStatusLine)
        #expect(self.fault("\r\n") == .badStatusLine)
        let length = "Content-Length: 5\r\n"
        let chunked = "Transfer-Encoding: chunked\r\n"
        #expect(self.fault("HTTP/1.1 200 OK\r\n\(length)\(chunked)\r\n") == .conflictingLength)
        #expect(self.fault("HTTP/1.1 200 OK\r\n\(length)\(length)\r\n") == .badContentLength)
        #expect(self.fault("HTTP/1.0 200 OK\r\n\(chunked)\r\n") == .badTransferCoding)
        #expect(self.fault("HTTP/1.1 200 OK\r\nX : 1\r\n\r\n") == .badFieldName)
    }
}
