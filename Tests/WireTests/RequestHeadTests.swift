import Testing
import Wire

/// A request the codec must refuse, and the rule that says so.
struct Refusal: Sendable, CustomTestStringConvertible {
    var rule: String
    var text: String
    var fault: WireFault
    var testDescription: String { self.rule }

    init(_ rule: String, _ text: String, _ fault: WireFault) {
        (self.rule, self.text, self.fault) = (rule, text, fault)
    }
}

private let post = "POST / HTTP/1.1\r\nHost: a\r\n"

private let refusals = [
    Refusal("RFC 9112 3.2: no Host", "GET / HTTP/1.1\r\n\r\n", .missingHost),
    Refusal("RFC 9112 3.2: two Hosts", post + "Host: a\r\n\r\n", .repeatedHost),
    Refusal("a userinfo in Host", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", .badHost),
    Refusal("a path in Host", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", .badHost),
    Refusal("two names in Host", "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", .badHost),
    Refusal("RFC 9112 5.1: space before colon", post + "X : 1\r\n\r\n", .badFieldName),
    Refusal("tab before colon", post + "X\t: 1\r\n\r\n", .badFieldName),
    Refusal("no name", post + ": 1\r\n\r\n", .badFieldName),
    Refusal("no colon", post + "X\r\n\r\n", .badFieldName),
    Refusal("a name outside tchar", post + "X(y): 1\r\n\r\n", .badFieldName),
    Refusal("a name beyond ASCII", post + "Xé: 1\r\n\r\n", .badFieldName),
    Refusal("RFC 9112 5.2: obs-fold", post + "X: 1\r\n 2\r\n\r\n", .foldedField),
    Refusal("obs-fold by tab", post + "X: 1\r\n\t2\r\n\r\n", .foldedField),
    Refusal("a fold before all", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", .foldedField),
    Refusal("RFC 9112 2.2: bare LF", post + "X: 1\nY: 2\r\n\r\n", .bareLineEnding),
    Refusal("bare LF behind the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", .bareLineEnding),
    Refusal("bare LF at the end", "GET / HTTP/1.1\r\nHost: a\r\n\n", .bareLineEnding),
    Refusal("bare CR in a value", post + "X: 1\rY: 2\r\n\r\n", .bareLineEnding),
    Refusal("two CR", post + "X: 1\r\r\n\r\n", .bareLineEnding),
    Refusal("NUL in a value", post + "X: a\0b\r\n\r\n", .badFieldValue),
    Refusal("DEL in a value", post + "X: a\u{7F}b\r\n\r\n", .badFieldValue),
    Refusal("NUL in the request line", "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", .badRequestLine),
    Refusal("an empty line first", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", .badRequestLine),
    Refusal("two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", .badRequestLine),
    Refusal("a space behind", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", .badRequestLine),
    Refusal("no version", "GET /\r\nHost: a\r\n\r\n", .badRequestLine),
    Refusal("a small http", "GET / http/1.1\r\nHost: a\r\n\r\n", .badRequestLine),
    Refusal("two digits", "GET / HTTP/1.10\r\nHost: a\r\n\r\n", .badRequestLine),
    Refusal("HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", .badVersion),
    Refusal("HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", .badVersion),
    Refusal("a method outside tchar", "G@T / HTTP/1.1\r\nHost: a\r\n\r\n", .badRequestLine),
    Refusal("a target without slash", "GET a HTTP/1.1\r\nHost: a\r\n\r\n", .badRequestLine),
    Refusal("a star for GET", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", .badRequestLine),
    Refusal("another scheme", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", .badRequestLine),
    Refusal("a userinfo", "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", .badHost),
    Refusal("an empty host", "GET http://:80/ HTTP/1.1\r\nHost: a\r\n\r\n", .badHost),
    Refusal("a target beyond ASCII", "GET /é HTTP/1.1\r\nHost: a\r\n\r\n", .badRequestLine),
    Refusal("CL list", post + "Content-Length: 1, 1\r\n\r\nx", .badContentLength),
    Refusal(
        "CL twice", post + "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", .badContentLength),
    Refusal("CL signed", post + "Content-Length: +1\r\n\r\nx", .badContentLength),
    Refusal("CL negative", post + "Content-Length: -1\r\n\r\nx", .badContentLength),
    Refusal("CL hexadecimal", post + "Content-Length: 0x1\r\n\r\nx", .badContentLength),
    Refusal("CL empty", post + "Content-Length:\r\n\r\n", .badContentLength),
    Refusal("CL spaced", post + "Content-Length: 1 1\r\n\r\nx", .badContentLength),
    Refusal("CL huge", post + "Content-Length: 18446744073709551617\r\n\r\n", .badContentLength),
    Refusal("TE gzip", post + "Transfer-Encoding: gzip\r\n\r\n", .badTransferCoding),
    Refusal(
        "TE gzip, chunked", post + "Transfer-Encoding: gzip, chunked\r\n\r\n", .badTransferCoding),
    Refusal("TE identity", post + "Transfer-Encoding: identity\r\n\r\n", .badTransferCoding),
    Refusal("TE xchunked", post + "Transfer-Encoding: xchunked\r\n\r\n", .badTransferCoding),
    Refusal("TE quoted", post + "Transfer-Encoding: \"chunked\"\r\n\r\n", .badTransferCoding),
    Refusal("TE vertical tab", post + "Transfer-Encoding: \u{0B}chunked\r\n\r\n", .badFieldValue),
    Refusal(
        "TE twice", post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        .badTransferCoding),
    Refusal(
        "TE.TE", post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n",
        .badTransferCoding),
    Refusal(
        "CL.TE", post + "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG",
        .conflictingLength),
    Refusal(
        "TE.CL",
        post + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n1\r\nx\r\n0\r\n\r\n",
        .conflictingLength),
    Refusal(
        "chunked in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
        .badTransferCoding),
    Refusal(
        "a field hidden behind a CR",
        "POST / HTTP/1.1\r\nHost: a\rXContent-Length: 3\r\n\r\nabc", .bareLineEnding),
]

@Suite struct RequestHeadTests {
    @Test(
        "what RFC 9112 calls malformed is refused, however the bytes are cut", arguments: refusals)
    func refused(_ refusal: Refusal) {
        let bytes = Array(refusal.text.utf8)
        #expect(RequestReading(bytes, cuts: []).fault == refusal.fault)
        for cut in 1..<bytes.count {
            #expect(RequestReading(bytes, cuts: [cut]).fault == refusal.fault, "cut at \(cut)")
        }
        let each = Array(1..<bytes.count)
        #expect(RequestReading(bytes, cuts: each).fault == refusal.fault)
    }

    @Test func `a request is read alike wherever its bytes are cut`() {
        let texts = [
            post + "Content-Length: 5\r\nX-A: b c\t d \r\nX-Empty:\r\n\r\nhello",
            post + "Transfer-Encoding: Chunked\r\n\r\n3;a=\"b\"\r\nabc\r\nA\r\n0123456789\r\n"
                + "0\r\nX-T: 1\r\nY:\r\n\r\nGET",
            "GET HTTPS://h.example:80/p?q#f HTTP/1.1\r\nHost: o\r\nConnection: x , Close\r\n\r\n",
            "HEAD / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
            "OPTIONS * HTTP/1.1\r\nHost:\r\n\r\n",
        ]
        for text in texts {
            let bytes = Array(text.utf8)
            let whole = RequestReading(bytes, cuts: [])
            #expect(whole.fault == nil && whole.isComplete)
            for first in 1..<bytes.count {
                #expect(RequestReading(bytes, cuts: [first]) == whole, "cut at \(first)")
            }
            #expect(RequestReading(bytes, cuts: Array(1..<bytes.count)) == whole)
        }
    }

    @Test func `absolute form replaces the Host field`() {
        let reading = RequestReading("GET http://h.example:80/p?q HTTP/1.1\r\nHost: b\r\n\r\n")
        #expect(reading.host == "h.example:80" && reading.target == "/p?q")
    }

    @Test func `keep-alive follows version and Connection`() {
        func keepAlive(_ line: String, _ field: String) -> Bool {
            RequestReading("GET / \(line)\r\nHost: a\r\n\(field)\r\n").keepAlive
        }
        #expect(keepAlive("HTTP/1.1", ""))
        #expect(!keepAlive("HTTP/1.1", "Connection: close\r\n"))
        #expect(!keepAlive("HTTP/1.1", "Connection: a,\tCLOSE ,b\r\n"))
        #expect(!keepAlive("HTTP/1.1", "Connection: close\r\nConnection: keep-alive\r\n"))
        #expect(!keepAlive("HTTP/1.0", ""))
        #expect(keepAlive("HTTP/1.0", "Connection: keep-alive\r\n"))
        #expect(!keepAlive("HTTP/1.0", "Connection: close\r\nConnection: keep-alive\r\n"))
    }

    @Test func `field names take every tchar of RFC 9110 and nothing else`() {
        let allowed = Set(
            "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)
        for byte in UInt8.min...UInt8.max {
            let text = Array((post + "X").utf8) + [byte] + Array("Y: 1\r\n\r\n".utf8)
            // A colon ends the name: what follows is its value.
            let accepts = allowed.contains(byte) || byte == 0x3A
            #expect((RequestReading(text, cuts: []).fault == nil) == accepts, "\(byte)")
        }
    }

    @Test func `every x-plimsoll field is known, whatever its length`() {
        for count in 0...40 {
            let name = "X-Plimsoll-" + String(repeating: "q", count: count)
            let text = Array((post + "\(name): 1\r\n\r\n").utf8)
            let head = RequestHead()
            try? head.parse(text.span, end: text.count, limits: HeadLimits())
            #expect(head.table.fields.last?.known == .plimsollOther, "\(name)")
        }
    }

    @Test func `limits are held exactly`() {
        var limits = HeadLimits()
        limits.headBytesMax = 64
        limits.targetBytesMax = 8
        limits.fieldsMax = 3
        func fault(_ text: String) -> WireFault? {
            let bytes = Array(text.utf8)
            let whole = RequestReading(bytes, cuts: [], limits: limits)
            let cut = RequestReading(bytes, cuts: Array(1..<bytes.count), limits: limits)
            #expect(whole == cut)
            return whole.fault
        }
        func head(of count: Int) -> String {
            let start = "GET / HTTP/1.1\r\nHost: a\r\nX: "
            return start + String(repeating: "x", count: count - start.utf8.count - 4) + "\r\n\r\n"
        }
        #expect(fault(head(of: 64)) == nil)
        #expect(fault(head(of: 65)) == .headTooLarge)
        #expect(fault(head(of: 500)) == .headTooLarge)
        #expect(fault("GET /1234567 HTTP/1.1\r\nHost: a\r\n\r\n") == nil)
        #expect(fault("GET /12345678 HTTP/1.1\r\nHost: a\r\n\r\n") == .targetTooLong)
        #expect(fault("GET / HTTP/1.1\r\nHost: a\r\nA:\r\nB:\r\n\r\n") == nil)
        #expect(fault("GET / HTTP/1.1\r\nHost: a\r\nA:\r\nB:\r\nC:\r\n\r\n") == .headTooLarge)
    }
}
