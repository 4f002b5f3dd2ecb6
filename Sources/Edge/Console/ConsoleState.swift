import FoundationEssentials

/// What the console shows, schema `plimsoll.state/v1`. Times are milliseconds, shares 0 ... 1;
/// `recent` is the last five minutes, `all` since the start. Never a prompt, an answer or a key.
struct ConsoleState: Encodable {
    struct Verdict: Encodable {
        /// `held`, `broken` or `idle`.
        var state: String
        /// Why, one sentence each.
        var reasons: [String]
    }

    struct Counts: Encodable {
        var offered: UInt64 = 0
        var good: UInt64 = 0
        var completed: UInt64 = 0
        var refused: UInt64 = 0
        var failed: UInt64 = 0
        var abandoned: UInt64 = 0
        var degraded: UInt64 = 0
    }

    struct Inside: Encodable {
        var inside: UInt64
        var total: UInt64
        /// `nil` when nothing was judged.
        var met: Bool?
    }

    struct Objective: Encodable {
        /// `ttft`, `itl` or `e2e`.
        var latency: String
        var quantile: String
        var wantedShare: Double
        var bound: String
        var boundMs: Double
        var recent: Inside
        var all: Inside
    }

    struct Budget: Encodable {
        var model: String
        var name: String
        var objectives: [Objective]
        /// The one bound of a class without objectives.
        var deadline: String?
        var recent: Counts
        var all: Counts
        var queuedRequests: Int
        var queuedBytes: UInt64
        var queueRequestsMax: Int
        var ladderStep: Int
        /// Every step of the ladder in words.
        var ladder: [String]
    }

    struct Reason: Encodable {
        /// `refused`, `failed` or `degraded`.
        var kind: String
        var reason: String
        var model: String
        var name: String
        var recent: UInt64
        var all: UInt64
    }

    struct Endpoint: Encodable {
        var url: String
        var model: String
        /// `open`, `half-open`, `out` or `removed`.
        var state: String
        var inFlight = 0
        var sequencesMax = 0
        var prefillWaiting = 0
        var prefillMax = 0
        var contextTokens = 0.0
        var interTokenMs = 0.0
        var firstTokenMs = 0.0
        var perThousandTokensMs = 0.0
        var requests: UInt64 = 0
        var failures: UInt64 = 0
    }

    /// What happened in one second.
    struct Sample: Encodable {
        /// Its end, milliseconds since 1970.
        var t: UInt64
        var offered: UInt64
        var good: UInt64
        var refused: UInt64
        var failed: UInt64
        var degraded: UInt64
        /// Mean of the requests that ended; `nil` when none did.
        var queueMs: Double?
        var computeMs: Double?
        var queued: Int
    }

    struct Request: Encodable {
        var id: String
        var model: String
        var name: String
        var tenant: String
        var endpoint: String?
        var outcome: String
        var isFailure: Bool
        var attempts: Int
        var ladderStep: Int
        var promptTokens: UInt32
        var outputTokens: UInt32
        var ttftMs: Double?
        var totalMs: Double
        /// In the order of `stages` of the state.
        var stagesMs: [Double]
        var agoMs: Double
    }

    struct Event: Encodable {
        var sequence: Int
        var t: UInt64
        var isWarning: Bool
        var text: String
    }

    struct Config: Encodable {
        var version: Int
        var loadedAt: UInt64
        var accepted: UInt64
        var refused: UInt64
        var faults: [String]
        var warnings: [String]
    }

    struct Machine: Encodable {
        var cpuSeconds: Double
        var residentBytes: UInt64
        var openFiles: UInt64
        var connections: Int
        var turnedAway: UInt64
        var liveRequests: Int
        var bufferedBytes: Int
    }

    let schema = "plimsoll.state/v1"
    var version: String
    var t: UInt64
    var startedAt: UInt64
    var verdict: Verdict
    var notReady: [String]
    var isDraining: Bool
    var recent: Counts
    var all: Counts
    var budgets: [Budget]
    var reasons: [Reason]
    var endpoints: [Endpoint]
    var scaling: [ScalingStatus]
    /// Names of the parts of a request's time, in order.
    var stages: [String]
    var samples: [Sample]
    var slowest: [Request]
    var failures: [Request]
    var events: [Event]
    var config: Config
    var machine: Machine

    /// The state as one line of JSON.
    var json: [UInt8] {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        // Everything encoded is a plain value: there is nothing that could be refused.
        guard let data = try? encoder.encode(self) else { return Array("{}".utf8) }
        return Array(data)
    }
}

extension ConsoleState.Counts {
    private static var parts: [WritableKeyPath<Self, UInt64>] {
        [\.offered, \.good, \.completed, \.refused, \.failed, \.abandoned, \.degraded]
    }

    static func sum(_ all: [Self]) -> Self {
        var sum = Self()
        for one in all { for part in Self.parts { sum[keyPath: part] += one[keyPath: part] } }
        return sum
    }

    /// What has been added since `right`; counts that began again count as nothing.
    static func -= (left: inout Self, right: Self) {
        for part in Self.parts {
            left[keyPath: part] -= min(left[keyPath: part], right[keyPath: part])
        }
    }
}
