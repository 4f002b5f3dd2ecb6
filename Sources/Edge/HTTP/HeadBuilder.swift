package import Wire

/// Builds the head of a message into storage that is reused.
package struct HeadBuilder {
    package private(set) var bytes: [UInt8] = []

    package init() {
        self.bytes.reserveCapacity(2048)
    }

    /// Begins another head in the same storage.
    package mutating func removeAll() {
        self.bytes.removeAll(keepingCapacity: true)
    }

    /// Appends text as it is.
    package mutating func append(_ literal: StaticString) {
        self.bytes.append(
            contentsOf: UnsafeBufferPointer(
                start: literal.utf8Start, count: literal.utf8CodeUnitCount))
    }

    /// Appends bytes as they are.
    package mutating func append(_ raw: UnsafeRawBufferPointer) {
        self.bytes.append(contentsOf: raw)
    }

    /// Appends text as UTF-8.
    package mutating func append(_ text: String) {
        self.bytes.append(contentsOf: text.utf8)
    }

    /// Appends bytes as they are.
    package mutating func append(_ bytes: [UInt8]) {
        self.bytes.append(contentsOf: bytes)
    }

    /// Appends a number in decimal.
    package mutating func append(decimal value: UInt64) {
        var scale: UInt64 = 1
        while value / scale >= 10 { scale *= 10 }
        var rest = value
        while scale > 0 {
            self.bytes.append(UInt8(0x30 + rest / scale))
            rest %= scale
            scale /= 10
        }
    }

    /// Appends `NAME: VALUE` and a line end.
    package mutating func field(_ name: StaticString, _ value: StaticString) {
        self.append(name)
        self.append(": ")
        self.append(value)
        self.append("\r\n")
    }

    /// Appends a field; control characters of `value` are left out, so that none can end the line.
    package mutating func field(_ name: StaticString, _ value: String) {
        self.append(name)
        self.append(": ")
        self.bytes.append(contentsOf: value.utf8.lazy.filter { $0 >= 0x20 && $0 != 0x7F })
        self.append("\r\n")
    }

    /// Appends a field whose value is a number.
    package mutating func field(_ name: StaticString, decimal value: UInt64) {
        self.append(name)
        self.append(": ")
        self.append(decimal: value)
        self.append("\r\n")
    }

    /// Appends a parsed field as it came.
    package mutating func field(_ raw: UnsafeRawBufferPointer, _ field: FieldTable.Field) {
        self.append(UnsafeRawBufferPointer(rebasing: raw[field.name.start..<field.name.end]))
        self.append(": ")
        self.append(UnsafeRawBufferPointer(rebasing: raw[field.value.start..<field.value.end]))
        self.append("\r\n")
    }

    /// Appends the status line of a response.
    package mutating func statusLine(_ status: Int) {
        self.append("HTTP/1.1 ")
        self.append(decimal: UInt64(status))
        self.append(" ")
        self.append(StatusText.of(status))
        self.append("\r\n")
    }
}

/// Reason phrases (RFC 9110 15).
package enum StatusText {
    /// The phrase of a status; `Status` for one that is never sent.
    package static func of(_ status: Int) -> StaticString {
        switch status {
        case 200: "OK"
        case 204: "No Content"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 415: "Unsupported Media Type"
        case 417: "Expectation Failed"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        default: "Status"
        }
    }
}
