import Scalers
import Testing
import Time

/// The field's scalers on views that are worked out by hand.
@Suite struct FieldScalerTests {
    private func view(_ ready: Int, inFlight: Int, queued: Int = 0, starting: Int = 0) -> FleetView
    {
        var view = FleetView()
        view.ready = ready
        view.inFlight = inFlight
        view.queued = queued
        view.starting = Array(repeating: .zero, count: starting)
        return view
    }

    private func at(_ seconds: UInt64) -> Instant { Instant(nanos: seconds * 1_000_000_000) }

    @Test func `HPA swallows one replica above ten, and counts those that start`() {
        var hpa = BaselineScaler.hpa.make(perReplica: 10, bounds: 1...100)
        #expect(hpa.target(self.view(10, inFlight: 109), now: self.at(0)) == 10)
        #expect(hpa.target(self.view(9, inFlight: 100), now: self.at(15)) == 10)
        #expect(hpa.target(self.view(2, inFlight: 100, starting: 8), now: self.at(30)) == 10)
        // At most the double, or four more.
        #expect(hpa.target(self.view(10, inFlight: 900), now: self.at(45)) == 20)
        #expect(hpa.target(self.view(1, inFlight: 900), now: self.at(60)) == 5)
    }

    @Test func `HPA goes down to the most of five minutes`() {
        var hpa = BaselineScaler.hpa.make(perReplica: 10, bounds: 1...100)
        #expect(hpa.target(self.view(8, inFlight: 80), now: self.at(0)) == 8)
        #expect(hpa.target(self.view(8, inFlight: 20), now: self.at(15)) == 8)
        #expect(hpa.target(self.view(8, inFlight: 20), now: self.at(300)) == 8)
        #expect(hpa.target(self.view(8, inFlight: 20), now: self.at(301)) == 2)
    }

    @Test func `KEDA goes from zero to one first, and to zero after its cooldown`() {
        var keda = BaselineScaler.keda.make(perReplica: 10, bounds: 0...100)
        #expect(keda.target(self.view(0, inFlight: 0), now: self.at(0)) == 0)
        keda.offer(
            OfferedRequest(work: 1, inputTokens: 1, outputTokens: 1), now: self.at(1))
        #expect(keda.target(self.view(0, inFlight: 0, queued: 90), now: self.at(15)) == 1)
        #expect(keda.target(self.view(1, inFlight: 90), now: self.at(30)) == 5)
        #expect(keda.target(self.view(5, inFlight: 0), now: self.at(290)) >= 1)
        #expect(keda.target(self.view(5, inFlight: 0), now: self.at(302)) == 0)
    }

    @Test func `KPA panics at twice what is ready and does not go down meanwhile`() {
        var kpa = BaselineScaler.kpa.make(perReplica: 10, bounds: 1...100)
        for second in 0..<30 as Range<UInt64> {
            #expect(kpa.target(self.view(2, inFlight: 20), now: self.at(2 * second)) == 2)
        }
        // Six seconds of 80 in flight are eight replicas, a minute's mean far fewer.
        _ = kpa.target(self.view(2, inFlight: 80), now: self.at(60))
        _ = kpa.target(self.view(2, inFlight: 80), now: self.at(62))
        #expect(kpa.target(self.view(2, inFlight: 80), now: self.at(64)) == 8)
        for second in 33..<60 as Range<UInt64> {
            #expect(kpa.target(self.view(8, inFlight: 10), now: self.at(2 * second)) >= 8)
        }
        #expect(kpa.target(self.view(8, inFlight: 10), now: self.at(140)) < 8)
    }

    @Test func `a ratio of the ready doubles while what it asked for starts`() {
        var ratio = BaselineScaler.ratio.make(perReplica: 10, bounds: 1...64)
        #expect(ratio.target(self.view(2, inFlight: 80), now: self.at(0)) == 4)
        #expect(ratio.target(self.view(2, inFlight: 80, starting: 2), now: self.at(10)) == 8)
        #expect(ratio.target(self.view(2, inFlight: 80, starting: 6), now: self.at(20)) == 16)
    }
}
