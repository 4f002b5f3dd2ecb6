import Time

/// Work that was asked for at one model's front door since the start: admitted, queued and refused
/// for want of capacity, each request once however often its client asks. What a scaler counts
/// demand by; it only ever grows.
package struct FrontDoor: Sendable, Equatable {
    /// In nanoseconds of one replica.
    package internal(set) var offeredNanos = 0.0
    /// What of it was refused for want of capacity, or had its first token too late.
    package internal(set) var missedNanos = 0.0

    /// Nobody has asked yet.
    package init() {}
}

extension RefusalReason {
    /// More replicas would have served it.
    var isForCapacity: Bool {
        switch self {
        case .saturated, .queueFull, .noCapacity: true
        default: false
        }
    }
}

extension Pool {
    /// Nanoseconds of one replica that a request takes: its prefill, and its share of the decode
    /// steps of a full batch.
    ///
    ///     perPrefillToken * prefill + interToken * output / slots
    ///
    /// as learned; by what was believed before where nothing is.
    func replicaNanos(prefillTokens: Double, outputTokens: Double) -> Double {
        let slots =
            self.capacity.open > 0
            ? Double(self.capacity.slots) / Double(self.capacity.open) : Self.slotsUnseen
        return self.steps.line.perToken * prefillTokens
            + self.steps.interTokenNanos * outputTokens / max(1, slots)
    }

    /// Sequences a replica is believed to hold while none is open.
    private static let slotsUnseen = 64.0
}

/// Who was refused and has not come back: a second try of theirs is no new demand.
///
/// Bounded: where two fall on one place the later one stays, and the other counts twice.
struct RefusedLately: Sendable {
    private var until = Array(repeating: Instant.zero, count: Self.places)
    private var keys = Array(repeating: UInt64(0), count: Self.places)

    private static let places = 4096

    /// The tenant's request with this prompt was told to come back after `nanos`.
    mutating func add(tenant: Int, promptHash: UInt64, afterNanos nanos: UInt64, now: Instant) {
        guard promptHash != 0 else { return }
        let key = Self.key(tenant, promptHash)
        self.keys[Self.place(key)] = key
        // A client that counts from when it has read the answer comes a little later.
        self.until[Self.place(key)] = now.advanced(byNanos: nanos + nanos / 4 + 1_000_000_000)
    }

    /// Whether it was, and is not late; it is forgotten then.
    mutating func take(tenant: Int, promptHash: UInt64, now: Instant) -> Bool {
        guard promptHash != 0 else { return false }
        let key = Self.key(tenant, promptHash)
        let place = Self.place(key)
        guard self.keys[place] == key, self.until[place] >= now else { return false }
        self.keys[place] = 0
        return true
    }

    private static func key(_ tenant: Int, _ promptHash: UInt64) -> UInt64 {
        (promptHash ^ UInt64(truncatingIfNeeded: tenant) &* 0x9e37_79b9_7f4a_7c15) | 1
    }

    private static func place(_ key: UInt64) -> Int {
        Int((key &* 0x9e37_79b9_7f4a_7c15) >> 52)
    }
}
