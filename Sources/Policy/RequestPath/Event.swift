/// What the request path tells admission. Times are in `step`'s `now`; sizes in bytes or tokens.
package enum Event: Sendable, Equatable {
    /// A whole request has been read and identified. Answered in the same step by a `dispatch` or a
    /// `refuse`, or by nothing: then the request waits in the queue.
    case arrive(Arrival)
    /// The engine's first token for the request's current attempt has been relayed.
    case firstToken(RequestID)
    /// Output tokens relayed so far by the current attempt; monotonic, may skip numbers.
    case progress(RequestID, outputTokens: UInt32)
    /// The answer is complete; `nil` when the engine told no usage.
    case finish(RequestID, usage: Usage?)
    /// The engine answered that it will not serve this request (a 3xx or 4xx): it is there, it did
    /// no work, and how fast it said so teaches nothing.
    case declined(RequestID)
    /// The current attempt failed. Before the first byte it may be tried again (`dispatch`), else
    /// `fail` follows in the same step.
    case attemptFailed(RequestID, Failure, beforeFirstByte: Bool)
    /// Of the two tries since `hedge` the second sent a byte first; the first try was cancelled.
    case hedgeWon(RequestID)
    /// Of the two tries since `hedge` the second failed before the first byte, or was cancelled for
    /// a byte of the first (`nil`). Where the first one fails `attemptFailed` says so, and the
    /// second is the attempt from then on.
    case hedgeFailed(RequestID, Failure?)
    /// The client went away, or the caller gave up on it; no action follows for this request.
    case cancel(RequestID)
    /// An endpoint joined, ready or still starting.
    case endpointAdded(EndpointID, model: ModelID, ready: Bool)
    /// The endpoint takes no new work; it is forgotten when its last request settles.
    case endpointRemoved(EndpointID)
    /// A health probe came back.
    case probed(EndpointID, healthy: Bool)
    /// A metrics scrape came back. It corrects the ledger and never says "full".
    case scraped(EndpointID, EngineGauges)
    /// The plan changed. Model and tenant ids keep their meaning: entries are only changed or
    /// appended, never moved.
    case replan(Plan)
    /// The instant `nextDeadline` named has come.
    case tick
}

/// One request as admission sees it.
package struct Arrival: Sendable, Equatable {
    package var request: RequestID
    package var model: ModelID
    package var tenant: TenantID
    /// Index into the model's classes.
    package var classIndex: Int
    /// Bytes of prompt text, data URIs left out.
    package var promptBytes: UInt32
    /// Prompt tokens where the client sent token ids.
    package var promptTokensExact: UInt32?
    package var images: UInt16
    /// The client's own limit on output tokens, all choices together.
    package var outputTokensMax: UInt32?
    /// The client's own TTFT deadline in nanoseconds from arrival; only ever shortens.
    package var deadlineNanos: UInt64?
    /// A cap may be written into this request: no tools, no response format, a surface with limit.
    package var cappable: Bool
    /// A second try before the first byte is allowed for this surface.
    package var retryable: Bool
    /// Tokens are relayed as they come. Of a whole answer the first byte tells nothing about the
    /// first token, so that its deadline ends at dispatch and its TTFT is not learned from.
    package var streams: Bool
    /// Hash of the prompt, for recognising the retry of a refused request.
    package var promptHash: UInt64
    /// Chained hashes of the prompt's leading blocks of `prefixBlockTokens` tokens: each stands for
    /// its block and all before it, so that equal hashes mean equal prefixes. Empty where unknown;
    /// then no endpoint is believed to have any of the prompt.
    package var prefixHashes: [UInt64] = []
    /// Tokens of a block, positive.
    package var prefixBlockTokens: UInt32 = 512
    /// Answers asked for at once; at least one.
    package var choices: UInt32 = 1
    /// The client says that it has asked before; believed where its prompt has no hash.
    package var isRetry = false
    /// Bytes the body occupies while it waits.
    package var bodyBytes: UInt32

    package init(
        request: RequestID, model: ModelID, tenant: TenantID, classIndex: Int,
        promptBytes: UInt32, promptTokensExact: UInt32? = nil, images: UInt16 = 0,
        outputTokensMax: UInt32? = nil, deadlineNanos: UInt64? = nil, cappable: Bool = true,
        retryable: Bool = true, streams: Bool = true, promptHash: UInt64 = 0, bodyBytes: UInt32 = 0
    ) {
        self.request = request
        self.model = model
        self.tenant = tenant
        self.classIndex = classIndex
        self.promptBytes = promptBytes
        self.promptTokensExact = promptTokensExact
        self.images = images
        self.outputTokensMax = outputTokensMax
        self.deadlineNanos = deadlineNanos
        self.cappable = cappable
        self.retryable = retryable
        self.streams = streams
        self.promptHash = promptHash
        self.bodyBytes = bodyBytes
    }
}

/// What the engine said it used.
package struct Usage: Sendable, Equatable {
    package var promptTokens: UInt32
    package var outputTokens: UInt32
    /// Prompt tokens the engine took from its prefix cache.
    package var cachedTokens: UInt32

    package init(promptTokens: UInt32, outputTokens: UInt32, cachedTokens: UInt32 = 0) {
        self.promptTokens = promptTokens
        self.outputTokens = outputTokens
        self.cachedTokens = cachedTokens
    }
}

/// How an attempt failed.
package enum Failure: Sendable, Equatable, CaseIterable {
    /// Nothing listens there.
    case refused
    /// The connection could not be made in time, or broke.
    case disconnected
    /// No answer before the request's deadline.
    case stalled
    /// A 5xx answer.
    case serverError
    /// The engine said it is full (503 of `--max-num-queued-reqs`).
    case busy
    /// The engine is shutting down (vLLM: a 500 that names it, although `/health` says 200).
    case draining
    /// The answer broke the protocol.
    case malformed
}

/// The engine's own gauges.
package struct EngineGauges: Sendable, Equatable {
    package var running: UInt32
    package var waiting: UInt32
    /// Share of the KV cache in use, 0...1.
    package var kvCacheShare: Double

    package init(running: UInt32, waiting: UInt32, kvCacheShare: Double) {
        self.running = running
        self.waiting = waiting
        self.kvCacheShare = kvCacheShare
    }
}
