import Baselines
import RequestPath
import Testing

/// Published behaviour of llm-d-router's flow control (`flowcontrol/controller`) and of its
/// utilization detector (`saturationdetector/utilization`), good or bad.
@Suite struct GaugeGateTests {
    @Test func `a request is sent at once while the pool is below full`() {
        var desk = Desk(.gaugeGate)
        desk.start(1)
        desk.scrape(0, waiting: 4, kv: 0.79)
        #expect(desk.arrive(1).sent == [1])
    }

    @Test(arguments: [(waiting: UInt32(5), kv: 0.0), (waiting: UInt32(0), kv: 0.8)])
    func `five waiting or eighty percent of the cache is full`(
        _ full: (waiting: UInt32, kv: Double)
    ) {
        var desk = Desk(.gaugeGate)
        desk.start(1)
        desk.scrape(0, waiting: full.waiting, kv: full.kv)
        #expect(desk.arrive(1).isEmpty)
    }

    @Test func `the mean hides a hot endpoint and its next request goes there`() {
        var desk = Desk(.gaugeGate)
        desk.start(2)
        desk.scrape(0, waiting: 9)
        #expect(desk.arrive(1).endpoints == [0])
    }

    @Test func `everything that comes between two scrapes goes out on one gauge`() {
        var desk = Desk(.gaugeGate)
        desk.start(1)
        desk.scrape(0, waiting: 4)
        for id in UInt64(1)...50 { desk.arrive(id, atMs: Double(id)) }
        #expect(desk.sent.count == 50)
    }

    @Test func `the credit for what was sent shuts the gate before the gauge does`() {
        var desk = Desk(.gaugeGate) { $0.detector.creditsInFlight = true }
        desk.start(1)
        for id in UInt64(1)...10 { desk.arrive(id) }
        #expect(desk.sent.count == 5)
        desk.finish(1)
        #expect(desk.pass(untilMs: 2).sent == [6])
    }

    @Test func `a queue drains by one request each millisecond`() {
        var desk = Desk(.gaugeGate)
        desk.start(1)
        desk.scrape(0, waiting: 5)
        for id in UInt64(1)...20 { desk.arrive(id) }
        desk.scrape(0, waiting: 0, atMs: 50.4)
        #expect(desk.pass(untilMs: 50.9).sent.isEmpty)
        #expect(desk.pass(untilMs: 60.5).sent == Array(1...10))
        #expect(desk.pass(untilMs: 80).sent == Array(11...20))
    }

    @Test func `an arrival sends the head of the queue, not itself`() {
        var desk = Desk(.gaugeGate)
        desk.start(1)
        desk.scrape(0, waiting: 5)
        desk.arrive(1)
        desk.scrape(0, waiting: 0, atMs: 50.2)
        #expect(desk.arrive(2, atMs: 50.3).sent == [1])
        #expect(desk.pass(untilMs: 51).sent == [2])
    }

    @Test func `classes go in strict order and the lowest starves`() {
        var desk = Desk(.gaugeGate, classes: 3)
        desk.start(1)
        desk.scrape(0, waiting: 5)
        for (id, classIndex) in [(1, 2), (2, 1), (3, 0), (4, 1), (5, 0)] {
            desk.arrive(UInt64(id), classIndex: classIndex)
        }
        desk.scrape(0, waiting: 0, atMs: 10.5)
        // One arrival and one tick in each millisecond: two turns, one of them taken by the
        // arrivals of the highest class themselves.
        var turns: [UInt64] = []
        for id in UInt64(6)...9 {
            turns += desk.arrive(id, atMs: Double(id) + 4.7, classIndex: 0).sent
            turns += desk.pass(untilMs: Double(id) + 5.6).sent
        }
        #expect(turns == [3, 5, 6, 7, 8, 2, 9, 4])
    }

    @Test func `gauges older than 200 ms stop the pool though its engine is idle`() {
        var desk = Desk(.gaugeGate)
        desk.start(1)
        #expect(desk.arrive(1, atMs: 200).sent == [1])
        #expect(desk.arrive(2, atMs: 200.1).isEmpty)
        #expect(desk.pass(untilMs: 5_000).sent.isEmpty)
        desk.scrape(0, atMs: 5_000.5)
        #expect(desk.pass(untilMs: 5_001).sent == [2])
    }

