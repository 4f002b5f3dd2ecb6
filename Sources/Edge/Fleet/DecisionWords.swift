import Report
package import Scaling

extension ScalingDecision {
    /// The decision and what made it, in a line.
    package var sentence: String {
        "\(self.current) -> \(self.target) replicas, by \(self.binding.words): \(self.terms.words)"
            + "; a start takes \(Wording.fixed(Double(self.leadNanos) / 1e9, 0)) s"
    }
}

extension ScalingDecision.Terms {
    /// The terms that are not nothing, in the order in which they were added.
    package var words: String {
        let parts: [(String, Double)] = [
            ("now", self.now), ("peak", self.peak), ("standby", self.standby),
            ("backlog", self.backlog), ("rounding", self.rounding), ("bounds", self.bounds),
            ("pace", self.pace),
        ]
        let shown = parts.filter { abs($0.1) >= 0.005 }.map { name, value in
            "\(name) \(value < 0 ? "-" : "+")\(Wording.fixed(abs(value), 2))"
        }
        return shown.isEmpty ? "nothing asked for" : shown.joined(separator: " ")
    }
}

extension ScalingDecision.Binding {
    /// What decided, for people.
    package var words: String {
        switch self {
        case .need: "the work that comes"
        case .peak: "the window's peak"
        case .standby: "growth within the lead time"
        case .backlog: "what waits"
        case .minimum: "the written minimum"
        case .maximum: "the written maximum"
        case .pace: "one step down at a time"
        case .tail: "the tail on fewer"
        }
    }
}
