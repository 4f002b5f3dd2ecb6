/// What admission tells the request path to do.
package enum Action: Sendable, Equatable {
    /// Send the request to an engine; a later `dispatch` of the same request is its next attempt.
    case dispatch(RequestID, Dispatch)
    /// Send the request to a second engine as well. The first of the two to send a byte of its
    /// answer is the attempt, the other is cancelled; where one fails, the other is the attempt,
    /// sent now where the first one failed before this was heard. It is cut as the first try is.
    case hedge(RequestID, Dispatch)
    /// Answer without an engine. The request is settled.
    case refuse(RequestID, Refusal)
    /// The hard deadline passed with no first token: cancel the attempt and answer 504. Settled.
    case abort(RequestID)
    /// No attempt is left: answer 502, 503 or 504 by the failure. Settled.
    case fail(RequestID, Failure)
    /// Ask the endpoint's health route and report `probed`.
    case probe(EndpointID)
    /// The model's ladder moved for a class; step 0 is off. For the log and the metrics.
    case ladderMoved(ModelID, classIndex: Int, step: Int)
    /// An endpoint was taken out of rotation or came back. For the log and the metrics.
    case healthChanged(EndpointID, healthy: Bool)
}

/// One dispatch.
package struct Dispatch: Sendable, Equatable {
    package var endpoint: EndpointID
    /// The model that answers: another than asked for after a ladder's `model` step.
    package var model: ModelID
    /// Cut the answer at this many output tokens; `nil`: as the client asked.
    package var outputTokensCap: UInt32?
    /// The ladder step in force, 0 for none.
    package var ladderStep: Int
    /// 1 for the first try.
    package var attempt: Int
    /// Why it waited, when it did.
    package var waited: WaitCause

    package init(
        endpoint: EndpointID, model: ModelID, outputTokensCap: UInt32? = nil, ladderStep: Int = 0,
        attempt: Int = 1, waited: WaitCause = .none
    ) {
        self.endpoint = endpoint
        self.model = model
        self.outputTokensCap = outputTokensCap
        self.ladderStep = ladderStep
        self.attempt = attempt
        self.waited = waited
    }
}

/// Why a request waited at the gateway: the cause that held it last and longest.
package enum WaitCause: Sendable, Equatable, CaseIterable {
    case none
    /// Its own tenant's concurrency limit.
    case quota
    /// Other tenants or classes went first.
    case fairness
    /// No endpoint had room.
    case saturation
    /// No replica was ready.
    case coldStart
}

/// One refusal.
package struct Refusal: Sendable, Equatable {
    package var reason: RefusalReason
    /// Measured time after which the request would fit, 10 ms to an hour; an hour where it never
    /// would.
    package var retryAfterNanos: UInt64
    /// Decided after the arrival step: the request had waited.
    package var late: Bool

    package init(reason: RefusalReason, retryAfterNanos: UInt64, late: Bool = false) {
        self.reason = reason
        self.retryAfterNanos = retryAfterNanos
        self.late = late
    }
}

/// Why a request was refused.
package enum RefusalReason: Sendable, Equatable, CaseIterable {
    /// Capacity exists and is contended: its TTFT bound could not be met. 429.
    case saturated
    /// Its class's queue is full in requests or bytes. 429.
    case queueFull
    /// The tenant's requests or tokens per minute are used up. 429.
    case rateLimited
    /// It would miss its bound on an idle engine. 429.
    case infeasible
    /// Prompt or output exceed the model's context. 400.
    case tooLong
    /// No endpoint is ready, and none is expected inside the wait allowed. 503.
    case noCapacity

    /// Bounded label for codes, headers and metrics.
    package var label: String {
        switch self {
        case .saturated: "saturated"
        case .queueFull: "queue_full"
        case .rateLimited: "rate_limited"
        case .infeasible: "infeasible"
        case .tooLong: "context_length_exceeded"
        case .noCapacity: "no_capacity"
        }
    }

    /// Whether capacity exists and is contended (429), or there is none (503).
    package var isContention: Bool {
        switch self {
        case .saturated, .queueFull, .rateLimited, .infeasible: true
        case .tooLong, .noCapacity: false
        }
    }
}

/// Actions in the order they must be carried out; reused between steps so that none allocates.
package struct ActionBuffer: Sendable {
    package private(set) var actions: [Action] = []

    package init(capacity: Int = 64) {
        self.actions.reserveCapacity(capacity)
    }

    /// Adds an action after all others.
    package mutating func append(_ action: Action) {
        self.actions.append(action)
    }

    /// Forgets all actions and keeps the memory.
    package mutating func removeAll() {
        self.actions.removeAll(keepingCapacity: true)
    }
}
