package import Report

/// Where a run stands. Counts only grow, `inFlight` aside.
package struct ReplayProgress: Sendable, Equatable {
    /// Since the workload's time zero.
    package var elapsedNanos: UInt64 = 0
    /// Arrivals so far.
    package var offered: UInt64 = 0
    /// Requests under way, those that wait for a retry included.
    package var inFlight: UInt64 = 0
    package var completed: UInt64 = 0
    package var refused: UInt64 = 0
    package var failed: UInt64 = 0
    package var abandoned: UInt64 = 0
    package var degraded: UInt64 = 0
    /// Of first tokens in the last whole second; `nil` when none came.
    package var recentTTFTP50Nanos: UInt64?
    package var recentTTFTP99Nanos: UInt64?

    package init() {}

    mutating func count(_ outcome: RequestOutcome) {
        switch outcome.status {
        case .completed: self.completed += 1
        case .refused: self.refused += 1
        case .failed: self.failed += 1
        case .abandoned: self.abandoned += 1
        }
        if outcome.isDegraded { self.degraded += 1 }
    }
}

/// One try of one request, told when it has ended. Instants are nanoseconds of the monotonic clock
/// that libuv and the gateway's stage ledger read.
package struct ReplayedRequest: Sendable, Equatable {
    /// What was sent as `x-request-id`; every try has its own.
    package var requestID: String
    /// Tries before this one.
    package var attempt: Int
    /// When the trace wanted the request.
    package var intendedNanos: UInt64
    /// When it was written, or its connection asked for.
    package var sentNanos: UInt64
    package var firstTokenNanos: UInt64?
    /// When the last byte of the answer was read, or the try broke.
    package var endNanos: UInt64
    /// 0 without an answer.
    package var httpStatus: Int
    /// Tokens of the prompt that the trace wanted.
    package var wantedPromptTokens: Int
    /// Those that the engine counted; `nil` when it told none.
    package var countedPromptTokens: Int?
    package var status: RequestOutcome.Status
}
