/// Something that will happen in the world at a known instant.
enum Happening: Hashable, Sendable {
    /// The step of an endpoint's engine ends; void when the epoch is no longer the engine's.
    case stepEnd(endpoint: Int32, epoch: UInt32)
    /// A scraper asks an endpoint for its gauges.
    case scrape(endpoint: Int32)
    /// The answer to that is at the gateway.
    case scraped(endpoint: Int32)
    /// The prober asks an endpoint for its health, and will again.
    case probe(endpoint: Int32)
    /// The answer to a probe is at the gateway.
    case probed(endpoint: Int32)
    /// The gateway learns that a request's attempt failed.
    case attemptFails(slot: Int32, generation: UInt32)
    /// The gateway learns that a request's second try failed.
    case secondFails(slot: Int32, attempt: UInt32)
    /// A refused client asks again.
    case retry(slot: Int32, generation: UInt32)
    /// A client without a first token goes away.
    case leave(slot: Int32, generation: UInt32)
    /// The gateway loses its patience with an endpoint that says nothing.
    case silence(endpoint: Int32)
    /// A scripted fault begins.
    case faultBegins(Int32)
    /// A scripted fault ends.
    case faultEnds(Int32)
    /// The scaler decides.
    case scale
    /// A replica is ready; void when the epoch is no longer its own.
    case replicaReady(endpoint: Int32, epoch: UInt32)
}

/// What will happen, in order of time and, at one instant, in the order it was foreseen: the same
/// run always takes the same turn.
///
/// A heap of four children a node. O(log n) a call; no allocation once grown.
struct EventHeap: Sendable {
    struct Entry: Sendable {
        var at: UInt64
        var order: UInt64
        var happening: Happening
    }

    private var entries: [Entry] = []
    private var order: UInt64 = 0

    /// When the next one happens; nil when nothing will.
    var firstAt: UInt64? { entries.first?.at }

    var count: Int { entries.count }

    mutating func add(_ happening: Happening, at nanos: UInt64) {
        order += 1
        let entry = Entry(at: nanos, order: order, happening: happening)
        entries.append(entry)
        var child = entries.count - 1
        while child > 0 {
            let parent = (child - 1) / 4
            guard Self.isEarlier(entry, entries[parent]) else { break }
            entries[child] = entries[parent]
            child = parent
        }
        entries[child] = entry
    }

    /// Takes out what happens first.
    mutating func popFirst() -> Entry? {
        guard let first = entries.first, let last = entries.popLast() else { return nil }
        guard !entries.isEmpty else { return first }
        let count = entries.count
        var parent = 0
        while true {
            let children = parent * 4 + 1
            guard children < count else { break }
            var least = children
            for child in (children + 1)..<max(children + 1, min(children + 4, count))
            where Self.isEarlier(entries[child], entries[least]) {
                least = child
            }
            guard Self.isEarlier(entries[least], last) else { break }
            entries[parent] = entries[least]
            parent = least
        }
        entries[parent] = last
        return first
    }

    private static func isEarlier(_ left: Entry, _ right: Entry) -> Bool {
        left.at != right.at ? left.at < right.at : left.order < right.order
    }
}
