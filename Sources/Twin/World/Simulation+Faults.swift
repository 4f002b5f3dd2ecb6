import Baselines
import EngineModel
import RequestPath
import Time

/// Scripted faults: what goes wrong, and what comes back.
extension Simulation {
    mutating func faultBegins(_ index: Int) {
        activeFaults[index] = true
        let fault = scenario.faults[index]
        for endpoint in places(of: fault) {
            switch fault.kind {
            case .kill: kill(endpoint)
            case .stall: stall(endpoint, until: fault.endNanos)
            case .slow, .refuse, .errors, .lie, .scrapeOutage: break
            }
            apply(endpoint)
        }
    }

    mutating func faultEnds(_ index: Int) {
        activeFaults[index] = false
        for endpoint in places(of: scenario.faults[index]) { apply(endpoint) }
    }

    private func places(of fault: ScriptedFault) -> Range<Int> {
        guard let endpoint = fault.endpoint else { return endpoints.indices }
        return endpoint..<(endpoint + 1)
    }

    /// Makes an endpoint what the faults in force say.
    private mutating func apply(_ index: Int) {
        var slowness = 1.0
        endpoints[index].isDown = false
        endpoints[index].refuses = false
        endpoints[index].isStalled = false
        endpoints[index].hidesGauges = false
        endpoints[index].lies = []
        endpoints[index].errorShare = 0
        for (position, fault) in scenario.faults.enumerated()
        where activeFaults[position] && places(of: fault).contains(index) {
            switch fault.kind {
            case .slow(let factor): slowness *= factor
            case .stall: endpoints[index].isStalled = true
            case .kill: endpoints[index].isDown = true
            case .refuse: endpoints[index].refuses = true
            case .errors(let share):
                endpoints[index].errorShare = max(endpoints[index].errorShare, share)
            case .lie(let lies): endpoints[index].lies += lies
            case .scrapeOutage: endpoints[index].hidesGauges = true
            }
        }
        endpoints[index].engine.slowFactor = slowness
        refreshIdle(index)
    }

    /// The process ends: every request there has lost its connection.
    private mutating func kill(_ index: Int) {
        let lost = sequences(at: index)
        for slot in lost.map({ $0.slot }) { leaveEngine(slot) }
        endpoints[index].engine = BatchingEngine(
            configuration: endpoints[index].engine.configuration, seed: chance.next())
        endpoints[index].epoch &+= 1
        endpoints[index].isStepping = false
        endpoints[index].isDown = true
        for (slot, sequence) in lost where live.slot(ofSequence: sequence) == slot {
            fellBack(slot, .disconnected)
        }
    }

    private mutating func stall(_ index: Int, until end: UInt64?) {
        let until = end ?? (now.nanos + Self.foreverNanos)
        endpoints[index].engine.stalledUntil = Instant(nanos: until)
        if endpoints[index].isStepping {
            endpoints[index].epoch &+= 1
            endpoints[index].stepEndsAt += until - now.nanos
            heap.add(
                .stepEnd(endpoint: Int32(index), epoch: endpoints[index].epoch),
                at: endpoints[index].stepEndsAt)
        }
        guard until - now.nanos > Monitor.silenceNanos else { return }
        heap.add(
            .silence(endpoint: Int32(index), epoch: endpoints[index].epoch),
            at: now.nanos + Monitor.silenceNanos)
    }

    /// Ten years: longer than any run.
    private static var foreverNanos: UInt64 { 315_000_000_000_000_000 }

    mutating func silence(_ index: Int, epoch: UInt32) {
        guard endpoints[index].epoch == epoch, endpoints[index].isStalled else { return }
        for (slot, sequence) in sequences(at: index)
        where live.slot(ofSequence: sequence) == slot {
            leaveEngine(slot)
            fellBack(slot, .stalled)
        }
    }

    /// Requests that run at an endpoint, in the order of their slots.
    private func sequences(at index: Int) -> [(slot: Int, sequence: UInt64)] {
        live.slots.indices.compactMap { slot in
            let request = live[slot]
            guard request.phase == .atEngine, request.endpoint == index, request.failure == nil
            else { return nil }
            return (slot, request.sequence)
        }
    }
}
