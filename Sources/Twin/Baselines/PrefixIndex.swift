/// What a router believes each endpoint has in its prefix cache: the blocks it sent there last.
///
/// Hashes must chain: a block's hash stands for it and all before it. Nothing is heard from
/// engines, so that what they evicted is still believed in.
/// Source: llm-d-router, `dataproducer/approximateprefix`.
struct PrefixIndex: Sendable {
    private var endpoints: [RecentHashes] = []
    private let blocksMax: Int

    /// Remembers at most `blocksMax` blocks of each endpoint, the last used.
    init(blocksMax: Int) {
        self.blocksMax = max(1, blocksMax)
    }

    /// Leading blocks of a prompt that an endpoint is believed to have.
    ///
    /// - Complexity: O(blocks matched).
    func matched(_ blocks: some Sequence<UInt64>, at endpoint: Int) -> Int {
        guard endpoint < self.endpoints.count else { return 0 }
        var matched = 0
        for block in blocks {
            guard self.endpoints[endpoint].contains(block) else { break }
            matched += 1
        }
        return matched
    }

    /// A prompt was sent there.
    ///
    /// - Complexity: O(blocks).
    mutating func insert(_ blocks: some Sequence<UInt64>, at endpoint: Int) {
        while self.endpoints.count <= endpoint {
            self.endpoints.append(RecentHashes(capacity: self.blocksMax))
        }
        for block in blocks { self.endpoints[endpoint].insert(block) }
    }

    /// The endpoint is gone.
    mutating func removeAll(at endpoint: Int) {
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
