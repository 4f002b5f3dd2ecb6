package import Time

/// The field's scalers that go by a model of the engine, by what they are called here.
package enum ModelScaler: String, Sendable, CaseIterable {
    /// A queueing model on means, as the workload variant autoscaler.
    case means
    /// Load and throughput against an objective, as the planner of Dynamo.
    case planner
    /// One that knows the trace: the limit.
    case oracle
}

/// What a scaler that goes by a model knows of one engine and of what is promised.
package struct EngineFigures: Sendable, Hashable {
    /// Nanoseconds of a step, and for each prompt token, sequence and token of KV cache in it.
    package var base: Double
    package var perPrefillToken: Double
    package var perSequence: Double
    package var perKVToken: Double
    package var sequencesMax: Int
    package var kvTokensMax: Int
    /// Bounds of the time to first token and between tokens; nanoseconds.
    package var firstTokenNanos: Double
    package var interTokenNanos: Double

    package init(
        base: Double, perPrefillToken: Double, perSequence: Double, perKVToken: Double,
        sequencesMax: Int, kvTokensMax: Int, firstTokenNanos: Double, interTokenNanos: Double
    ) {
        self.base = base
        self.perPrefillToken = perPrefillToken
        self.perSequence = perSequence
        self.perKVToken = perKVToken
        self.sequencesMax = sequencesMax
        self.kvTokensMax = kvTokensMax
        self.firstTokenNanos = firstTokenNanos
        self.interTokenNanos = interTokenNanos
    }

    /// Nanoseconds of a decode step of `sequences` that each hold `tokens`.
    func decodeNanos(sequences: Double, tokens: Double) -> Double {
        self.base + sequences * (self.perSequence + self.perKVToken * tokens)
    }
}

/// Requests of one length: means over the time since a scaler was last asked.
struct RequestMeans: Sendable {
    private var count = 0.0
    private var input = 0.0
    private var output = 0.0
    /// The latest means; those of before where nothing came.
    private(set) var inputTokens = 512.0
    private(set) var outputTokens = 128.0

    mutating func add(_ request: OfferedRequest) {
        self.count += 1
        self.input += Double(request.inputTokens)
        self.output += Double(request.outputTokens)
    }

    /// Requests a second over `nanos`, and begins anew.
    mutating func close(nanos: UInt64) -> Double {
        defer { (self.count, self.input, self.output) = (0, 0, 0) }
        guard self.count > 0 else { return 0 }
        self.inputTokens = max(1, self.input / self.count)
        self.outputTokens = max(1, self.output / self.count)
        return self.count / (Double(nanos) / 1e9)
    }
}

/// Replicas by a state-dependent M/M/1/K queue on mean lengths, once a minute: the rate of one
/// replica at which the mean wait and prefill are within the bound of the first token and the mean
/// decode step within that between tokens.
///
///     service(n) = n / (base + perPrefillToken * in * n + (out - 1) * decode(n))
///     K = 11 * batch
///
/// The workload variant autoscaler v0 has the margin for a quantile commented out: means it is.
package struct MeansScaler {
    package let intervalNanos: UInt64 = 60_000_000_000
    private let engine: EngineFigures
    private let headroom: Double
    private let bounds: ClosedRange<Int>
    private var requests = RequestMeans()

    package init(engine: EngineFigures, headroom: Double, bounds: ClosedRange<Int>) {
        self.engine = engine
        self.headroom = headroom
        self.bounds = bounds
    }
}

extension MeansScaler: ReplicaPolicy {
    package mutating func offer(_ request: OfferedRequest, now: Instant) {
        self.requests.add(request)
    }

    package mutating func target(_ fleet: FleetView, now: Instant) -> Int {
        let rate = self.requests.close(nanos: self.intervalNanos)
        let wish = (self.headroom * rate / max(self.ratePerReplica, 1e-9)).rounded(.up)
        return Int(
            min(max(wish, Double(self.bounds.lowerBound)), Double(self.bounds.upperBound)))
    }

    /// Requests a second of one replica, by bisection.
    private var ratePerReplica: Double {
        let tokens = self.requests.inputTokens + self.requests.outputTokens
        let batch = max(
            1, min(self.engine.sequencesMax, Int(Double(self.engine.kvTokensMax) / tokens)))
        let rates = (1...batch).map { self.serviceRate(Double($0)) }
        var (low, high) = (0.0, rates.max() ?? 0)
        for _ in 0..<24 {
            let middle = (low + high) / 2
            if self.holds(middle, rates) { low = middle } else { high = middle }
        }
        return low
    }

    /// Requests a second that a replica ends with `count` in its batch.
    private func serviceRate(_ count: Double) -> Double {
        let prefill =
            self.engine.base
            + self.engine.perPrefillToken * self.requests.inputTokens * count
        return 1e9 * count / (prefill + (self.requests.outputTokens - 1) * self.decode(count))
    }

    private func decode(_ count: Double) -> Double {
        self.engine.decodeNanos(
            sequences: count,
            tokens: self.requests.inputTokens + self.requests.outputTokens / 2)
    }

