import Config
import HTTP
import RequestPath
import Testing

@testable import Gateway

/// What a refusal by admission says to a client, and how it is counted.
@Suite struct RefusalTests {
    /// One reason as admission gives it, and the head of its answer.
    private struct Row {
        var reason: RefusalReason
        var afterNanos: UInt64
        var status: Int
        var fields: [String]
    }

    private static let second: UInt64 = 1_000_000_000

    private static let rows = [
        Row(
            reason: .saturated, afterNanos: 10_000_000, status: 429,
            fields: ["x-plimsoll-refused: saturated", "retry-after: 1", "retry-after-ms: 10"]),
        Row(
            reason: .queueFull, afterNanos: 1_001_000_000, status: 429,
            fields: ["x-plimsoll-refused: queue_full", "retry-after: 2", "retry-after-ms: 1001"]),
        Row(
            reason: .rateLimited, afterNanos: 60 * second, status: 429,
            fields: [
                "x-plimsoll-refused: rate_limited", "retry-after: 60", "retry-after-ms: 60000",
            ]),
        // SDKs do not wait as long as this: they are told not to try.
        Row(
            reason: .rateLimited, afterNanos: 61 * second, status: 429,
            fields: [
                "x-plimsoll-refused: rate_limited", "retry-after: 61", "retry-after-ms: 61000",
                "x-should-retry: false",
            ]),
        // Waiting does not help: admission gives its longest time.
        Row(
            reason: .infeasible, afterNanos: 3600 * second, status: 429,
            fields: [
                "x-plimsoll-refused: infeasible", "retry-after: 3600", "retry-after-ms: 3600000",
                "x-should-retry: false",
            ]),
        Row(
            reason: .noCapacity, afterNanos: 2 * second, status: 503,
            fields: ["x-plimsoll-refused: no_capacity", "retry-after: 2", "retry-after-ms: 2000"]),
        // The client's own fault is no matter of time.
        Row(
            reason: .tooLong, afterNanos: second, status: 400,
            fields: ["x-plimsoll-refused: context_length_exceeded"]),
    ]

    @Test func `every reason has its status, its code and its time to come back`() {
        for row in Self.rows {
            let refusal = Refusal(reason: row.reason, retryAfterNanos: row.afterNanos)
            let answer = ErrorAnswer.refusal(refusal, model: "m")
            let head = HeadBuilder()
            answer.appendFields(head)
            let lines = head.withBytes { String(decoding: $0, as: UTF8.self) }
            #expect(lines == row.fields.map { $0 + "\r\n" }.joined(), "\(row.reason)")
            #expect(answer.status == row.status && answer.code == row.reason.label)
            let body = String(decoding: answer.body, as: UTF8.self)
            #expect(body.contains("\"code\":\"\(row.reason.label)\""))
            // Words must not ask for what the head forbids.
            let forbids = row.status == 400 || row.reason == .infeasible
            #expect(answer.message.contains("retry") != forbids, "\(answer.message)")
        }
        for reason in RefusalReason.allCases {
            #expect(Self.rows.contains { $0.reason == reason }, "\(reason) is in no row")
        }
    }

    @Test func `every step of the longest ladder is counted apart`() throws {
        let config = try TestGateway.config(TestGateway.budget([1]))
        var group = GroupCounters(plan: try #require(MetricsPlan(config).groups.first))
        for step in 1...ConfigurationLimits.ladderStepsMax {
            var record = RequestRecord()
            record.outcome = .completed(status: 200)
            record.ladderStep = step
            for _ in 0..<step { group.add(record) }
        }
        #expect(group.degraded == (1...16).map { UInt64($0) })
    }
}
