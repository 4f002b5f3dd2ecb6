import Baselines
import RequestPath
import Testing
import Time

/// Published behaviour of SMG's priority scheduler (`middleware/scheduler`) and its retries
/// (`routers/retry.rs`).
@Suite struct SlotClassTests {
    /// Four classes are system, interactive, standard and bulk.
    private static let bulk = 3

    private func desk(
        slots: Int, reserved: [Int] = [0, 0, 0, 0], preempts: Bool = false
    ) -> Desk {
        var desk = Desk(.slotClass, classes: 4) {
            $0.slots.perEndpoint = slots
            for rank in 0..<4 {
                $0.slots.classes[rank].reserved = reserved[rank]
                if !preempts { $0.slots.classes[rank].mayPreempt = false }
            }
            $0.health.probePeriodNanos = 1 << 60
        }
        desk.start(1)
        return desk
    }

    @Test func `a request is a slot whatever its size`() {
        var desk = self.desk(slots: 2)
        #expect(desk.arrive(1, tokens: 1).sent == [1])
        #expect(desk.arrive(2, tokens: 100_000).sent == [2])
        #expect(desk.arrive(3, tokens: 1).isEmpty)
        #expect(desk.finish(2).sent == [3])
        #expect(desk.faults.isEmpty)
    }

    @Test func `slots are pooled over models and endpoints`() {
        var desk = Desk(.slotClass, models: 2) { $0.slots.perEndpoint = 2 }
        desk.start(1)
        desk.start(1, model: 1, first: 1)
        // Four slots, all of them for one of the two models.
        #expect((1...5).flatMap { desk.arrive($0).endpoints } == [0, 0, 0, 0])
        #expect(desk.arrive(6, model: 1).isEmpty)
    }

    @Test func `a lower class may not take what a higher one has reserved and not used`() {
        var desk = self.desk(slots: 4, reserved: [0, 2, 0, 0])
        #expect((1...3).flatMap { desk.arrive($0, classIndex: Self.bulk).sent } == [1, 2])
        #expect(desk.arrive(4, classIndex: 1).sent == [4])
        #expect(desk.arrive(5, classIndex: 1).sent == [5])
        // The reservation is used now: what comes free is anybody's.
        #expect(desk.finish(1).sent == [3])
    }

    @Test func `reservations larger than all slots are scaled down together`() {
        var desk = self.desk(slots: 12, reserved: [10, 30, 0, 0])
        // 2 and 7 of twelve are kept, of the ten that may be.
        #expect((1...5).flatMap { desk.arrive($0, classIndex: Self.bulk).sent } == [1, 2, 3])
        #expect((11...20).flatMap { desk.arrive($0, classIndex: 1).sent } == Array(11...17))
        #expect((21...30).flatMap { desk.arrive($0, classIndex: 0).sent } == [21, 22])
    }

    @Test(arguments: [1, 2, 3, 4], [1, 4, 64])
    func `classes without a reservation have slots on every pool`(_ workers: Int, _ slots: Int) {
        var desk = Desk(.slotClass, classes: 4) { $0.slots.perEndpoint = slots }
        desk.start(workers)
        let sent = (1...1_000).flatMap { desk.arrive($0, classIndex: 2).sent }.count
        let all = workers * slots
        // 160 reserved as published where three workers or more hold them, else 5/6.
        #expect(sent == (all >= 192 ? all - 160 : max(1, sent)))
        #expect(sent * 7 >= all)
        #expect(desk.faults.isEmpty)
    }

    @Test func `reservations of classes that no model has are not kept`() {
        var desk = Desk(.slotClass)
        desk.start(2)
        #expect((1...200).flatMap { desk.arrive($0).sent }.count == 128)
    }

    @Test func `a free slot goes to the highest class that waits, first come first served`() {
        var desk = self.desk(slots: 1)
        desk.arrive(1)
        for (id, classIndex) in [(2, 3), (3, 2), (4, 2), (5, 0)] {
            #expect(desk.arrive(UInt64(id), classIndex: classIndex).isEmpty)
        }
        #expect([1, 5, 3, 4].flatMap { desk.finish($0).sent } == [5, 3, 4, 2])
    }

    @Test(arguments: [(classIndex: 1, ms: 5_000.0), (2, 30_000), (3, 120_000)])
    func `a head that has waited past its threshold goes first`(
        _ aged: (classIndex: Int, ms: Double)
    ) {
        var desk = self.desk(slots: 1)
        desk.arrive(1)
        desk.arrive(2, classIndex: aged.classIndex)
        desk.arrive(3, atMs: aged.ms - 1, classIndex: 0)
        #expect(desk.finish(1, atMs: aged.ms).sent == [3])
        desk.arrive(4, classIndex: 0)
        #expect(desk.finish(3, atMs: aged.ms + 1).sent == [2])
    }

