import Baselines
import RequestPath
import Testing

/// Published behaviour of the gates that keep nobody waiting.
@Suite struct SimpleGateTests {
    // MARK: llm-d-router, `requestcontrol/admission.go`

    @Test func `without flow control only the lowest of several classes is shed`() {
        var desk = Desk(.noGate, classes: 2)
        desk.start(1)
        desk.scrape(0, waiting: 500, kv: 1)
        #expect(desk.arrive(1, classIndex: 0).sent == [1])
        #expect(desk.arrive(2, classIndex: 1).refusals == [.saturated])
        desk.scrape(0, waiting: 4, kv: 0.5)
        #expect(desk.arrive(3, classIndex: 1).sent == [3])
    }

    @Test func `without flow control the only class of a model is never shed`() {
        var desk = Desk(.noGate)
        desk.start(1)
        desk.scrape(0, waiting: 500, kv: 1)
        for id in UInt64(1)...100 { #expect(desk.arrive(id).sent == [id]) }
    }

    @Test(arguments: [BaselineGate.noGate, .busyAll, .gradient2])
    func `without an endpoint a request is refused at once`(_ gate: BaselineGate) {
        var desk = Desk(gate)
        #expect(desk.arrive(1).refusals == [.noCapacity])
    }

    // MARK: Dynamo, "Request Rejection"

    @Test func `one worker that is not busy keeps everybody in`() {
        var desk = Desk(.busyAll)
        desk.start(2)
        desk.scrape(0, kv: 0.86)
        desk.scrape(1, kv: 0.85)
        // Turns are taken over busy workers too.
        #expect((1...4).flatMap { desk.arrive($0).endpoints } == [0, 1, 0, 1])
        desk.scrape(1, kv: 0.86)
        #expect(desk.arrive(5).refusals == [.saturated])
    }

    @Test func `prefill that has not been answered makes a worker busy`() {
        var desk = Desk(.busyAll)
        desk.start(1)
        #expect(desk.arrive(1, tokens: 10_000).sent == [1])
        #expect(desk.arrive(2, tokens: 1).sent == [2])
        #expect(desk.arrive(3, tokens: 1).refusals == [.saturated])
        desk.tell(.firstToken(RequestID(raw: 1)))
        #expect(desk.arrive(4, tokens: 1).sent == [4])
    }

    @Test func `a worker that has said nothing is not busy, and one that fell silent stays so`() {
        var desk = Desk(.busyAll)
        desk.tell(.endpointAdded(EndpointID(raw: 0), model: ModelID(raw: 0), ready: true))
        #expect(desk.arrive(1).sent == [1])
        desk.scrape(0, kv: 1)
        #expect(desk.arrive(2, atMs: 60_000).refusals == [.saturated])
    }

    // MARK: Netflix concurrency-limits, `Gradient2Limit`

    @Test func `the limit begins at twenty and nobody waits for it`() {
        var desk = Desk(.gradient2)
        desk.start(1)
        for id in UInt64(1)...20 { #expect(desk.arrive(id).sent == [id]) }
        #expect(desk.arrive(21).refusals == [.saturated])
        desk.finish(1, atMs: 10)
        #expect(desk.arrive(22).sent == [22])
    }

    @Test func `steady latency under strain raises the limit by four fifths a sample`() {
        var desk = Desk(.gradient2)
        desk.start(1)
        for id in UInt64(1)...20 { desk.arrive(id) }
        for id in UInt64(1)...20 { desk.finish(id, atMs: 100) }
        // Samples ten to twenty were at half the limit or more: 20 + 11 * 0.8.
        #expect(admitted(by: &desk, from: 100) == 28)
    }

    @Test func `the limit does not grow beyond its maximum`() {
        var desk = Desk(.gradient2) { $0.gradient.limitMax = 23 }
        desk.start(1)
        for id in UInt64(1)...20 { desk.arrive(id) }
        for id in UInt64(1)...20 { desk.finish(id, atMs: 100) }
        #expect(admitted(by: &desk, from: 100) == 23)
    }

    @Test func `long answers look like load and shrink the limit on an idle engine`() {
        var desk = Desk(.gradient2) { $0.gradient.limitMin = 1 }
        desk.start(1)
        for id in UInt64(1)...20 { desk.arrive(id) }
        for id in UInt64(1)...10 { desk.finish(id, atMs: 100) }
        // Ten long answers, each ten times as long as the average of the short ones.
        for id in UInt64(11)...20 { desk.finish(id, atMs: 1_000) }
        #expect(admitted(by: &desk, from: 100) < 20)
    }

    @Test func `what failed or left teaches nothing`() {
        var desk = Desk(.gradient2)
        desk.start(1)
        for id in UInt64(1)...20 { desk.arrive(id) }
        for id in UInt64(1)...10 {
            desk.tell(.attemptFailed(RequestID(raw: id), .serverError, beforeFirstByte: true))
        }
        for id in UInt64(11)...20 { desk.tell(.cancel(RequestID(raw: id))) }
        #expect(admitted(by: &desk, from: 100) == 20)
        #expect(desk.faults.isEmpty)
    }

    /// How many of many arrivals the limit lets in.
    private func admitted(by desk: inout Desk, from first: UInt64) -> Int {
        (first..<(first + 300)).count { desk.arrive($0).sent == [$0] }
    }
}
