package import Wire

/// Builds the head of a message into storage that is reused.
///
/// A class with storage of its own: a head is dozens of small appends, and each of them is one
/// comparison and one copy.
package final class HeadBuilder {
    private static let startBytes = 512
    private static let keptBytesMax = 4 << 10

    private var storage: UnsafeMutableRawPointer
    private var capacity: Int
    package private(set) var count = 0

    package init() {
        self.capacity = Self.startBytes
        self.storage = .allocate(byteCount: self.capacity, alignment: 16)
    }

    deinit {
        self.storage.deallocate()
    }

    /// Calls `body` with what was appended.
    package func withBytes<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
        withExtendedLifetime(self) {
            body(UnsafeRawBufferPointer(start: self.storage, count: self.count))
        }
    }

    /// Begins another head in the same storage.
    package func removeAll() {
        self.count = 0
    }

    /// Gives storage back that one long head needed; what was appended is gone.
    package func giveBack() {
        self.count = 0
        guard self.capacity > Self.keptBytesMax else { return }
        self.storage.deallocate()
        self.capacity = Self.startBytes
        self.storage = .allocate(byteCount: self.capacity, alignment: 16)
    }

    /// Appends text as it is.
    package func append(_ literal: StaticString) {
        self.put(literal.utf8Start, literal.utf8CodeUnitCount)
    }

    /// Appends bytes as they are.
    package func append(_ raw: UnsafeRawBufferPointer) {
        if let base = raw.baseAddress { self.put(base, raw.count) }
    }

    /// Appends what another builder holds.
    package func append(_ other: HeadBuilder) {
        self.put(other.storage, other.count)
    }

    /// Appends bytes as they are.
    package func append(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { self.append($0) }
    }

    /// Appends text as UTF-8. Labelled, since a literal would rather be a `String` than static.
    package func append(text: String) {
        var text = text
        text.withUTF8 { self.append(UnsafeRawBufferPointer($0)) }
    }

    /// Appends a number in decimal.
    package func append(decimal value: UInt64) {
        // The largest has 20 digits; they are found from the last to the first.
        withUnsafeTemporaryAllocation(byteCount: 20, alignment: 1) { digits in
            var first = 20
            var rest = value
            repeat {
                first -= 1
                digits[first] = UInt8(truncatingIfNeeded: 0x30 + rest % 10)
                rest /= 10
            } while rest > 0
            self.append(UnsafeRawBufferPointer(rebasing: digits[first...]))
        }
    }

    /// Appends `NAME: VALUE` and a line end.
    package func field(_ name: StaticString, _ value: StaticString) {
        self.append(name)
        self.append(": ")
        self.append(value)
        self.append("\r\n")
    }

    /// Appends a field; control characters of `value` are left out, so that none can end the line.
    package func field(_ name: StaticString, text value: String) {
        self.append(name)
        self.append(": ")
        self.append(Array(value.utf8.lazy.filter { $0 >= 0x20 && $0 != 0x7F }))
        self.append("\r\n")
    }

    /// Appends a field whose value is a number.
    package func field(_ name: StaticString, decimal value: UInt64) {
        self.append(name)
        self.append(": ")
        self.append(decimal: value)
        self.append("\r\n")
    }

    /// Appends a parsed field as it came, without blanks around its value.
    package func field(_ raw: UnsafeRawBufferPointer, _ field: FieldTable.Field) {
        self.append(UnsafeRawBufferPointer(rebasing: raw[field.name.start..<field.name.end]))
        self.append(": ")
        self.append(UnsafeRawBufferPointer(rebasing: raw[field.value.start..<field.value.end]))
        self.append("\r\n")
    }

    /// Appends the status line of a response.
    package func statusLine(_ status: Int) {
        self.append("HTTP/1.1 ")
        self.append(decimal: UInt64(status))
        self.append(" ")
        self.append(StatusText.of(status))
        self.append("\r\n")
    }

    @inline(__always)
    private func put(_ bytes: UnsafeRawPointer, _ added: Int) {
        if self.capacity - self.count < added { self.grow(by: added) }
        (self.storage + self.count).copyMemory(from: bytes, byteCount: added)
        self.count += added
    }

    private func grow(by added: Int) {
        self.capacity = max(self.capacity * 2, self.count + added)
        let grown = UnsafeMutableRawPointer.allocate(byteCount: self.capacity, alignment: 16)
        grown.copyMemory(from: self.storage, byteCount: self.count)
        self.storage.deallocate()
        self.storage = grown
    }
}

/// Reason phrases (RFC 9110 15).
package enum StatusText {
    /// The phrase of a status; `Status` for one that has none.
    package static func of(_ status: Int) -> StaticString {
        switch status {
        case 200: "OK"
        case 201: "Created"
        case 202: "Accepted"
        case 203: "Non-Authoritative Information"
        case 204: "No Content"
        case 205: "Reset Content"
        case 206: "Partial Content"
        case 300: "Multiple Choices"
        case 301: "Moved Permanently"
        case 302: "Found"
        case 303: "See Other"
        case 304: "Not Modified"
        case 307: "Temporary Redirect"
        case 308: "Permanent Redirect"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 402: "Payment Required"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 406: "Not Acceptable"
        case 407: "Proxy Authentication Required"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 410: "Gone"
        case 411: "Length Required"
        case 412: "Precondition Failed"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 415: "Unsupported Media Type"
        case 416: "Range Not Satisfiable"
        case 417: "Expectation Failed"
        case 421: "Misdirected Request"
        case 422: "Unprocessable Content"
        case 423: "Locked"
        case 424: "Failed Dependency"
        case 425: "Too Early"
        case 426: "Upgrade Required"
        case 428: "Precondition Required"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 451: "Unavailable For Legal Reasons"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        case 507: "Insufficient Storage"
        case 511: "Network Authentication Required"
        default: "Status"
        }
    }
}
