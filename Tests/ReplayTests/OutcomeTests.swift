import Foundation
import Replay
import Report
import Synchronization
import Testing
import Workload

/// Runs against a scripted server: the report must say what the script did.
struct OutcomeTests {
    /// Settings for rows of `arrival_s,input_tokens,output_tokens`; the file lives with the test.
    private static func settings(
        _ server: ScriptedServer, _ file: TemporaryFile
    ) -> ReplaySettings {
        var settings = ReplaySettings(
            target: Target(server.address), trace: .file(.csv, path: file.path), model: "m")
        settings.drainNanos = 20_000_000_000
        return settings
    }

    private static func trace(_ outputs: [Int]) throws -> TemporaryFile {
        try TemporaryFile(
            "arrival_s,input_tokens,output_tokens\n"
                + outputs.enumerated().map { "0.00\($0 % 10),5,\($1)\n" }.sorted().joined())
    }

    @Test("Every way a request can end is counted where it belongs")
    func outcomes() throws {
        let server = ScriptedServer { request, _ in
            switch request.maxTokens {
            case 1: .events(Chat.answer(tokens: 1))
            case 2:
                .plain(
                    status: 429, fields: "x-plimsoll-refused: saturated\r\n",
                    body: Chat.error(code: "rate"))
            case 3: .plain(status: 503, body: Chat.error(code: "No-Room"))
            case 4: .events(Chat.answer(tokens: 2), end: .cut)
            case 5: .events([Chat.role, Chat.word], end: .reset)
            case 6: .events([Chat.role, Chat.word, Chat.error(code: "engine_died")])
            case 7: .plain(status: 500, body: "oops")
            case 8: .events(Chat.answer(tokens: 3), fields: "x-plimsoll-degraded: cap=3\r\n")
            case 9: .plain(status: 400, body: Chat.error(code: "bad_field"))
            case 11:
                .plain(
                    status: 429,
                    fields: "x-plimsoll-refused: saturated\r\nx-plimsoll-queue-ms: 900\r\n",
                    body: Chat.error(code: "rate"))
            default: .events([Chat.word])
            }
        }
        let file = try Self.trace([1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
        let result = try Replayer(Self.settings(server, file)).run()
        let figures = result.report.figures
        #expect(figures.offered == 12)
        #expect(figures.completed == 3)
        #expect(figures.degraded == 1)
        #expect(figures.refused.total == 3)
        #expect(figures.refused.byReason["saturated"] == 2)
        #expect(figures.refused.byReason["no_room"] == 1)
        #expect(figures.failed.total == 6)
        for reason in [
            "truncated", "disconnected", "engine_died", "http_500", "bad_field", "unfinished",
        ] {
            #expect(figures.failed.byReason[reason] == 1, "\(reason)")
        }
        #expect(figures.abandoned.total == 0)
        // The one that waited in a queue is no delay of an answer.
        #expect(result.refusalDelay.count == 2)
        #expect(figures.ttft.count == 7)
        #expect(figures.itl.count == 2)
    }

    @Test("What is asked for beyond the bound fails, and is not sent late")
    func saturation() throws {
        let server = ScriptedServer { _, _ in .silence }
        let file = try Self.trace([1, 1, 1, 1, 1])
        var settings = Self.settings(server, file)
        settings.inFlightMax = 2
        settings.drainNanos = 0
        let figures = try Replayer(settings).run().report.figures
        #expect(figures.offered == 5)
        #expect(figures.failed.byReason["client_saturated"] == 3)
        #expect(figures.abandoned.total == 2)
    }

    @Test("An honoured retry replaces the refusal and says that it is one")
    func retries() throws {
        let server = ScriptedServer { _, before in
            before < 2
                ? .plain(status: 429, fields: "retry-after: 60\r\nretry-after-ms: 1\r\n", body: "")
                : .events(Chat.answer(tokens: 1))
        }
        let file = try Self.trace([1])
        var settings = Self.settings(server, file)
        settings.retry = .honour
        let report = try Replayer(settings).run().report
        #expect(report.figures.offered == 1)
        #expect(report.figures.completed == 1)
        #expect(report.figures.refused.total == 0)
        #expect(report.retryAmplification == 3)
        let counts = server.requests.map { $0.field("x-stainless-retry-count") }
        #expect(counts == [nil, "1", "2"])
        #expect(Set(server.requests.map { $0.field("x-request-id") }).count == 3)
        #expect(Set(server.requests.map(\.prompt)).count == 1)
    }

    @Test("A refusal that forbids a retry is obeyed, and refusals are not retried unasked")
    func noRetry() throws {
        for retry in [ReplaySettings.Retry.honour, .off] {
            let server = ScriptedServer { _, _ in
                .plain(
                    status: 429, fields: "retry-after-ms: 1\r\nx-should-retry: false\r\n", body: "")
            }
            let file = try Self.trace([1])
            var settings = Self.settings(server, file)
            settings.retry = retry
            let figures = try Replayer(settings).run().report.figures
            #expect(figures.refused.byReason["http_429"] == 1)
            #expect(server.requests.count == 1)
        }
    }

    @Test("A target that nobody listens on is a failure of each request")
    func noServer() throws {
        let file = try Self.trace([1, 1])
        let target = try Target(parsing: "http://127.0.0.1:1")
        let settings = ReplaySettings(
            target: target, trace: .file(.csv, path: file.path), model: "m")
        let figures = try Replayer(settings).run().report.figures
        #expect(figures.failed.byReason["connect_refused"] == 2)
    }

    @Test("Every try is told with its own id and with instants in order")
    func records() throws {
        let server = ScriptedServer { _, _ in .events(Chat.answer(tokens: 2)) }
        let file = try Self.trace([1, 2, 3])
        let told = Told()
        let settings = Self.settings(server, file)
        _ = try Replayer(settings, onFinish: { told.add($0) }).run()
        let records = told.all
        #expect(records.count == 3)
        #expect(
            Set(records.map(\.requestID))
                == Set(
                    server.requests.compactMap {
                        $0.field("x-request-id")
                    }))
        for record in records {
            #expect(record.httpStatus == 200)
            #expect(record.status == .completed)
            #expect(record.intendedNanos <= record.sentNanos)
            #expect(record.sentNanos <= record.firstTokenNanos ?? 0)
            #expect(record.firstTokenNanos ?? .max <= record.endNanos)
        }
    }

    @Test("An interrupted run reports what there was and says that it is not whole")
    func interruption() throws {
        let server = ScriptedServer { _, _ in .silence }
        let file = try TemporaryFile(
            "arrival_s,input_tokens,output_tokens\n0,5,1\n3600,5,1\n")
        let replayer = Replayer(Self.settings(server, file))
        replayer.interrupt()
        let result = try replayer.run()
        #expect(result.isInterrupted)
        #expect(result.report.figures.offered == 1)
        #expect(result.report.figures.abandoned.total == 1)
        #expect(replayer.progress.abandoned == 1)
    }

    @Test("Answers in one piece complete, have no first token, and their tokens are counted")
    func wholeAnswers() throws {
        let server = ScriptedServer { _, _ in
            .plain(
                status: 200,
                body: #"{"choices":[{"message":{"content":"a"}}],"usage":{"prompt_tokens":3,"#
                    + #""completion_tokens":7}}"#)
        }
        let file = try Self.trace([9])
        var settings = Self.settings(server, file)
        settings.streams = false
        let figures = try Replayer(settings).run().report.figures
        #expect(figures.completed == 1)
        #expect(figures.ttft.count == 0)
        #expect(figures.goodput.work.tokens == 5 + 7)
        #expect(!(server.requests.first?.body.contains("stream") ?? true))
    }

    @Test("A budget that no answer can meet is broken, and JSON has the keys of the schema")
    func verdict() throws {
        let server = ScriptedServer { _, _ in .events(Chat.answer(tokens: 2)) }
        let file = try Self.trace([2])
        var settings = Self.settings(server, file)
        settings.budget = ReportBudget(objectives: [
            .init(stage: .ttft, quantilePerMillion: 990_000, boundNanos: 1)
        ])
        let result = try Replayer(settings).run()
        #expect(result.report.verdict?.isHeld == false)
        let json = try JSONSerialization.jsonObject(with: JSONEncoder().encode(result))
        let object = try #require(json as? [String: Any])
        #expect(object["schema"] as? String == "plimsoll.report/v1")
        for key in [
            "offered", "completed", "good", "goodput", "refused", "failed", "degraded", "ttft_ms",
            "itl_ms", "e2e_ms", "refusal_delay_ms", "interrupted",
        ] {
            #expect(object[key] != nil, "\(key)")
        }
    }
}

/// What a run told, from its thread to the test's.
private final class Told: Sendable {
    private let records = Mutex<[ReplayedRequest]>([])

    var all: [ReplayedRequest] { self.records.withLock { $0 } }

    func add(_ record: ReplayedRequest) { self.records.withLock { $0.append(record) } }
}
