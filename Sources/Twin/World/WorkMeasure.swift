package import EngineModel
import Statistics

/// How much of an engine a request takes: the time one engine needs for it when every step is full.
///
///     prefill = perPrefillToken * input
///     decode  = (base / sequencesMax + perSequence) * output + perKVToken * output * (input +
///               output / 2)
///
/// Prompts found in a prefix cache are not subtracted: the measure is of the request, not of what a
/// policy made of it.
package struct WorkMeasure: Sendable, Hashable {
    /// The two parts of a request's work, in engine nanoseconds.
    package struct Work: Sendable, Hashable {
        /// Before the first token.
        package let prefill: Double
        /// For the tokens of the answer.
        package let decode: Double
        /// Both.
        package var total: Double { prefill + decode }
    }

    private let perPrefillToken: Double
    private let perDecodeToken: Double
    private let perKVToken: Double

    /// By the costs of an engine.
    package init(_ engine: EngineConfiguration) {
        let cost = engine.cost.step
        perPrefillToken = cost.perPrefillToken
        perDecodeToken = cost.base / Double(engine.sequencesMax) + cost.perSequence
        perKVToken = cost.perKVToken
    }

    /// The work of a request of so many tokens.
    package func nanos(inputTokens: Int, outputTokens: Int) -> Work {
        let input = Double(inputTokens)
        let output = Double(outputTokens)
        return Work(
            prefill: perPrefillToken * input,
            decode: perDecodeToken * output + perKVToken * output * (input + output / 2))
    }
}
