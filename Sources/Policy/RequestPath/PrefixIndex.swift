/// What a router believes each endpoint has in its prefix cache: the blocks it sent there last.
///
/// Hashes must chain: a block's hash stands for it and all before it. Nothing is heard from
/// engines, so that what they evicted is still believed in until it is the least recently used
/// here: `blocksMax` bounds both that belief and the memory, about 64 bytes a block.
/// Source: llm-d-router, `dataproducer/approximateprefix`.
package struct PrefixIndex: Sendable {
    private var endpoints: [RecentHashes] = []
    private let blocksMax: Int

    /// Remembers at most `blocksMax` blocks of each endpoint, the last used.
    package init(blocksMax: Int) {
        self.blocksMax = max(1, blocksMax)
    }

    /// Leading blocks of a prompt that an endpoint is believed to have.
    ///
    /// A block is never forgotten before those that follow it, so that the last one known is found
    /// by halving.
    ///
    /// - Complexity: O(log blocks).
    package func matched(_ blocks: [UInt64], at endpoint: Int) -> Int {
        guard endpoint < self.endpoints.count else { return 0 }
        var known = 0
        var unknown = blocks.count + 1
        while unknown - known > 1 {
            // Most prompts share nothing: the first block decides.
            let middle = known == 0 && unknown == blocks.count + 1 ? 1 : (known + unknown) / 2
            if self.endpoints[endpoint].contains(blocks[middle - 1]) {
                known = middle
            } else {
                unknown = middle
            }
        }
        return known
    }

    /// A prompt was sent there.
    ///
    /// - Complexity: O(blocks); no allocation once as many are remembered as ever will be.
    package mutating func insert(_ blocks: [UInt64], at endpoint: Int) {
        while self.endpoints.count <= endpoint {
            self.endpoints.append(RecentHashes(capacity: self.blocksMax))
        }
        // The last first: what follows is forgotten before what it follows. Of a prompt longer
        // than the memory the leading blocks are kept.
        for block in blocks.prefix(self.blocksMax).reversed() {
            self.endpoints[endpoint].insert(block)
        }
    }

    /// The endpoint is gone.
    package mutating func removeAll(at endpoint: Int) {
        guard endpoint < self.endpoints.count else { return }
        self.endpoints[endpoint] = RecentHashes(capacity: self.blocksMax)
    }
}

/// The hashes used last, up to a number; the least recently used makes room.
struct RecentHashes: Sendable {
    private struct Node: Sendable {
        var hash: UInt64
        var previous: Int32 = -1
        var next: Int32 = -1
    }

    private var nodes: [Node] = []
    private var table = SlotTable(capacity: 8)
    private var newest: Int32 = -1
    private var oldest: Int32 = -1
    private let capacity: Int

    init(capacity: Int) {
        self.capacity = capacity
    }

    /// Whether it is remembered; asking is not using.
    func contains(_ hash: UInt64) -> Bool { self.table[hash] != nil }

    /// Uses a hash: it is now the newest.
    ///
    /// - Complexity: O(1) amortised.
    mutating func insert(_ hash: UInt64) {
        if let known = self.table[hash] {
            self.unlink(known)
            return self.link(known)
        }
        if self.nodes.count < self.capacity {
            self.nodes.append(Node(hash: hash))
            self.table.insert(hash, slot: self.nodes.count - 1)
            return self.link(self.nodes.count - 1)
        }
        let slot = Int(self.oldest)
        self.unlink(slot)
        self.table.remove(self.nodes[slot].hash)
        self.nodes[slot].hash = hash
        self.table.insert(hash, slot: slot)
        self.link(slot)
    }

    private mutating func link(_ slot: Int) {
        self.nodes[slot].previous = -1
        self.nodes[slot].next = self.newest
        if self.newest >= 0 {
            self.nodes[Int(self.newest)].previous = Int32(slot)
        } else {
            self.oldest = Int32(slot)
        }
        self.newest = Int32(slot)
    }

    private mutating func unlink(_ slot: Int) {
        let node = self.nodes[slot]
        if node.previous >= 0 {
            self.nodes[Int(node.previous)].next = node.next
        } else {
            self.newest = node.next
        }
        if node.next >= 0 {
            self.nodes[Int(node.next)].previous = node.previous
        } else {
            self.oldest = node.previous
        }
    }
}
