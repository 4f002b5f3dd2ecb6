/// How one request ended, as the client saw it: the unit every figure of a report is counted in.
///
/// A retry of a refused request is not an outcome of its own: it replaces the refusal, and
/// `attempts` says how often the client asked.
package struct RequestOutcome: Hashable, Sendable {
    /// When in its life a request ended early.
    package enum Moment: String, Hashable, Sendable, CaseIterable {
        /// In the call that brought it.
        case arrival
        /// While it waited at the gateway.
        case queue
        /// At an engine, before the first token.
        case prefill
        /// After the first token.
        case decode
    }

    /// How it ended. Reasons are short bounded labels, such as `infeasible`.
    package enum Status: Hashable, Sendable {
        /// The whole answer arrived without an error.
        case completed
        /// It was turned away.
        case refused(reason: String, at: Moment)
        /// It was accepted and ended in an error.
        case failed(reason: String, at: Moment)
        /// The client went away.
        case abandoned(at: Moment)
    }

    /// The class it was served in.
    package var serviceClass: String
    /// Who asked; empty for nobody in particular.
    package var tenant: String
    /// How it ended.
    package var status: Status
    /// Nanoseconds from the intended arrival to the first token; nil when none came or the answer
    /// was not streamed.
    package var ttftNanos: UInt64?
    /// Nanoseconds between tokens, (last - first) / (tokens - 1); nil below two tokens.
    package var itlMeanNanos: UInt64?
    /// Nanoseconds from the intended arrival to the end, however it ended.
    package var e2eNanos: UInt64
    /// Prompt length in tokens.
    package var inputTokens: UInt64
    /// The length of the answer that was asked for, in tokens: the trace's or the estimate.
    package var outputTokens: UInt64
    /// Tokens of the answer that came.
    package var producedTokens: UInt64
    /// Tokens that engines computed for it, in all attempts and what had to be computed twice; nil
    /// where only a client's side is known: then the prompt, once a token came, and what came.
    package var computedTokens: UInt64?
    /// Whether a step of the ladder was applied to it.
    package var isDegraded: Bool
    /// How often the client asked, retries included; at least one.
    package var attempts: UInt64

    /// Describes an outcome; `producedTokens` is `outputTokens` for one that completed, else zero,
    /// where it is not given.
    package init(
        serviceClass: String, tenant: String = "", status: Status, ttftNanos: UInt64? = nil,
        itlMeanNanos: UInt64? = nil, e2eNanos: UInt64, inputTokens: UInt64,
        outputTokens: UInt64, producedTokens: UInt64? = nil, computedTokens: UInt64? = nil,
        isDegraded: Bool = false, attempts: UInt64 = 1
    ) {
        self.serviceClass = serviceClass
        self.tenant = tenant
        self.status = status
        self.ttftNanos = ttftNanos
        self.itlMeanNanos = itlMeanNanos
        self.e2eNanos = e2eNanos
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
        self.producedTokens = producedTokens ?? (status == .completed ? outputTokens : 0)
        self.computedTokens = computedTokens
        self.isDegraded = isDegraded
        self.attempts = max(attempts, 1)
    }

    /// The nanoseconds a bound of `stage` is compared with; nil when the request has none.
    func nanos(of stage: ReportBudget.Stage) -> UInt64? {
        switch stage {
        case .ttft: ttftNanos
        case .itl: itlMeanNanos
        case .e2e: status == .completed ? e2eNanos : nil
        }
    }
}
