import EventLoop
import Gateway
import Replay

/// Compares what the client saw with what the gateway's stage ledger accounts for, request by
/// request: the rest is the unattributed stage.
final class StageLedgerCheck: Sendable {
    /// How many requests fit the promise: unattributed at most 1 % or 1 ms of the client's time.
    struct Result {
        var matched = 0
        var inside = 0
        /// Nanoseconds, by rank.
        var unattributedP50: UInt64 = 0
        var unattributedP999: UInt64 = 0

        var line: String {
            guard self.matched > 0 else { return "stage ledger: no request was matched" }
            let share = Double(self.inside) * 100 / Double(self.matched)
            let hundredths = Int(share * 100)
            let percent = "\(hundredths / 100).\(hundredths % 100 / 10)\(hundredths % 10)"
            return
                "stage ledger: \(self.matched) requests matched, unattributed time within 1 % or "
                + "1 ms for \(percent) %; p50 \(self.unattributedP50 / 1000) us, "
                + "p99.9 \(self.unattributedP999 / 1000) us"
        }
    }

    private struct Pair {
        var wall: UInt64?
        var attributed: UInt64?
    }

    private static let pairsMax = 2_000_000
    private let pairs = Lock<[String: Pair]>([:])

    /// What the client saw, from the moment it sent to the last byte.
    func saw(_ request: ReplayedRequest) {
        // A request without an answer has no end that two sides could agree on.
        guard request.httpStatus != 0, request.endNanos >= request.sentNanos else { return }
        self.add(request.requestID) { $0.wall = request.endNanos - request.sentNanos }
    }

    /// What the gateway accounts for.
    func recorded(_ record: RequestRecord) {
        self.add(String(decoding: record.requestID, as: UTF8.self)) {
            $0.attributed = record.endToEndNanos
        }
    }

    private func add(_ id: String, _ change: (inout Pair) -> Void) {
        self.pairs.withLock { pairs in
            guard pairs.count < Self.pairsMax || pairs[id] != nil else { return }
            change(&pairs[id, default: Pair()])
        }
    }

    /// Sums up what was seen from both sides.
    var result: Result {
        var rests: [UInt64] = []
        var result = Result()
        for pair in self.pairs.withLock({ $0 }).values {
            guard let wall = pair.wall, let attributed = pair.attributed else { continue }
            let rest = wall > attributed ? wall - attributed : 0
            rests.append(rest)
            if rest <= max(wall / 100, 1_000_000) { result.inside += 1 }
        }
        rests.sort()
        result.matched = rests.count
        guard let last = rests.last else { return result }
        result.unattributedP50 = rests[rests.count / 2]
        result.unattributedP999 = rests.count >= 1000 ? rests[rests.count * 999 / 1000] : last
        return result
    }
}
