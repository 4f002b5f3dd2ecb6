import Statistics

/// The arrivals of a run: a trace or a generator, moved and cut to what the run asks for. Memory
/// does not grow with the length.
package struct ArrivalStream {
    /// What is done to the arrivals, in this order.
    package struct Transform: Hashable, Sendable {
        /// Whether the first arrival becomes time zero. Traces in calendar time need it.
        package var startsAtZero = true
        /// Time runs this many times as fast; above zero.
        package var speed = 1.0
        /// Arrivals from this time on, after the speed, are left out; nil for no end.
        package var durationNanos: UInt64?
        /// Requests whose prompt and answer together exceed this many tokens are left out and
        /// counted; nil for no limit.
        package var tokensMax: Int?
        /// Arrivals are spaced anew, their own times forgotten; nil: they keep them.
        package var spacing: PoissonSpacing?
        /// The stream ends after this many arrivals; nil for no end.
        package var requestsMax: UInt64?

        /// Only moves the first arrival to zero.
        package init() {}
    }

    /// A stationary Poisson process in place of a workload's own times: the same lengths in the
    /// same order.
    package struct PoissonSpacing: Hashable, Sendable {
        /// Requests a second, after the speed; above zero.
        package var rate: Double
        /// Draws the gaps.
        package var seed: UInt64

        /// Describes a spacing.
        package init(rate: Double, seed: UInt64) {
            self.rate = rate
            self.seed = seed
        }
    }

    private enum Origin {
        case trace(TraceReader)
        case generator(ArrivalGenerator)
        /// Taken out for the length of a call.
        case nothing
    }

    private var origin: Origin
    private let transform: Transform
    private var offset: UInt64?
    private var isOver = false
    private var gaps: SeededRandom
    private var spacedSeconds = 0.0
    private var given: UInt64 = 0
    /// Requests left out so far for their length.
    package private(set) var tooLong: UInt64 = 0

    /// Reads a trace.
    package init(
        format: TraceFormat, transform: Transform = Transform(), source: @escaping ChunkSource
    ) {
        origin = .trace(TraceReader(format: format, source: source))
        self.transform = transform
        gaps = SeededRandom(seed: transform.spacing?.seed ?? 0)
    }

    /// Draws a workload. Its first arrival is not moved to zero: the time before it is part of it.
    package init(spec: GeneratorSpec, seed: UInt64, transform: Transform = Transform()) {
        origin = .generator(ArrivalGenerator(spec: spec, seed: seed))
        var transform = transform
        transform.startsAtZero = false
        self.transform = transform
        gaps = SeededRandom(seed: transform.spacing?.seed ?? 0)
    }

    /// The next arrival, in order of time; nil at the end or once the duration is over.
    package mutating func next() throws(TraceFault) -> Arrival? {
        while !isOver, given < transform.requestsMax ?? .max, var arrival = try pull() {
            if transform.spacing == nil {
                let start = offset ?? (transform.startsAtZero ? arrival.atNanos : 0)
                offset = start
                arrival.atNanos = Self.compress(arrival.atNanos - start, by: transform.speed)
                if isPastEnd(arrival) { break }
            }
            if let most = transform.tokensMax, arrival.inputTokens + arrival.outputTokens > most {
                tooLong += 1
                continue
            }
            if let spacing = transform.spacing {
                spacedSeconds += gaps.exponential(mean: 1 / spacing.rate)
                arrival.atNanos = UInt64(min(spacedSeconds, 1.8e10) * 1e9)
                if isPastEnd(arrival) { break }
            }
            given += 1
            return arrival
        }
        isOver = true
        return nil
    }

    private func isPastEnd(_ arrival: Arrival) -> Bool {
        transform.durationNanos.map { arrival.atNanos >= $0 } ?? false
    }

    private mutating func pull() throws(TraceFault) -> Arrival? {
        switch origin {
        case .trace(var reader):
            // Taken out first, so that the reader's buffer has one owner and is not copied.
            origin = .nothing
            defer { origin = .trace(reader) }
            return try reader.next()
        case .generator(var generator):
            defer { origin = .generator(generator) }
            return generator.next()
        case .nothing:
            return nil
        }
    }

    private static func compress(_ nanos: UInt64, by speed: Double) -> UInt64 {
        if speed == 1 { return nanos }
        let scaled = Double(nanos) / speed
        return scaled < 0x1p63 ? UInt64(scaled) : UInt64(1) << 63
    }
}
