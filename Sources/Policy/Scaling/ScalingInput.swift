package import Time

/// All that a decision depends on, but for the decisions before it: what is kept in order to make
/// the decision again.
package struct ScalingInput: Sendable, Equatable {
    package var at: Instant
    /// Work asked for at the front door, each request once: nanoseconds of a replica in each bin
    /// (`DemandMeter`) since the last decision, oldest first.
    package var work: [Double]
    /// What of it, or of what came before, was refused for want of capacity or served too late.
    package var missedWork = 0.0
    /// What starts took that ended since the last decision, in nanoseconds.
    package var starts: [UInt64] = []
    /// Replicas that are ready and stay.
    package var ready: Int
    /// When each of those that start was asked for.
    package var starting: [Instant] = []
    /// Requests at engines and waiting for one: what the field's scalers decide by.
    package var inFlight = 0
    package var queued = 0

    package init(at now: Instant, work: [Double], ready: Int) {
        self.at = now
        self.work = work
        self.ready = ready
    }

    /// Whether its figures are such as a fleet can have.
    package var isSound: Bool {
        let most = 1_000_000
        // 146 years: sums of two are no overflow.
        let latest: UInt64 = 1 << 62
        return self.at.nanos < latest && self.starts.allSatisfy { $0 < latest }
            && self.starting.allSatisfy { $0.nanos < latest } && (0...most).contains(self.ready)
            && self.starting.count <= most
            && (0...most).contains(self.inFlight) && (0...most).contains(self.queued)
            && self.work.allSatisfy { $0 >= 0 && $0 < 1e18 }
            && self.missedWork >= 0 && self.missedWork < 1e18
    }

    /// Replicas that are meant to be there: ready or on their way.
    package var replicas: Int { self.ready + self.starting.count }
}

extension ScalingInput: Codable {
    private enum CodingKeys: String, CodingKey {
        case at = "at_ns"
        case work = "work_ns"
        case missedWork = "missed_work_ns"
        case starts = "starts_ns"
        case ready
        case starting = "starting_since_ns"
        case inFlight = "in_flight"
        case queued
    }
}