    @Test func `an endpoint above full looks better once its gauges are stale`() {
        var desk = Desk(.gaugeGate)
        desk.start(2)
        desk.scrape(0, waiting: 20)
        #expect(desk.arrive(1).isEmpty)
        desk.scrape(1, atMs: 150)
        #expect(desk.pass(untilMs: 200).sent.isEmpty)
        #expect(desk.pass(untilMs: 202).sent == [1])
    }

    @Test func `a shut gate asks for no tick before the first sweep that finds something`() {
        var desk = Desk(.gaugeGate) { $0.health.probePeriodNanos = 1 << 60 }
        desk.start(1)
        desk.arrive(1, atMs: 500.25)
        desk.pass(untilMs: 59_000)
        #expect(desk.ticks <= 1)
        #expect(desk.policy.nextDeadline() == Desk.instant(61_000))
    }

    @Test func `a request is dropped by the first sweep after it has waited for a minute`() {
        var desk = Desk(.gaugeGate)
        desk.start(1)
        desk.arrive(1, atMs: 500.25)
        #expect(desk.pass(untilMs: 60_999).refusals.isEmpty)
        let dropped = desk.pass(untilMs: 61_000)
        #expect(dropped.refusals == [.saturated])
        guard case .refuse(_, let refusal) = dropped.first else { return }
        #expect(refusal.late)
        #expect(refusal.retryAfterNanos > 0)
    }

    @Test func `without endpoints requests wait for a minute and are told there is no capacity`() {
        var desk = Desk(.gaugeGate)
        desk.arrive(1, atMs: 1)
        #expect(desk.pass(untilMs: 60_000).isEmpty)
        #expect(desk.pass(untilMs: 61_000).refusals == [.noCapacity])
    }

    @Test func `the minute begins anew when the last endpoint goes`() {
        var desk = Desk(.gaugeGate)
        desk.start(1)
        desk.scrape(0, waiting: 5)
        desk.arrive(1)
        desk.tell(.endpointRemoved(EndpointID(raw: 0)), atMs: 30_000)
        #expect(desk.pass(untilMs: 89_999).refusals.isEmpty)
        #expect(desk.pass(untilMs: 90_000).refusals == [.noCapacity])
    }

    @Test func `a band holds five thousand requests`() {
        var desk = Desk(.gaugeGate, classes: 2) { $0.gauge.bandRequestsMax = 50 }
        #expect(BaselineKnobs().gauge.bandRequestsMax == 5000)
        for id in UInt64(1)...50 { #expect(desk.arrive(id).isEmpty) }
        #expect(desk.arrive(51).refusals == [.queueFull])
        #expect(desk.arrive(52, classIndex: 1).isEmpty)
    }

    @Test func `a band holds so many bytes`() {
        var desk = Desk(.gaugeGate) { $0.gauge.bandBytesMax = 100 }
        #expect(desk.arrive(1, bytes: 60).isEmpty)
        #expect(desk.arrive(2, bytes: 41).refusals == [.queueFull])
        #expect(desk.arrive(3, bytes: 40).isEmpty)
    }

    @Test func `each model has a gate of its own`() {
        var desk = Desk(.gaugeGate, models: 2)
        desk.start(1)
        desk.start(1, model: 1, first: 1)
        desk.scrape(0, waiting: 5)
        #expect(desk.arrive(1).isEmpty)
        #expect(desk.arrive(2, model: 1).endpoints == [1])
    }

    @Test func `a plan with fewer classes keeps what waits, in its order`() {
        var desk = Desk(.gaugeGate, classes: 3)
        desk.start(1)
        desk.scrape(0, waiting: 5)
        for (id, classIndex) in [(1, 2), (2, 1), (3, 2), (4, 0)] {
            desk.arrive(UInt64(id), classIndex: classIndex)
        }
        desk.tell(.replan(Desk.plan(classes: 2)))
        desk.scrape(0, atMs: 1)
        #expect(desk.pass(untilMs: 10).sent == [4, 1, 2, 3])
        #expect(desk.faults.isEmpty)
    }
}
