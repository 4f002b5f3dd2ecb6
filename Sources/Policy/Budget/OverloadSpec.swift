/// What may be done when demand exceeds what the budget can hold.
package struct OverloadSpec: Sendable, Equatable {
    /// The ladder, cheapest harm first; caps fall strictly. Empty: refuse only.
    package var degrade: [DegradeStep]
    /// Extra dispatches for hedges per dispatch, 0...1; 0 is off.
    package var hedgeShare: Double
    /// Extra dispatches for retries per dispatch, 0...1.
    package var retryShare: Double

    package init(degrade: [DegradeStep] = [], hedgeShare: Double = 0, retryShare: Double = 0.1) {
        self.degrade = degrade
        self.hedgeShare = hedgeShare
        self.retryShare = retryShare
    }
}

/// One rung of the degrade ladder.
package enum DegradeStep: Sendable, Equatable {
    /// Answers are cut at this many output tokens.
    case cap(outputTokens: UInt32)
    /// New requests go to the model of this name.
    case model(String)
}