    /// Whether the means are inside the bounds at `rate` requests a second.
    private func holds(_ rate: Double, _ service: [Double]) -> Bool {
        let batch = service.count
        // Weights of the states, the largest kept near one.
        var (weight, sum, running, waiting, full) = (1.0, 1.0, 0.0, 0.0, 0.0)
        for state in 1...(11 * batch) {
            weight *= rate / service[min(state, batch) - 1]
            sum += weight
            running += weight * Double(min(state, batch))
            waiting += weight * Double(max(0, state - batch))
            full = weight
            if sum > 1e100 {
                (running, waiting) = (running / sum, waiting / sum)
                (weight, full, sum) = (weight / sum, full / sum, 1)
            }
            if weight < sum * 1e-12, state > batch { break }
        }
        let served = rate * (1 - full / sum)
        guard served > 0 else { return true }
        let mean = max(1, running / sum)
        let wait = waiting / sum / served * 1e9
        let prefill =
            self.engine.base + self.engine.perPrefillToken * self.requests.inputTokens * mean
        return wait + prefill <= self.engine.firstTokenNanos
            && self.decode(mean) <= self.engine.interTokenNanos
    }
}

/// Two loops, as Dynamo's planner: every three minutes as many replicas as the requests of the last
/// three took at their mean lengths, and every five seconds one more where the estimated latency is
/// beyond the objective, one fewer where it would stay inside four fifths of it. It holds while a
/// replica starts.
package struct PlannerScaler {
    package let intervalNanos: UInt64 = 5_000_000_000
    private let engine: EngineFigures
    private let headroom: Double
    private let bounds: ClosedRange<Int>
    private var requests = RequestMeans()
    private var turns = 0
    private var floor = 1

    private static let turnsOfThroughput = 36
    private static let slack = 0.8

    package init(engine: EngineFigures, headroom: Double, bounds: ClosedRange<Int>) {
        self.engine = engine
        self.headroom = headroom
        self.bounds = bounds
    }
}

extension PlannerScaler: ReplicaPolicy {
    package mutating func offer(_ request: OfferedRequest, now: Instant) {
        self.requests.add(request)
    }

    package mutating func target(_ fleet: FleetView, now: Instant) -> Int {
        self.turns += 1
        if self.turns % Self.turnsOfThroughput == 0 { self.planThroughput() }
        var wish = fleet.replicas
        if fleet.starting.isEmpty {
            let ready = Double(max(1, fleet.ready))
            if self.load(fleet, over: ready) > 1 {
                wish += 1
            } else if fleet.ready > 1, self.load(fleet, over: ready - 1) < Self.slack {
                wish -= 1
            }
        }
        let least = max(self.floor, self.bounds.lowerBound)
        return min(max(wish, least), self.bounds.upperBound)
    }

    /// Estimated latency over its objective, the worse of the two.
    private func load(_ fleet: FleetView, over replicas: Double) -> Double {
        let first =
            self.engine.base
            + self.engine.perPrefillToken
            * (Double(fleet.prefillWaiting) / replicas + self.requests.inputTokens)
        let running = Double(fleet.running) / replicas
        let next =
            self.engine.base + self.engine.perSequence * running
            + self.engine.perKVToken * Double(fleet.kvTokens) / replicas
        let isFull = Double(fleet.kvTokens) / replicas > Double(self.engine.kvTokensMax)
        return max(
            first / self.engine.firstTokenNanos, next / self.engine.interTokenNanos,
            isFull ? 2 : 0)
    }

    private mutating func planThroughput() {
        let rate = self.requests.close(
            nanos: UInt64(Self.turnsOfThroughput) * self.intervalNanos)
        let tokens = self.requests.inputTokens + self.requests.outputTokens / 2
        let batch = (1...self.engine.sequencesMax).last {
            self.engine.decodeNanos(sequences: Double($0), tokens: tokens)
                <= self.engine.interTokenNanos
                && Double($0) * tokens <= Double(self.engine.kvTokensMax)
        }
        let count = Double(batch ?? 1)
        let residence =
            self.engine.base + self.engine.perPrefillToken * self.requests.inputTokens * count
            + self.requests.outputTokens
            * self.engine.decodeNanos(sequences: count, tokens: tokens)
        let wish = (self.headroom * rate * residence / 1e9 / count).rounded(.up)
        self.floor = Int(min(max(1, wish), Double(self.bounds.upperBound)))
    }
}

/// One that knows the trace: what the most work within the lead time to come will take, asked for
/// in time and let go at once.
package struct OracleScaler {
    package let intervalNanos: UInt64 = 5_000_000_000
    /// Replicas that each interval's work takes, from time zero on.
    private let needs: [Double]
    private let leadNanos: UInt64
    private let headroom: Double
    private let bounds: ClosedRange<Int>

    /// - Parameters:
    ///   - work: nanoseconds of work in each interval of `intervalNanos`, from time zero on.
    ///   - workPerReplica: what one serves, in nanoseconds a nanosecond; above zero.
    ///   - leadNanos: what starting takes at most.
    ///   - headroom: a factor on what it finds.
    ///   - bounds: fewest and most replicas.
    package init(
        work: [Double], workPerReplica: Double, leadNanos: UInt64, headroom: Double,
        bounds: ClosedRange<Int>
    ) {
        self.needs = work.map { $0 / 5e9 / workPerReplica }
        self.leadNanos = leadNanos
        self.headroom = headroom
        self.bounds = bounds
    }
}

extension OracleScaler: ReplicaPolicy {
    package mutating func target(_ fleet: FleetView, now: Instant) -> Int {
        let first = Int(now.nanos / self.intervalNanos)
        let last = first + Int(self.leadNanos / self.intervalNanos) + 2
        let most = self.needs.indices.clamped(to: first..<last).map { self.needs[$0] }.max() ?? 0
        let wish = (self.headroom * most).rounded(.up)
        return Int(
            min(max(wish, Double(self.bounds.lowerBound)), Double(self.bounds.upperBound)))
    }
}
