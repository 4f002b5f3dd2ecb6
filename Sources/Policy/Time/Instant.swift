/// A point on a monotonic clock, in nanoseconds from an origin the caller chose.
///
/// Policy never reads a clock: the edge passes real instants, the twin passes virtual ones.
package struct Instant: Hashable, Comparable, Sendable {
    /// Nanoseconds since the origin.
    package var nanos: UInt64

    /// Creates an instant `nanos` nanoseconds after the origin.
    @inlinable package init(nanos: UInt64) {
        self.nanos = nanos
    }

    /// The origin of the clock.
    package static let zero = Instant(nanos: 0)

    @inlinable package static func < (left: Instant, right: Instant) -> Bool {
        left.nanos < right.nanos
    }

    @inlinable package static func > (left: Instant, right: Instant) -> Bool {
        left.nanos > right.nanos
    }

    @inlinable package static func <= (left: Instant, right: Instant) -> Bool {
        left.nanos <= right.nanos
    }

    @inlinable package static func >= (left: Instant, right: Instant) -> Bool {
        left.nanos >= right.nanos
    }

    @inlinable package static func == (left: Instant, right: Instant) -> Bool {
        left.nanos == right.nanos
    }

    /// Nanoseconds from `earlier` to this instant; zero when `earlier` is later.
    @inlinable package func nanosSince(_ earlier: Instant) -> UInt64 {
        self.nanos > earlier.nanos ? self.nanos &- earlier.nanos : 0
    }

    /// This instant moved `nanos` nanoseconds on; saturates at the end of the clock.
    @inlinable package func advanced(byNanos nanos: UInt64) -> Instant {
        let (sum, overflow) = self.nanos.addingReportingOverflow(nanos)
        return Instant(nanos: overflow ? .max : sum)
    }
}

extension Instant: Codable {
    /// Reads its nanoseconds.
    package init(from decoder: any Decoder) throws {
        self.init(nanos: try decoder.singleValueContainer().decode(UInt64.self))
    }

    /// Writes its nanoseconds.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self.nanos)
    }
}
