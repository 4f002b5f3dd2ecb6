import Statistics

/// A measured engine: coefficients fitted to published measurements, and its memory.
///
/// The measurements are the SageServe artifact's tables (MIT licence): prompt and token times of
/// static batches by prompt size, batch size and output length. Decode rows give base, sequence and
/// KV terms; prefill rows give the slope and the base of a prefill-only step. KV blocks are
/// computed: 90 % of memory, less the weights in 16 bits, divided by the size of a 16-token block.
/// Fits are least squares, of the relative error unless said.
package struct EngineProfile: Sendable {
    /// The name on the command line.
    package let name: String
    /// Where the figures come from and how well the fit holds, in one line.
    package let source: String
    /// The engine; change what the run needs.
    package let configuration: EngineConfiguration
    /// GPUs that one engine occupies.
    package let gpus: Int

    /// All profiles, in the order help shows them.
    package static let all = [llama2With70B, llama31With8B, llama32With3B]

    /// The profile of this name.
    package static func named(_ name: String) -> EngineProfile? {
        all.first { $0.name == name }
    }

    /// Llama 2 70B on eight H100 80 GB.
    ///
    /// Prefill 10.1 + 0.0910 ms per token of the whole batch: over 105 rows, plain least squares,
    /// R^2 0.997; relative error median 6.5 %, mean 17 %, worst 64 % (128 tokens, which take as
    /// long as 512). Decode 30.0 + 0.303 ms per sequence: mean 2.3 %, worst 8.6 %; there is no KV
    /// term, which would lower the mean to 2.0 %. The model's own context is 4,096 tokens; the
    /// table has prompts up to 8,192, and longer ones here are an extrapolation. A KV token is 320
    /// KiB.
    package static let llama2With70B = EngineProfile(
        name: "llama2-70b-h100-tp8",
        source: "SageServe perf_model.csv; error: prefill median 6.5 %, decode mean 2.3 %",
        prefill: (base: 10.1, perToken: 0.0910),
        decode: (base: 30.0, perSequence: 0.303, perKVToken: 0),
        kvBlocks: 83_000, modelLength: 32_768, gpus: 8)

    /// Llama 3.1 8B on two A100 80 GB.
    ///
    /// Prefill 0.0569 ms per token from prompts of 512 tokens up (65 rows): mean error 4.0 %, worst
    /// 14.6 %. Left out: shorter prompts, which measured 23 to 24 ms whatever their length; batched
    /// rows, whose prompts cost no more than two (they shared a prefix cache, it seems). Decode
    /// 8.25 + 0.202 ms per sequence + 75.8 ns per KV token (90 rows): mean 0.3 %, worst 1.2 %. Left
    /// out: rows beyond 8,192 tokens, where a step suddenly takes twice as long. A KV token is 128
    /// KiB.
    package static let llama31With8B = EngineProfile(
        name: "llama-3.1-8b-a100-tp2",
        source: "SageServe Llama-3.1-8B-tp-2.csv; error: prefill mean 4.0 %, decode mean 0.3 %",
        prefill: (base: 0, perToken: 0.0569),
        decode: (base: 8.25, perSequence: 0.202, perKVToken: 75.8e-6),
        kvBlocks: 61_000, modelLength: 131_072, gpus: 2)

    /// Llama 3.2 3B on two A100 80 GB.
    ///
    /// Prefill 1.80 + 0.0372 ms per token from prompts of 512 tokens up (65 rows): mean error
    /// 5.4 %, worst 17.2 %; shorter prompts measured 20 to 24 ms. Decode 5.21 + 0.165 ms per
    /// sequence + 63.5 ns per KV token (90 rows): mean 1.1 %, worst 10.1 %. The same rows are left
    /// out as for the 8B model. A KV token is 112 KiB.
    package static let llama32With3B = EngineProfile(
        name: "llama-3.2-3b-a100-tp2",
        source: "SageServe Llama-3.2-3B-tp-2.csv; error: prefill mean 5.4 %, decode mean 1.1 %",
        prefill: (base: 1.80, perToken: 0.0372),
        decode: (base: 5.21, perSequence: 0.165, perKVToken: 63.5e-6),
        kvBlocks: 75_000, modelLength: 131_072, gpus: 2)

    /// A profile from elsewhere, such as a file.
    package init(name: String, source: String, configuration: EngineConfiguration, gpus: Int) {
        self.name = name
        self.source = source
        self.configuration = configuration
        self.gpus = gpus
    }

    /// Coefficients are in milliseconds, as the tables are.
    private init(
        name: String, source: String, prefill: (base: Double, perToken: Double),
        decode: (base: Double, perSequence: Double, perKVToken: Double), kvBlocks: Int,
        modelLength: Int, gpus: Int
    ) {
        let nanosPerMilli = 1_000_000.0
        let step = StepCost(
            base: decode.base * nanosPerMilli, perPrefillToken: prefill.perToken * nanosPerMilli,
            perSequence: decode.perSequence * nanosPerMilli,
            perKVToken: decode.perKVToken * nanosPerMilli)
        var configuration = EngineConfiguration(
            cost: EngineCost(step: step, prefillOnlyBase: prefill.base * nanosPerMilli),
            kvBlocks: kvBlocks)
        configuration.modelLengthMax = modelLength
        // A step of 2,048 tokens takes over 130 ms on the 8B profile: it breaks an inter-token
        // bound of 80 ms by itself.
        configuration.batchedTokensMax = 1_024
        self.name = name
        self.source = source
        self.configuration = configuration
        self.gpus = gpus
    }
}
