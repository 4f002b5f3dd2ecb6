import Time

/// When the refused of one class are asked to come back: one after another, as they can be served.
///
/// A request that is refused would fit once its own excess wait has passed, and so would every
/// other that was refused meanwhile: told that time alone, all come back at once, are refused again
/// and ask more often the higher the load is. So each is given the next free slot of a schedule:
///
///     slot   = max(now + excess, cursor)
///     cursor = max(now, cursor) + 1 / rate
///     rate   = admitted * admitted / (admitted + refused)
///
/// with the rates of the last seconds (`DemandRate`): of what the class admits, those who come back
/// are given the share that those who come at all have. Under lasting overload new requests leave
/// no more than that, and when load falls those who come back find room without being a new wave.
///
/// Bounds: never before the request's own excess; at most an hour from now. The cursor stands still
/// in time, so that it comes nearer as time passes; after `quietNanos` without a refusal what is
/// left of its lead is halved every `halfLifeNanos`: load has fallen, and who is refused next shall
/// not pay for what is over.
struct RetrySchedule: Sendable {
    /// From `at` to the next free slot.
    private var leadNanos = 0.0
    private var at = Instant.zero
    private var refused = DemandRate()

    static let leadNanosMax = 3600e9
    private static let quietNanos: UInt64 = 1_000_000_000
    private static let halfLifeNanos: UInt64 = 5_000_000_000

    /// Takes the next free slot for a request that would fit after `excessNanos`, while the class
    /// admits `admittedPerNano` requests, a little at least; nanoseconds from now.
    ///
    /// - Complexity: O(1).
    mutating func take(
        excessNanos: Double, admittedPerNano admitted: Double, now: Instant
    ) -> Double {
        let passed = now.nanosSince(self.at)
        let quiet = passed > Self.quietNanos ? passed - Self.quietNanos : 0
        let left =
            max(0, self.leadNanos - Double(passed))
            * Decay.factor(nanos: quiet, halfLifeNanos: Self.halfLifeNanos)
        self.refused.add(Demand(prefillTokens: 0, requests: 1), now: now)
        let refused = self.refused.perNano(now: now).requests
        let wait = min(max(excessNanos, left), Self.leadNanosMax)
        let spacing = (admitted + refused) / max(admitted * admitted, 1e-30)
        self.leadNanos = min(left + spacing, Self.leadNanosMax)
        self.at = now
        return wait
    }
}
