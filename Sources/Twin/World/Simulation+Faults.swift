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
        endpoints[index].engine.stalledUntil = endpoints[index].stalledUntil
        endpoints[index].epoch &+= 1
        endpoints[index].isStepping = false
        endpoints[index].isDown = true
        for (slot, sequence) in lost where live.slot(ofSequence: sequence) == slot {
            fellBack(slot, .disconnected)
        }
    }

    /// Steps end no sooner than the stall, which may overlap with others: what counts is the time
    /// in which any is in force.
    private mutating func stall(_ index: Int, until end: UInt64?) {
        let until = end ?? now.advanced(byNanos: Self.foreverNanos).nanos
        let known = max(now, endpoints[index].stalledUntil).nanos
        if endpoints[index].stalledUntil < now { endpoints[index].stalledSince = now }
        expectSilence(index, from: endpoints[index].stalledSince)
        guard until > known else { return }
        endpoints[index].stalledUntil = Instant(nanos: until)
        endpoints[index].engine.stalledUntil = Instant(nanos: until)
        guard endpoints[index].isStepping else { return }
        endpoints[index].epoch &+= 1
        endpoints[index].stepEndsAt += until - known
        heap.add(
            .stepEnd(endpoint: Int32(index), epoch: endpoints[index].epoch),
            at: endpoints[index].stepEndsAt)
    }

    /// Ten years: longer than any run.
    private static var foreverNanos: UInt64 { 315_000_000_000_000_000 }

    /// A stalled endpoint has said nothing since an instant: the gateway looks when it has enough.
    mutating func expectSilence(_ index: Int, from instant: Instant) {
        heap.add(
            .silence(endpoint: Int32(index)),
            at: instant.advanced(byNanos: Monitor.silenceNanos).nanos)
    }

    /// Gives up every request that has heard nothing of its stalled engine for too long.
    mutating func silence(_ index: Int) {
        guard endpoints[index].isStalled else { return }
        let since = endpoints[index].stalledSince
        for (slot, sequence) in sequences(at: index)
        where live.slot(ofSequence: sequence) == slot
            && now.nanosSince(max(since, live[slot].sentAt)) >= Monitor.silenceNanos
        {
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