    @Test func `a starved head takes a reserved slot at the next look`() {
        var desk = self.desk(slots: 2, reserved: [1, 0, 0, 0])
        desk.arrive(1, classIndex: Self.bulk)
        desk.arrive(2, atMs: 1_000, classIndex: Self.bulk)
        #expect(desk.pass(untilMs: 124_999).sent.isEmpty)
        #expect(desk.pass(untilMs: 125_000).sent == [2])
    }

    @Test(arguments: [(0, 30_000.0), (1, 30_000), (2, 60_000), (3, 300_000)])
    func `what waits too long is refused`(_ limit: (classIndex: Int, ms: Double)) {
        var desk = self.desk(slots: 1)
        desk.arrive(1)
        desk.arrive(2, classIndex: limit.classIndex)
        #expect(desk.pass(untilMs: limit.ms - 0.001).refusals.isEmpty)
        #expect(desk.pass(untilMs: limit.ms).refusals == [.saturated])
    }

    @Test(arguments: [(0, 64), (1, 256), (2, 512), (3, 1024)])
    func `a class's queue is full at its published size`(_ limit: (classIndex: Int, size: Int)) {
        var desk = self.desk(slots: 1)
        desk.arrive(0)
        for id in 1...limit.size {
            #expect(desk.arrive(UInt64(id), classIndex: limit.classIndex).isEmpty)
        }
        #expect(desk.arrive(5_000, classIndex: limit.classIndex).refusals == [.queueFull])
    }

    @Test func `the newest of the lowest class without a byte makes room for a high one`() {
        var desk = self.desk(slots: 4, preempts: true)
        desk.arrive(1, classIndex: 2)
        for id in UInt64(2)...4 { desk.arrive(id, classIndex: Self.bulk) }
        desk.tell(.firstToken(RequestID(raw: 4)))
        let actions = desk.arrive(5, classIndex: 1)
        #expect(actions.aborted == [3])
        #expect(actions.sent == [5])
        #expect(desk.arrive(6, classIndex: 2).isEmpty)
        #expect(desk.arrive(7, classIndex: 0).aborted == [2])
        #expect(desk.arrive(8, classIndex: 0).aborted == [1])
        // None without a byte is left below interactive but interactive itself.
        #expect(desk.arrive(9, classIndex: 1).isEmpty)
        #expect(desk.arrive(10, classIndex: 0).aborted == [5])
        #expect(desk.faults.isEmpty)
    }

    @Test func `without an endpoint a request is let in and finds nobody`() {
        var desk = Desk(.slotClass)
        #expect(desk.arrive(1).refusals == [.noCapacity])
        #expect(desk.faults.isEmpty)
    }

    @Test func `a failed request is tried five times with growing pauses and keeps its slot`() {
        var desk = self.desk(slots: 1)
        desk.arrive(1)
        var pauses: [Double] = []
        var failed: [Action] = []
        for _ in 1...5 {
            failed = desk.tell(
                .attemptFailed(RequestID(raw: 1), .serverError, beforeFirstByte: true))
            #expect(desk.arrive(UInt64(pauses.count + 10), classIndex: 0).isEmpty)
            let from = desk.nowMs
            guard failed.isEmpty, let due = desk.policy.nextDeadline() else { break }
            pauses.append(Double(due.nanos) / 1e6 - from)
            #expect(desk.pass(untilMs: from + pauses[pauses.count - 1]).sent == [1])
        }
        #expect(failed.first == .fail(RequestID(raw: 1), .serverError))
        #expect(pauses.count == 4)
        for (pause, mean) in zip(pauses, [50, 75, 112.5, 168.75]) {
            #expect(pause >= mean * 0.8 && pause <= mean * 1.2)
        }
    }

    @Test func `a request that may not be tried twice, or has a byte out, is not tried again`() {
        var desk = self.desk(slots: 8)
        desk.arrive(1, retryable: false)
        desk.arrive(2)
        desk.tell(.firstToken(RequestID(raw: 2)))
        for id in UInt64(1)...2 {
            let actions = desk.tell(
                .attemptFailed(RequestID(raw: id), .disconnected, beforeFirstByte: id == 1))
            #expect(actions.first == .fail(RequestID(raw: id), .disconnected))
        }
    }

    @Test func `slots that are lost with an endpoint are not given again`() {
        var desk = Desk(.slotClass) { $0.slots.perEndpoint = 2 }
        desk.start(2)
        for id in UInt64(1)...5 { desk.arrive(id) }
        desk.tell(.endpointRemoved(EndpointID(raw: 0)))
        // Four in flight over two slots: only the third that ends makes room.
        #expect([1, 2, 3].map { desk.finish($0).sent } == [[], [], [5]])
        #expect(desk.faults.isEmpty)
    }
}
