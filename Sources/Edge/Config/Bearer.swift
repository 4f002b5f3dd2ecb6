package import Budget

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Why an engine's bearer token could not be had. No message holds the token.
package struct BearerFault: Error, Sendable, Equatable {
    package var message: String

    package init(message: String) {
        self.message = message
    }
}

extension BearerSource {
    /// Reads the token now. Read it again at each reload and after a 401: mounted secrets rotate.
    ///
    /// Blanks and line ends around it are dropped. An empty token, one beyond
    /// `ConfigurationLimits.secretBytesMax`, or one with bytes that no header may hold is a fault.
    package func token() throws(BearerFault) -> String {
        let bytes: [UInt8]
        let place: String
        switch self {
        case .env(let name):
            place = "the environment variable \(name)"
            guard let value = getenv(name) else {
                throw BearerFault(message: "\(place) is not set")
            }
            bytes = Array(UnsafeRawBufferPointer(start: value, count: strlen(value)))
        case .file(let path):
            place = "the file \(path)"
            do {
                bytes = try SourceFile.read(path, max: ConfigurationLimits.secretBytesMax)
            } catch {
                throw BearerFault(message: "\(place): \(error.message)")
            }
        }
        let blanks: Set<UInt8> = [0x20, 0x09, 0x0A, 0x0D]
        let token = bytes.drop(while: blanks.contains).reversed().drop(while: blanks.contains)
        guard !token.isEmpty else { throw BearerFault(message: "\(place) is empty") }
        guard token.count <= ConfigurationLimits.secretBytesMax,
            token.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else {
            throw BearerFault(message: "\(place) does not hold one token of printable characters")
        }
        return String(decoding: token.reversed(), as: UTF8.self)
    }
}
