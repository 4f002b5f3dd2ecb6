/// The KV blocks of an engine: free, owned by a sequence, or cached under a prefix hash.
///
/// A cached prefix is an entry of `blocksPerHash` blocks with a count of holders; without holders
/// it stays in a list, least recently used first, until its blocks are needed. Every operation is
/// O(1), and nothing is allocated once the entry table has grown to its largest.
struct BlockPool: Sendable {
    private struct Entry {
        var hash: UInt64
        var holders: Int32
        /// Neighbours in the list of entries without holders; `next` also links unused entries.
        var previous: Int32
        var next: Int32
    }

    private static let none: Int32 = -1

    let blocksPerHash: Int
    private(set) var free: Int
    private(set) var evictableEntries = 0
    private(set) var entryCount = 0
    private var entries: [Entry] = []
    private var indexByHash: [UInt64: Int32] = [:]
    private var oldest = none
    private var newest = none
    private var unused = none

    init(blocks: Int, blocksPerHash: Int) {
        free = blocks
        self.blocksPerHash = blocksPerHash
    }

    /// Blocks that could be had now.
    var available: Int { free + evictableEntries * blocksPerHash }

    /// Takes `blocks`, evicting the least recently used prefixes at need; false, and nothing
    /// changed, when there are not enough.
    mutating func take(_ blocks: Int) -> Bool {
        guard blocks <= available else { return false }
        while free < blocks { evictOldest() }
        free -= blocks
        return true
    }

    /// Gives back blocks that were taken.
    mutating func give(_ blocks: Int) {
        free += blocks
    }

    /// How many leading hashes of the first `limit` are cached, and how many of those nobody holds.
    func match(_ hashes: [UInt64], limit: Int) -> (hits: Int, withoutHolder: Int) {
        var hits = 0
        var withoutHolder = 0
        while hits < limit, let index = indexByHash[hashes[hits]] {
            if entries[Int(index)].holders == 0 { withoutHolder += 1 }
            hits += 1
        }
        return (hits, withoutHolder)
    }

    /// Holds a cached prefix, which must be there.
    mutating func hold(_ hash: UInt64) {
        guard let index = indexByHash[hash] else {
            preconditionFailure("a prefix was held that is not cached")
        }
        hold(at: index)
    }

    /// Turns `blocksPerHash` blocks of a sequence into the cached prefix `hash`, held by it. When
    /// another sequence computed the same prefix first, its blocks are held and these are given
    /// back.
    mutating func publish(_ hash: UInt64) {
        if let index = indexByHash[hash] {
            hold(at: index)
            free += blocksPerHash
            return
        }
        let entry = Entry(hash: hash, holders: 1, previous: Self.none, next: Self.none)
        let index: Int32
        if unused != Self.none {
            index = unused
            unused = entries[Int(index)].next
            entries[Int(index)] = entry
        } else {
            index = Int32(entries.count)
            entries.append(entry)
        }
        indexByHash[hash] = index
        entryCount += 1
    }

    /// Lets go of a held prefix; without holders it becomes the most recently used.
    mutating func release(_ hash: UInt64) {
        guard let index = indexByHash[hash], entries[Int(index)].holders > 0 else {
            preconditionFailure("a prefix was released that is not held")
        }
        entries[Int(index)].holders -= 1
        guard entries[Int(index)].holders == 0 else { return }
        entries[Int(index)].previous = newest
        entries[Int(index)].next = Self.none
        if newest == Self.none { oldest = index } else { entries[Int(newest)].next = index }
        newest = index
        evictableEntries += 1
    }

    private mutating func hold(at index: Int32) {
        if entries[Int(index)].holders == 0 { unlink(index) }
        entries[Int(index)].holders += 1
    }

    private mutating func evictOldest() {
        let index = oldest
        precondition(index != Self.none, "more blocks were promised than can be evicted")
        unlink(index)
        indexByHash[entries[Int(index)].hash] = nil
        entries[Int(index)].next = unused
        unused = index
        entryCount -= 1
        free += blocksPerHash
    }

    private mutating func unlink(_ index: Int32) {
        let previous = entries[Int(index)].previous
        let next = entries[Int(index)].next
        if previous == Self.none { oldest = next } else { entries[Int(previous)].next = next }
        if next == Self.none { newest = previous } else { entries[Int(next)].previous = previous }
        evictableEntries -= 1
    }
}
