package import EventLoop
package import Report
package import Workload

/// What a replay sends, where, and how it judges the answers.
package struct ReplaySettings: Sendable {
    /// What is done after a refusal.
    package enum Retry: String, Sendable, CaseIterable {
        /// Nothing: every refusal is counted.
        case off
        /// Waits what the refusal asks for and obeys `x-should-retry: false`.
        case honour
        /// Waits half a second, then a whole one, whatever the refusal asks for.
        case ignore
    }

    package var target: Target
    /// Needed for an `https` target.
    package var tls: TLSContext?
    package var trace: TraceSpec
    /// The name sent as `model`.
    package var model: String
    /// Sent as `Authorization: Bearer`.
    package var tenantKey: String?
    /// The class of requests whose row names none; sent as `x-plimsoll-class`.
    package var serviceClass: String?
    /// What the report calls the class of requests that name none.
    package var defaultClass = "standard"
    /// Time runs this many times as fast; above zero.
    package var speed = 1.0
    /// Arrivals from this time on, after the speed, are left out; `nil` for the whole trace. A
    /// generator has no end of its own.
    package var durationNanos: UInt64?
    /// Draws prompts and generated arrivals.
    package var seed: UInt64 = 1
    /// Draws prompts instead, so that a cache that knows an earlier run's does not know them; `nil`
    /// for `seed`.
    package var promptSeed: UInt64?
    /// Ask for a stream of events.
    package var streams = true
    /// Ask engines to go on to the trace's length (`ignore_eos`, known to vLLM and SGLang).
    package var ignoresEOS = true
    /// Prompt text for the tokens of the trace.
    package var promptScale = PromptScale()
    /// Requests whose prompt and answer together exceed this many tokens are left out; nil for no
    /// limit.
    package var tokensMax: Int?
    /// Requests under way at once; what arrives beyond fails as `client_saturated`.
    package var inFlightMax = 4096
    package var retry = Retry.off
    /// How long answers are waited for after the last arrival.
    package var drainNanos: UInt64 = 30_000_000_000
    /// What the report is judged by; `nil` gives a report without a verdict.
    package var budget: ReportBudget?

    /// The rest has defaults.
    package init(target: Target, trace: TraceSpec, model: String) {
        self.target = target
        self.trace = trace
        self.model = model
    }

    /// Tries after the first one, at most.
    static let retriesMax = 2
    /// Waits in nanoseconds before them where no refusal says or is obeyed.
    static let retryWaits: [UInt64] = [500_000_000, 1_000_000_000]
    /// The longest wait that is obeyed; a longer one is not retried.
    static let retryWaitMax: UInt64 = 60_000_000_000
}
