import Baselines
import RequestPath
import Testing

/// Endpoints come, start, fail their probes and go: readiness as Kubernetes has it.
@Suite struct EndpointTests {
    private func probes(_ actions: [Action]) -> [Int] {
        actions.compactMap { if case .probe(let id) = $0 { id.raw } else { nil } }
    }

    @Test func `a starting endpoint is probed each second and used from the first success`() {
        var desk = Desk(.noGate)
        let id = EndpointID(raw: 0)
        desk.tell(.endpointAdded(id, model: ModelID(raw: 0), ready: false))
        #expect(self.probes(desk.pass(untilMs: 2_500)) == [0, 0])
        desk.tell(.probed(id, healthy: false))
        #expect(desk.arrive(1).refusals == [.noCapacity])
        #expect(desk.tell(.probed(id, healthy: true)) == [.healthChanged(id, healthy: true)])
        #expect(desk.arrive(2).sent == [2])
    }

    @Test func `three failed probes in a row take an endpoint out, one success brings it back`() {
        var desk = Desk(.noGate)
        desk.start(1)
        let id = EndpointID(raw: 0)
        #expect(self.probes(desk.pass(untilMs: 10_000)) == [0])
        for healthy in [false, false, true, false, false] {
            #expect(desk.tell(.probed(id, healthy: healthy)).isEmpty)
        }
        #expect(desk.arrive(1).sent == [1])
        #expect(desk.tell(.probed(id, healthy: false)) == [.healthChanged(id, healthy: false)])
        #expect(desk.arrive(2).refusals == [.noCapacity])
        #expect(self.probes(desk.pass(untilMs: 11_000)) == [0])
        desk.tell(.probed(id, healthy: true))
        #expect(desk.arrive(3).sent == [3])
    }

    @Test func `failing requests take no endpoint out before its probes do`() {
        var desk = Desk(.noGate)
        desk.start(1)
        for id in UInt64(1)...50 {
            #expect(desk.arrive(id).sent == [id])
            let actions = desk.tell(
                .attemptFailed(RequestID(raw: id), .refused, beforeFirstByte: true))
            #expect(actions == [.fail(RequestID(raw: id), .refused)])
        }
    }

    @Test func `an endpoint that leaves takes no new work and finishes what it has`() {
        var desk = Desk(.noGate)
        desk.start(2)
        #expect(desk.arrive(1).endpoints == [0])
        desk.tell(.endpointRemoved(EndpointID(raw: 0)))
        #expect((2...4).flatMap { desk.arrive($0).endpoints } == [1, 1, 1])
        #expect(desk.finish(1).isEmpty)
        #expect(desk.faults.isEmpty)
    }

    @Test func `an event about a request that is over means nothing`() {
        for gate in BaselineGate.allCases {
            var desk = Desk(gate)
            desk.start(1)
            desk.arrive(1)
            desk.finish(1)
            let id = RequestID(raw: 1)
            for event in [
                .firstToken(id), .progress(id, outputTokens: 3), .finish(id, usage: nil),
                .cancel(id), .attemptFailed(id, .stalled, beforeFirstByte: true),
            ] as [Event] { #expect(desk.tell(event).isEmpty) }
            #expect(desk.faults.isEmpty)
        }
    }

    @Test func `published settings come first in every sweep and no two are the same`() {
        for gate in BaselineGate.allCases {
            let settings = gate.settings()
            #expect(settings[0].knobs == BaselineKnobs())
            for (index, setting) in settings.enumerated() {
                #expect(!settings[..<index].contains { $0.knobs == setting.knobs })
                #expect(!settings[..<index].contains { $0.label == setting.label })
            }
        }
    }
}
