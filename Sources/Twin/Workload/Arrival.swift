/// One request of a workload: when it comes and how long it is, never what it says.
package struct Arrival: Hashable, Sendable {
    /// Nanoseconds from the start of the workload to the intended arrival.
    package var atNanos: UInt64
    /// Prompt length in tokens, 1 ... `tokensMax`.
    package var inputTokens: Int
    /// Answer length in tokens, 0 ... `tokensMax`.
    package var outputTokens: Int
    /// Who asks, where the trace says so.
    package var tenant: String?
    /// The class of service asked for, where the trace says so.
    package var serviceClass: String?
    /// Chained hashes of the prompt's leading blocks, where the trace has them; a block is as long
    /// as the trace's format defines (512 tokens in Mooncake's).
    package var prefixHashes: [UInt64]

    /// The longest prompt or answer that is believed, in tokens.
    package static let tokensMax = 10_000_000

    /// Describes an arrival.
    package init(
        atNanos: UInt64, inputTokens: Int, outputTokens: Int, tenant: String? = nil,
        serviceClass: String? = nil, prefixHashes: [UInt64] = []
    ) {
        self.atNanos = atNanos
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
        self.tenant = tenant
        self.serviceClass = serviceClass
        self.prefixHashes = prefixHashes
    }
}
