import Statistics

/// An engine profile as a file holds it, schema `plimsoll.profile/v1`: what `plimsoll engine
/// calibrate` writes and everything that takes a profile's name reads.
///
/// Numbers are in units of a size that a person can check: a step's base in milliseconds, a
/// sequence in microseconds. Whatever was decoded is inside its bounds.
package struct ProfileDocument: Hashable, Sendable {
    /// The parts of a step's time.
    package struct Step: Hashable, Sendable {
        /// Of a step in which a sequence decodes.
        package var baseMillis: Double
        /// Of a step that only computes prompts.
        package var prefillOnlyBaseMillis: Double
        package var perPrefillTokenMicros: Double
        package var perSequenceMicros: Double
        package var perKVTokenNanos: Double

        /// A cost in the file's units, to a thousandth of each; what is beyond a file's bounds is
        /// brought inside.
        package init(_ cost: EngineCost) {
            func rounded(_ nanos: Double, _ unit: Double, _ bounds: ClosedRange<Double>) -> Double {
                let value = (nanos / unit * 1_000).rounded() / 1_000
                return Swift.min(Swift.max(value, bounds.lowerBound), bounds.upperBound)
            }
            baseMillis = rounded(cost.step.base, 1e6, Bounds.millis)
            prefillOnlyBaseMillis = rounded(cost.prefillOnlyBase, 1e6, Bounds.millis)
            perPrefillTokenMicros = rounded(cost.step.perPrefillToken, 1e3, Bounds.micros)
            perSequenceMicros = rounded(cost.step.perSequence, 1e3, Bounds.micros)
            perKVTokenNanos = rounded(cost.step.perKVToken, 1, Bounds.nanos)
        }

        var cost: EngineCost {
            EngineCost(
                step: StepCost(
                    base: baseMillis * 1e6, perPrefillToken: perPrefillTokenMicros * 1e3,
                    perSequence: perSequenceMicros * 1e3, perKVToken: perKVTokenNanos),
                prefillOnlyBase: prefillOnlyBaseMillis * 1e6)
        }
    }

    /// What an engine holds at most.
    package struct Limits: Hashable, Sendable {
        /// Blocks of 16 tokens.
        package var kvBlocks: Int
        package var sequences: Int
        package var batchedTokens: Int
        package var modelTokens: Int

        /// Joins limits; those beyond a file's bounds are brought inside.
        package init(kvBlocks: Int, sequences: Int, batchedTokens: Int, modelTokens: Int) {
            self.kvBlocks = Bounds.kvBlocks.nearest(to: kvBlocks)
            self.sequences = Bounds.count.nearest(to: sequences)
            self.batchedTokens = Bounds.count.nearest(to: batchedTokens)
            self.modelTokens = Bounds.modelTokens.nearest(to: modelTokens)
        }
    }

    /// How far the fit was from what it was not made of.
    package struct Errors: Hashable, Sendable {
        package var timeToFirstToken: HeldOutError
        package var step: HeldOutError

        /// Joins errors.
        package init(timeToFirstToken: HeldOutError, step: HeldOutError) {
            self.timeToFirstToken = timeToFirstToken
            self.step = step
        }
    }

    /// What numbers and texts are believed.
    enum Bounds {
        /// An hour bounds a step; no base is longer than a minute, no single part than a second.
        static let millis = 0.0...60_000
        static let micros = 0.0...1_000_000
        static let nanos = 0.0...1_000_000
        static let share = 0.0...1_000
        static let kvBlocks = 1...10_000_000
        static let count = 1...1_000_000
        static let modelTokens = 2...100_000_000
        static let gpus = 1...1_024
        static let points = 0...1_000_000
        static let nameBytesMax = 64
        static let sourceBytesMax = 400
    }

    /// The schema's name.
    package static let schema = "plimsoll.profile/v1"

    package var name: String
    package var source: String
    package var gpus: Int
    package var step: Step
    package var limits: Limits
    /// nil where nobody measured it.
    package var errors: Errors?

    /// Describes a profile. The name's characters outside `A-Z a-z 0-9 . _ -` become dashes, and
    /// both texts are cut at their bounds.
    package init(
        name: String, source: String, gpus: Int, step: Step, limits: Limits, errors: Errors? = nil
    ) {
        let plain = name.unicodeScalars.prefix(Bounds.nameBytesMax)
            .map { Self.isNamed($0) ? Character($0) : "-" }
        self.name = plain.isEmpty ? "engine" : String(plain)
        self.source = String(
            source.unicodeScalars.prefix(Bounds.sourceBytesMax)
                .map { Self.isPrintable($0) ? Character($0) : "?" })
        self.gpus = Bounds.gpus.nearest(to: gpus)
        self.step = step
        self.limits = limits
        self.errors = errors
    }

    /// The engine that the document describes.
    package var profile: EngineProfile {
        var configuration = EngineConfiguration(cost: step.cost, kvBlocks: limits.kvBlocks)
        configuration.sequencesMax = limits.sequences
        configuration.batchedTokensMax = limits.batchedTokens
        configuration.modelLengthMax = limits.modelTokens
        return EngineProfile(name: name, source: source, configuration: configuration, gpus: gpus)
    }

    static func isNamed(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", ".", "_", "-": true
        default: false
        }
    }

    static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        (0x20...0x7E).contains(scalar.value)
    }
}

extension ClosedRange<Int> {
    /// The value, or the end of the range that it is beyond.
    fileprivate func nearest(to value: Int) -> Int {
        Swift.min(Swift.max(value, lowerBound), upperBound)
    }
}

/// Why a document is refused, a sentence for each problem.
package struct ProfileFault: Error, Hashable, Sendable {
    /// At least one.
    package let problems: [String]

    /// Refuses for these reasons.
    package init(problems: [String]) {
        self.problems = problems
    }
}
