import Glibc

/// What a person reads: results on standard output, everything else on standard error.
enum Console {
    static func out(_ text: String) {
        print(text)
    }

    static func note(_ text: String) {
        Self.write(text + "\n", to: STDERR_FILENO)
    }

    /// Says what is wrong and ends with exit code 2.
    static func fail(_ text: String) -> Never {
        Self.note(text)
        exit(ExitCode.usage)
    }

    static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

    static func write(_ text: String, to descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}
