package import EngineModel

/// What a simulated engine serves, and how.
package struct EngineSettings: Sendable {
    /// The model names it answers to; the first is the one it tells.
    package var modelNames: [String]
    package var engine: EngineConfiguration
    /// Model seconds per wall second.
    package var speed = 1.0
    /// Wall nanoseconds from start to readiness, loading weights.
    package var startupNanos: UInt64 = 0
    package var faults: [EngineFault] = []
    package var seed: UInt64 = 1
    /// Output tokens of a request that writes no limit.
    package var defaultOutputTokens = 256

    package init(modelNames: [String], engine: EngineConfiguration) {
        self.modelNames = modelNames
        self.engine = engine
    }

    /// Prompt bytes that make one token: about what English text has.
    package static let bytesPerToken = 4
}
