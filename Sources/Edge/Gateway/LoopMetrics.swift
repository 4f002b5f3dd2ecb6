import RequestPath
import Synchronization

/// One loop's counters, behind a lock that is contended only while somebody looks.
package final class LoopMetrics: Sendable {
    private let counters: Mutex<Counters>
    private let recorder: (@Sendable (RequestRecord) -> Void)?

    /// `recorder` sees every record on the loop's thread.
    package init(
        bounds: [UInt64] = [], recorder: (@Sendable (RequestRecord) -> Void)? = nil
    ) {
        self.counters = Mutex(Counters())
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

    /// A copy of everything counted so far.
    package var snapshot: Counters { self.counters.withLock { $0 } }
}

/// What is counted; loops' counters are added up to be shown.
package struct Counters: Sendable {
    package var byGroup: [GroupCounters] = []
    /// Answers before admission, by code.
    package var rejected: [String: UInt64] = [:]
    package var scrapesFailed: UInt64 = 0

    package init() {}

    mutating func add(_ record: RequestRecord) {
        guard let model = record.model else {
            if case .rejected(let status) = record.outcome {
                self.rejected["status_\(status)", default: 0] += 1
            }
            return
        }
        let index = self.group(model: model.raw, classIndex: record.classIndex)
        self.byGroup[index].add(record)
    }

    private mutating func group(model: Int, classIndex: Int) -> Int {
        if let known = self.byGroup.firstIndex(where: {
            $0.model == model && $0.classIndex == classIndex
        }) {
            return known
        }
        self.byGroup.append(GroupCounters(model: model, classIndex: classIndex))
        return self.byGroup.count - 1
    }

    /// Adds another loop's counters.
    package mutating func merge(_ other: Counters) {
        for (code, count) in other.rejected { self.rejected[code, default: 0] += count }
        self.scrapesFailed += other.scrapesFailed
        for group in other.byGroup {
            let index = self.group(model: group.model, classIndex: group.classIndex)
            self.byGroup[index].merge(group)
        }
    }
}

/// Counters of one model and class.
package struct GroupCounters: Sendable {
    package var model: Int
    package var classIndex: Int
    package var completed: UInt64 = 0
    package var clientErrors: UInt64 = 0
    package var abandoned: UInt64 = 0
    package var degraded: UInt64 = 0
    package var retries: UInt64 = 0
    package var refused = [UInt64](repeating: 0, count: RefusalReason.allCases.count)
    package var refusedLate: UInt64 = 0
    package var failed = [UInt64](repeating: 0, count: FailureKind.allCases.count)
    package var promptTokens: UInt64 = 0
    package var outputTokens: UInt64 = 0
    package var cachedTokens: UInt64 = 0
    package var ttft = LatencyHistogram()
    package var interToken = LatencyHistogram()
    package var endToEnd = LatencyHistogram()
    package var stages = [LatencyHistogram](
        repeating: LatencyHistogram(), count: Stage.allCases.count)
    package var waits = [LatencyHistogram](
        repeating: LatencyHistogram(), count: WaitCause.allCases.count)

    init(model: Int, classIndex: Int) {
        self.model = model
        self.classIndex = classIndex
    }

    mutating func add(_ record: RequestRecord) {
        switch record.outcome {
        case .completed(let status):
            if status < 400 { self.completed += 1 } else { self.clientErrors += 1 }
        case .refused(let reason, let late):
            self.refused[RefusalReason.allCases.firstIndex(of: reason) ?? 0] += 1
            if late { self.refusedLate += 1 }
        case .rejected: self.clientErrors += 1
        case .failed(let kind): self.failed[FailureKind.allCases.firstIndex(of: kind) ?? 0] += 1
        case .abandoned: self.abandoned += 1
        }
        if record.ladderStep > 0 { self.degraded += 1 }
        if record.attempts > 1 { self.retries += UInt64(record.attempts - 1) }
        self.promptTokens += UInt64(record.promptTokens)
        self.outputTokens += UInt64(record.outputTokens)
        self.cachedTokens += UInt64(record.cachedTokens)
        if let nanos = record.ttftNanos { self.ttft.add(nanos) }
        if let nanos = record.interTokenNanos { self.interToken.add(nanos) }
        self.endToEnd.add(record.endToEndNanos)
        for stage in Stage.allCases { self.stages[stage.rawValue].add(record.times.nanos(of: stage)) }
        if record.waited != .none {
            let cause = WaitCause.allCases.firstIndex(of: record.waited) ?? 0
            self.waits[cause].add(record.times.nanos(of: .queue))
        }
    }

    mutating func merge(_ other: GroupCounters) {
        self.completed += other.completed
        self.clientErrors += other.clientErrors
        self.abandoned += other.abandoned
        self.degraded += other.degraded
        self.retries += other.retries
        self.refusedLate += other.refusedLate
        for index in self.refused.indices { self.refused[index] += other.refused[index] }
        for index in self.failed.indices { self.failed[index] += other.failed[index] }
        self.promptTokens += other.promptTokens
        self.outputTokens += other.outputTokens
        self.cachedTokens += other.cachedTokens
        self.ttft.merge(other.ttft)
        self.interToken.merge(other.interToken)
        self.endToEnd.merge(other.endToEnd)
        for index in self.stages.indices { self.stages[index].merge(other.stages[index]) }
        for index in self.waits.indices { self.waits[index].merge(other.waits[index]) }
    }
}

/// Counts of durations on one fixed ladder of bounds, as Prometheus histograms want them.
package struct LatencyHistogram: Sendable {
    /// Upper bounds in nanoseconds: 1, 2.5, 5 by decade from 10 µs to 500 s.
    package static let bounds: [UInt64] = (0..<8).flatMap { decade -> [UInt64] in
        var unit: UInt64 = 10_000
        for _ in 0..<decade { unit *= 10 }
        return [unit, unit * 5 / 2, unit * 5]
    }

    /// A count for each bound, and one for what lies above the last.
    package private(set) var counts = [UInt64](repeating: 0, count: LatencyHistogram.bounds.count + 1)
    package private(set) var sumNanos: UInt64 = 0

    package init() {}

    package var total: UInt64 { self.counts.reduce(0, +) }

    mutating func add(_ nanos: UInt64) {
        var low = 0
        var high = Self.bounds.count
        while low < high {
            let middle = (low + high) / 2
            if Self.bounds[middle] < nanos { low = middle + 1 } else { high = middle }
        }
        self.counts[low] += 1
        self.sumNanos &+= nanos
    }

    mutating func merge(_ other: LatencyHistogram) {
        for index in self.counts.indices { self.counts[index] += other.counts[index] }
        self.sumNanos &+= other.sumNanos
    }
}
