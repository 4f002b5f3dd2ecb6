/// One model's replicas under a scaler, told by whoever runs it. Replicas may be parts of one where
/// they stand for work.
package struct ScalingStatus: Sendable, Encodable, Equatable {
    /// A decision that changed the target.
    package struct Decision: Sendable, Encodable, Equatable {
        /// Milliseconds since 1970.
        package var t: UInt64
        /// The decision and what made it, in a line.
        package var text: String

        package init(t: UInt64, text: String) {
            self.t = t
            self.text = text
        }
    }

    package var model: String
    package var ready = 0
    package var draining = 0
    /// Seconds until each of those that start is expected; 0 for one that is late.
    package var startingSeconds: [Double] = []
    /// The written bounds.
    package var least: Int
    package var most: Int
    /// What the work that comes now keeps busy, and what it did at the window's peak.
    package var demand = 0.0
    package var peak = 0.0
    /// Kept above that for growth within the lead time and for chance.
    package var standby = 0.0
    /// What starting one is planned to take.
    package var leadSeconds = 0.0
    /// The latest first.
    package var decisions: [Decision] = []

    package init(model: String, least: Int, most: Int) {
        self.model = model
        self.least = least
        self.most = most
    }
}
