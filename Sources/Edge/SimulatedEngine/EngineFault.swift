/// Something a simulated engine does wrong on request, to see what its gateway does.
package struct EngineFault: Sendable, Equatable {
    /// What goes wrong.
    package enum Kind: Sendable, Equatable {
        /// No step is made for this long; connections stay open.
        case stall(nanos: UInt64)
        /// The process ends at once, without a word.
        case kill
        /// Steps take this many times as long.
        case slow(factor: Double)
        /// This share of requests is answered with a 500.
        case http500(share: Double)
        /// This share of streams ends in the middle, in good form but without `[DONE]`.
        case truncate(share: Double)
        /// Metrics tell this many times too few running and waiting requests.
        case lie(factor: Double)
    }

    package var kind: Kind
    /// When it begins, from the engine's readiness.
    package var startNanos: UInt64

    /// Parses `stall:5s@30s`, `kill@10s`, `slow:10x`, `http500:5%`, `truncate`, `lie:10x`.
    ///
    /// Throws with what is wrong and an example.
    package init(parsing text: String) throws(EngineFaultSyntax) {
        let halves = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        let parts = halves[0].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        self.startNanos = 0
        if halves.count == 2 {
            guard let nanos = Self.duration(halves[1]) else {
                throw EngineFaultSyntax("'\(halves[1])' is no time; write stall:5s@30s")
            }
            self.startNanos = nanos
        }
        let argument = parts.count == 2 ? parts[1] : ""
        switch parts[0] {
        case "stall":
            guard let nanos = Self.duration(argument) else {
                throw EngineFaultSyntax("stall needs how long; write stall:5s@30s")
            }
            self.kind = .stall(nanos: nanos)
        case "kill": self.kind = .kill
        case "slow": self.kind = .slow(factor: try Self.factor(argument, example: "slow:10x"))
        case "lie": self.kind = .lie(factor: try Self.factor(argument, example: "lie:10x"))
        case "http500":
            self.kind = .http500(share: try Self.share(argument, example: "http500:5%"))
        case "truncate":
            self.kind = .truncate(
                share: argument.isEmpty ? 1 : try Self.share(argument, example: "truncate:5%"))
        default:
            throw EngineFaultSyntax(
                "no fault '\(parts[0])'; there are stall, kill, slow, http500, truncate, lie")
        }
    }

    private static func duration(_ text: Substring) -> UInt64? {
        for (unit, scale) in [("ms", 1_000_000.0), ("s", 1e9), ("m", 60e9)]
        where text.hasSuffix(unit) {
            guard let value = Double(text.dropLast(unit.count)), value >= 0, value < 1e9 else {
                continue
            }
            return UInt64(value * scale)
        }
        return nil
    }

    private static func factor(
        _ text: Substring, example: String
    ) throws(EngineFaultSyntax) -> Double {
        guard text.hasSuffix("x"), let value = Double(text.dropLast()), value > 0, value <= 1e6
        else { throw EngineFaultSyntax("'\(text)' is no factor; write \(example)") }
        return value
    }

    private static func share(
        _ text: Substring, example: String
    ) throws(EngineFaultSyntax) -> Double {
        guard text.hasSuffix("%"), let value = Double(text.dropLast()), value >= 0, value <= 100
        else { throw EngineFaultSyntax("'\(text)' is no share; write \(example)") }
        return value / 100
    }
}

/// Why a fault's text cannot be read.
package struct EngineFaultSyntax: Error {
    package var message: String

    init(_ message: String) {
        self.message = message
    }
}
