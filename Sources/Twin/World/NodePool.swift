import Statistics

/// Where replicas find GPUs: nodes of one kind, each provided when it is needed and given back when
/// it has been empty for a while.
package struct NodePool: Sendable, Hashable {
    package var gpusPerNode: Int
    package var gpusPerReplica: Int
    package var nodesMin: Int
    package var nodesMax: Int
    /// From asking for a node to its being there.
    package var provisioning: Cluster.LeadTime
    /// What the first replica of a node takes besides: image and weights are not there yet.
    package var fetchNanos: UInt64
    /// An empty node is kept for so long; nanoseconds.
    package var keepNanos: UInt64 = 600_000_000_000

    /// Replicas that all its nodes have room for.
    package var replicasMax: Int { self.nodesMax * (self.gpusPerNode / self.gpusPerReplica) }

    /// A replica takes at least 1 GPU and at most those of a node; `nodesMax` is at least
    /// `nodesMin` and at least 1.
    package init(
        gpusPerNode: Int, gpusPerReplica: Int, nodesMin: Int, nodesMax: Int,
        provisioning: Cluster.LeadTime, fetchNanos: UInt64 = 0
    ) {
        self.gpusPerNode = gpusPerNode
        self.gpusPerReplica = gpusPerReplica
        self.nodesMin = nodesMin
        self.nodesMax = nodesMax
        self.provisioning = provisioning
        self.fetchNanos = fetchNanos
    }
}

/// The nodes there are, and which replica is where.
struct Nodes: Sendable {
    private struct Node: Sendable {
        var free: Int
        var readyAt: UInt64
        /// Image and weights are there, or on their way until then.
        var fetchedAt: UInt64
        var emptySince: UInt64?
    }

    private let pool: NodePool
    private var nodes: [Int: Node] = [:]
    private var next = 0
    private var paidSince: UInt64
    /// Nanoseconds of a node that were paid for.
    private(set) var paidNanos = 0.0
    private(set) var most = 0

    /// Nodes for `replicas` that are there from the start, and the written minimum.
    init(_ pool: NodePool, from start: UInt64) {
        self.pool = pool
        self.paidSince = start
        for _ in 0..<pool.nodesMin { _ = self.add(readyAt: 0, fetchedAt: 0) }
    }

    private mutating func add(readyAt: UInt64, fetchedAt: UInt64) -> Int {
        defer { self.next += 1 }
        self.nodes[self.next] = Node(
            free: self.pool.gpusPerNode, readyAt: readyAt, fetchedAt: fetchedAt,
            emptySince: readyAt)
        self.most = max(self.most, self.nodes.count)
        return self.next
    }

    /// Finds a place for a replica: the node that could start it first, a new one where none has
    /// room; nil where the pool is full. Returns the node and when it could begin to load.
    ///
    /// - Parameter isThere: the replica is there from the start: so is its node.
    mutating func place(
        now: UInt64, random: inout SeededRandom, isThere: Bool = false
    ) -> (node: Int, startsAt: UInt64)? {
        self.settle(now: now)
        var best: (node: Int, startsAt: UInt64)?
        for id in self.nodes.keys.sorted() {
            guard let node = self.nodes[id], node.free >= self.pool.gpusPerReplica else { continue }
            let at = max(now, node.fetchedAt)
            if at < best?.startsAt ?? .max { best = (id, at) }
        }
        if best == nil {
            guard self.nodes.count < self.pool.nodesMax else { return nil }
            let ready = isThere ? now : now &+ self.pool.provisioning.draw(&random)
            let fetched = isThere ? now : ready &+ self.pool.fetchNanos
            best = (self.add(readyAt: ready, fetchedAt: fetched), fetched)
        }
        guard let found = best else { return nil }
        self.nodes[found.node]?.free -= self.pool.gpusPerReplica
        self.nodes[found.node]?.emptySince = nil
        return found
    }

    /// A replica is gone from its node.
    mutating func leave(_ id: Int, now: UInt64) {
        self.settle(now: now)
        self.nodes[id]?.free += self.pool.gpusPerReplica
        if self.nodes[id]?.free == self.pool.gpusPerNode { self.nodes[id]?.emptySince = now }
    }

    /// Pays up to now and gives back what has been empty for long enough.
    mutating func settle(now: UInt64) {
        // The longest empty first: what is paid never goes back.
        let empty = self.nodes.compactMap { id, node in node.emptySince.map { ($0, id) } }
        for (empty, id) in empty.sorted(by: <) {
            guard self.nodes.count > self.pool.nodesMin, now > empty &+ self.pool.keepNanos
            else { break }
            self.pay(to: empty &+ self.pool.keepNanos)
            self.nodes[id] = nil
        }
        self.pay(to: now)
    }

    private mutating func pay(to now: UInt64) {
        guard now > self.paidSince else { return }
        self.paidNanos += Double(self.nodes.count) * Double(now - self.paidSince)
        self.paidSince = now
    }
}
