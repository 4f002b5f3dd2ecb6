package import EngineModel
package import EventLoop

/// What a calibration asks of an engine, and how much of it.
package struct CalibrationSettings: Sendable {
    package var target: Target
    /// Needed for an `https` target.
    package var tls: TLSContext?
    /// The name sent as `model`.
    package var model: String
    /// Sent as `Authorization: Bearer`.
    package var tenantKey: String?
    /// The whole run is over by then, finished or not.
    package var durationNanos: UInt64 = 60_000_000_000
    /// Requests under way at once, at most; 4 ... 256.
    package var streamsMax = 32
    /// Prompt and answer together, in tokens, as the engine tells it; `nil` when it does not.
    package var contextTokens: Int?
    /// Ask the engine to go on to the limit of an answer (`ignore_eos`).
    package var ignoresEOS = true
    /// Draws prompts. Another one for each run, or prefix caches know them from the last.
    package var seed: UInt64 = 1

    /// The rest has defaults.
    package init(target: Target, model: String) {
        self.target = target
        self.model = model
    }

    /// Requests of a whole run, at most.
    package static let requestsMax = 2_000
}

/// Where a calibration stands.
package struct CalibrationProgress: Sendable, Equatable {
    /// Since its start.
    package var elapsedNanos: UInt64
    /// Requests sent so far.
    package var requests: Int
    /// What is being done, for a person.
    package var doing: String
}

/// What a calibration saw: points to fit, and what the reader of the fit must know.
package struct Calibration: Sendable, Equatable {
    /// Medians of the prompts sent alone.
    package var prefill: [PrefillPoint] = []
    /// Medians of the groups.
    package var decode: [DecodePoint] = []
    /// Requests sent, those of the warm-up too.
    package var requests = 0
    /// Points that were planned and neither measured nor left out: the time was over.
    package var pointsMissing = 0
    /// Repetitions of the point that has the fewest, those left out aside.
    package var repetitionsMin = 0
    package var elapsedNanos: UInt64 = 0
    /// What could not be measured and why, a sentence each.
    package var leftOut: [String] = []
    /// The engine's own count of a text's tokens.
    package var promptScale = PromptScale()
    /// Whether somebody ended it before its time.
    package var isInterrupted = false
}
