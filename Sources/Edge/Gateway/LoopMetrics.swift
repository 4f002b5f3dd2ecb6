import EventLoop
import RequestPath

/// One loop's counters, behind a lock that is contended only while somebody looks.
package final class LoopMetrics: Sendable {
    private let counters: Lock<Counters>
    private let recorder: (@Sendable (RequestRecord) -> Void)?

    /// `recorder` sees every record on the loop's thread.
    package init(
        plan: MetricsPlan = MetricsPlan(), recorder: (@Sendable (RequestRecord) -> Void)? = nil
    ) {
        self.counters = Lock(Counters(plan: plan))
        self.recorder = recorder
    }

    /// Takes one finished request.
    func add(_ record: RequestRecord) {
        self.counters.withLock { $0.add(record) }
        self.recorder?(record)
    }

    /// Counts an answer given before admission.
    func reject(_ error: ErrorAnswer) {
        self.counters.withLock { $0.rejected[error.code, default: 0] += 1 }
    }

    func scrapeFailed() {
        self.counters.withLock { $0.scrapesFailed += 1 }
    }

    /// Judges what ends from now on by another plan.
    func adopt(_ plan: MetricsPlan) {
        self.counters.withLock { $0.adopt(plan) }
    }

    /// The loop says how many clients it has.
    func publish(connections: Int, turnedAway: UInt64) {
        self.counters.withLock {
            $0.connections = connections
            $0.turnedAway = turnedAway
        }
    }

    /// A copy of everything counted so far.
    package var snapshot: Counters { self.counters.withLock { $0 } }
}

/// What is counted; loops' counters are added up to be shown.
package struct Counters: Sendable {
    /// Tenants and endpoints told apart; those beyond count with the last.
    package static let namedMax = 1000

    /// By model and class, in the plan's order.
    package private(set) var groups: [GroupCounters]
    /// By tenant id; the entry behind the bound is everybody else.
    package private(set) var tenants: [PartyCounters] = []
    /// By endpoint id; the entry behind the bound is every other.
    package private(set) var endpoints: [PartyCounters] = []
    /// Answers before admission, by code.
    package var rejected: [String: UInt64] = [:]
    package var scrapesFailed: UInt64 = 0
    /// Client connections open now.
    package var connections = 0
    /// Connections closed at the bound.
    package var turnedAway: UInt64 = 0
    package private(set) var notable = NotableRequests()
    private var plan: MetricsPlan

    package init(plan: MetricsPlan = MetricsPlan()) {
        self.plan = plan
        self.groups = plan.groups.map { GroupCounters(plan: $0) }
    }

    mutating func add(_ record: RequestRecord) {
        guard let model = record.model else {
            if case .rejected(let status) = record.outcome {
                self.rejected["status_\(status)", default: 0] += 1
            }
            return
        }
        guard let index = self.plan.index(model: model.raw, classIndex: record.classIndex) else {
            return
        }
        self.groups[index].add(record)
        Self.add(record, to: &self.tenants, at: record.tenant.raw)
        if let endpoint = record.endpoint {
            Self.add(record, to: &self.endpoints, at: endpoint.raw)
        }
        self.notable.offer(record)
    }

    private static func add(_ record: RequestRecord, to parties: inout [PartyCounters], at id: Int)
    {
        let index = min(id, Self.namedMax)
        while parties.count <= index { parties.append(PartyCounters()) }
        parties[index].add(record)
    }

    /// Groups go on by model and class name.
    mutating func adopt(_ plan: MetricsPlan) {
        let old = self.groups
        self.groups = plan.groups.map { wanted in
            let known = old.first {
                $0.plan.model == wanted.model && $0.plan.className == wanted.className
            }
            guard var group = known else { return GroupCounters(plan: wanted) }
            group.adopt(wanted)
            return group
        }
        self.plan = plan
    }

    /// Adds another loop's counters; of a group judged by another plan, nothing.
    package mutating func merge(_ other: Counters) {
        for (code, count) in other.rejected { self.rejected[code, default: 0] += count }
        self.scrapesFailed += other.scrapesFailed
        self.connections += other.connections
        self.turnedAway += other.turnedAway
        self.notable.merge(other.notable)
        Self.merge(other.tenants, into: &self.tenants)
        Self.merge(other.endpoints, into: &self.endpoints)
        for group in other.groups {
            if let index = self.groups.firstIndex(where: { $0.plan == group.plan }) {
                self.groups[index].merge(group)
            }
        }
    }

    private static func merge(_ other: [PartyCounters], into sums: inout [PartyCounters]) {
        for (index, one) in other.enumerated() {
            if index == sums.count { sums.append(PartyCounters()) }
            sums[index].merge(one)
        }
    }
}

/// What is counted for one tenant, or for one endpoint.
package struct PartyCounters: Sendable {
    package var requests: UInt64 = 0
    package var refused: UInt64 = 0
    package var failed: UInt64 = 0
    package var promptTokens: UInt64 = 0
    package var outputTokens: UInt64 = 0

    mutating func add(_ record: RequestRecord) {
        self.requests += 1
        switch record.outcome {
        case .refused: self.refused += 1
        case .failed: self.failed += 1
        default: break
        }
        self.promptTokens += UInt64(record.promptTokens)
        self.outputTokens += UInt64(record.outputTokens)
    }

    mutating func merge(_ other: PartyCounters) {
        self.requests += other.requests
        self.refused += other.refused
        self.failed += other.failed
        self.promptTokens += other.promptTokens
        self.outputTokens += other.outputTokens
    }
}
