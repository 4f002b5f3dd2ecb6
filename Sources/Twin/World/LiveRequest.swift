import Report
import RequestPath
import Time
import Workload

/// A request from its arrival to its outcome.
struct LiveRequest: Sendable {
    enum Phase: UInt8, Sendable {
        case free
        /// In the hands of the gateway.
        case waiting
        /// In the hands of an engine, as far as anyone knows.
        case atEngine
        /// Refused; its client waits to ask again.
        case backingOff
    }

    var phase = Phase.free
    /// Grows with each use of the slot and each try: what is foreseen for another is void.
    var generation: UInt32 = 0
    var arrival = Workload.Arrival(atNanos: 0, inputTokens: 1, outputTokens: 1)
    var number: UInt64 = 0
    var classIndex = 0
    var tenant = 0
    /// The intended arrival: latencies count from here.
    var offeredAt = Instant.zero
    /// When this try reached the gateway.
    var askedAt = Instant.zero
    /// The client's tries, this one included.
    var tries: UInt64 = 1

    // Its attempt at an engine.
    var endpoint = -1
    var sequence: UInt64 = 0
    var sentAt = Instant.zero
    /// When the engine's first token came, and the last one that is known of.
    var firstTokenAt: Instant?
    var lastTokenAt = Instant.zero
    var producedTokens: UInt64 = 0
    /// The client has seen a byte of the answer.
    var isAnswered = false
    var isDegraded = false
    /// Prompt tokens that stand in the endpoint's account of waiting prefill.
    var prefillWaiting = 0
    /// An attempt that has failed and is not told yet.
    var failure: Failure?
    /// Tokens that engines computed for it, in all attempts.
    var computedTokens: UInt64 = 0
    /// How the last try was turned away, while the client backs off.
    var refusal: RequestOutcome.Status?
    var nextFree: Int32 = -1

    /// Tokens of the answer that are wanted: an answer has one at least.
    var outputWanted: Int { max(1, arrival.outputTokens) }

    /// Notes that so many tokens of the answer were out by an instant.
    mutating func produced(_ tokens: Int, at instant: Instant) {
        guard UInt64(tokens) > producedTokens else { return }
        producedTokens = UInt64(tokens)
        lastTokenAt = instant
    }

    /// Whether its deadline, counted from its last try, passed without a first token.
    func isLate(_ deadlineNanos: UInt64, now: Instant) -> Bool {
        if let firstTokenAt { return firstTokenAt.nanosSince(askedAt) > deadlineNanos }
        return now.nanosSince(askedAt) >= deadlineNanos
    }
}

/// Live requests by slot, slots used again: memory follows how many live at once.
struct LiveRequests: Sendable {
    private(set) var slots: [LiveRequest] = []
    private var firstFree: Int32 = -1
    private(set) var count = 0

    private static let slotBits: UInt64 = 24

    subscript(slot: Int) -> LiveRequest {
        _read { yield slots[slot] }
        _modify { yield &slots[slot] }
    }

    /// A slot for a new request, all but its generation as new.
    mutating func insert() -> Int {
        count += 1
        guard firstFree >= 0 else {
            slots.append(LiveRequest())
            return slots.count - 1
        }
        let slot = Int(firstFree)
        firstFree = slots[slot].nextFree
        let generation = slots[slot].generation
        slots[slot] = LiveRequest()
        slots[slot].generation = generation
        return slot
    }

    /// Gives a slot back.
    mutating func remove(_ slot: Int) {
        slots[slot].phase = .free
        slots[slot].generation &+= 1
        slots[slot].arrival.prefixHashes = []
        slots[slot].nextFree = firstFree
        firstFree = Int32(slot)
        count -= 1
    }

    func id(of slot: Int) -> RequestID {
        RequestID(raw: UInt64(slots[slot].generation) << Self.slotBits | UInt64(slot))
    }

    /// The slot of a request that lives; nil when its time is over.
    func slot(of id: RequestID) -> Int? {
        let slot = Int(id.raw & (1 << Self.slotBits - 1))
        guard slot < slots.count, slots[slot].phase != .free,
            UInt64(slots[slot].generation) == id.raw >> Self.slotBits
        else { return nil }
        return slot
    }

    /// The name of a slot's `attempt`-th stay at an engine; unique as long as it can matter.
    static func sequence(slot: Int, attempt: UInt64) -> UInt64 {
        attempt << Self.slotBits | UInt64(slot)
    }

    /// The slot that a sequence is of, if the sequence is still the one it waits for.
    func slot(ofSequence raw: UInt64) -> Int? {
        let slot = Int(raw & (1 << Self.slotBits - 1))
        guard slot < slots.count, slots[slot].phase == .atEngine, slots[slot].sequence == raw
        else { return nil }
        return slot
    }
}
