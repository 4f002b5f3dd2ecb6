import Testing
import Time

@testable import RequestPath

/// What tenants may attain while their class refuses, by direct calls.
@Suite struct FairShareTests {
    @Test func `who is served too much is held back while another in credit is refused`() {
        var desk = Desk(flows: 2)
        for _ in 0..<40 { desk.look(charged: [900, 100], refused: [0, 800]) }
        #expect(desk.holds(0) == false)
        desk.refuse(1)
        #expect(desk.holds(0) && !desk.holds(1))
        #expect(desk.share.nanosToCredit(desk.flows[0]) > 0)
        // It counts for a second.
        desk.now = desk.now.advanced(byNanos: 1_000_000_001)
        #expect(!desk.holds(0))
        // Served evenly nobody is held back for long.
        for _ in 0..<40 { desk.look(charged: [500, 500], refused: [400, 400]) }
        desk.refuse(1)
        #expect(!desk.holds(0) || desk.share.nanosToCredit(desk.flows[0]) < 100_000_000)
    }

    @Test func `who asks for less than half of its share makes the others less patient`() {
        var desk = Desk(flows: 2)
        for _ in 0..<120 { desk.look(charged: [900, 50], refused: [900, 0]) }
        desk.refuse(1)
        for _ in 0..<4 { desk.look(charged: [900, 50], refused: [900, 1]) }
        #expect(desk.share.patience(of: desk.flows[0]) < 0.9)
        #expect(desk.share.patience(of: desk.flows[1]) == 1)
        for _ in 0..<200 { desk.look(charged: [900, 50], refused: [900, 0]) }
        #expect(desk.share.patience(of: desk.flows[0]) == 1)
    }

    @Test func `a lone tenant is never held back for others`() {
        var desk = Desk(flows: 1)
        var random = SmallRandom(seed: 3)
        for look in 0..<2000 {
            // Quiet and surges in turn, refused all along.
            let asked = Double(random.below(look / 300 % 2 == 0 ? 50 : 2000))
            desk.look(charged: [min(asked, 500)], refused: [max(0, asked - 500)])
            desk.refuse(0)
            #expect(!desk.holds(0))
            #expect(desk.share.patience(of: desk.flows[0]) == 1)
        }
    }

    @Test func `tenants who ask for as much as each other do not cost one another patience`() {
        var desk = Desk(flows: 50)
        var random = SmallRandom(seed: 4)
        var least = 1.0
        for look in 0..<2000 {
            let asked = (0..<50).map { _ in random.below(3) == 0 ? Double(random.below(600)) : 0 }
            desk.look(charged: asked.map { $0 / 2 }, refused: asked.map { $0 / 2 })
            for index in asked.indices where asked[index] > 0 { desk.refuse(index) }
            guard look > 400 else { continue }
            for flow in desk.flows { least = min(least, desk.share.patience(of: flow)) }
        }
        #expect(least > 0.5)
    }
}

/// Flows of one class, looked at four times a second.
private struct Desk {
    var share = FairShare()
    var flows: [Flow]
    var now = Instant(nanos: 1_000_000_000)

    init(flows count: Int) {
        self.flows = (0..<count).map { Flow(tenant: Int32($0), lane: 0, weight: 1) }
    }

    /// Token work that each flow asked for and was charged, and that it was refused, since the look
    /// before.
    mutating func look(charged: [Double], refused: [Double]) {
        self.now = self.now.advanced(byNanos: FairShare.lookEveryNanos)
        for index in self.flows.indices {
            self.flows[index].attained += charged[index]
            guard charged[index] + refused[index] > 0 else { continue }
            self.flows[index].share.noteArrived(work: charged[index] + refused[index])
        }
        self.share.look(&self.flows, lane: 0, now: self.now)
    }

    mutating func refuse(_ index: Int) {
        self.share.noteRefused(self.flows[index], now: self.now)
    }

    func holds(_ index: Int) -> Bool { self.share.holds(self.flows[index], now: self.now) }
}
