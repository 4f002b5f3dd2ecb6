/// Why bytes are not the HTTP/1.1, SSE or metrics text they claim to be.
package enum WireFault: Error, Equatable, CaseIterable {
    case badRequestLine
    case badStatusLine
    case badVersion
    case badFieldName
    case badFieldValue
    case bareLineEnding
    case foldedField
    case missingHost
    case repeatedHost
    case badHost
    case badContentLength
    case conflictingLength
    case badTransferCoding
    case badChunkSize
    case badChunkEnd
    case badTrailer
    case headTooLarge
    case targetTooLong
    case bodyTooLarge

    /// The status a server answers a client with (RFC 9112, RFC 6585).
    package var status: Int {
        switch self {
        case .badVersion: 505
        case .headTooLarge: 431
        case .targetTooLong: 414
        case .bodyTooLarge: 413
        default: 400
        }
    }

    /// What a person is told, without the offending bytes.
    package var message: String {
        switch self {
        case .badRequestLine: "the request line is not METHOD TARGET HTTP/1.1"
        case .badStatusLine: "the status line is not HTTP/1.1 CODE REASON"
        case .badVersion: "only HTTP/1.1 and HTTP/1.0 are spoken here"
        case .badFieldName: "a header field name has a character that is not allowed"
        case .badFieldValue: "a header field value has a control character"
        case .bareLineEnding: "a line ends in a bare CR or LF instead of CRLF"
        case .foldedField: "a header field is folded over several lines"
        case .missingHost: "the Host header is missing"
        case .repeatedHost: "the Host header is repeated"
        case .badHost: "the Host header is not a host and port"
        case .badContentLength: "Content-Length is not one decimal number"
        case .conflictingLength: "Content-Length and Transfer-Encoding are both present"
        case .badTransferCoding: "only 'Transfer-Encoding: chunked' is understood"
        case .badChunkSize: "a chunk size is not a hexadecimal number"
        case .badChunkEnd: "a chunk does not end in CRLF"
        case .badTrailer: "the trailer is malformed or too long"
        case .headTooLarge: "the request line and headers are too large"
        case .targetTooLong: "the request target is too long"
        case .bodyTooLarge: "the body is too large"
        }
    }
}

/// Bounds of one HTTP message head.
package struct HeadLimits: Sendable, Equatable {
    /// Bytes of start line and fields together.
    package var headBytesMax = 64 << 10
    /// Bytes of the request target.
    package var targetBytesMax = 8 << 10
    package var fieldsMax = 128

    package init() {}
}
