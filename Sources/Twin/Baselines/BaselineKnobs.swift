/// What can be set on the baselines; defaults are the published ones, with their source.
///
/// The scrape period is not among them: the world scrapes, and the field's default of 50 ms
/// (llm-d-router, its least) is the world's to keep.
package struct BaselineKnobs: Sendable, Hashable {
    package var detector = Detector()
    package var gauge = Gauge()
    package var slots = Slots()
    package var busy = Busy()
    package var gradient = Gradient()
    package var leastLoad = LeastLoad()
    package var scores = Scores()
    package var health = Health()
    /// What a refusal says of time, in nanoseconds. The field's gateways send no Retry-After on
    /// saturation; this is the second that their clients' libraries back off on their own.
    package var retryAfterNanos: UInt64 = 1_000_000_000

    package init() {}

    /// How full a pool is: the utilization detector of llm-d-router
    /// (`saturationdetector/utilization`). Used by gauge-gate and no-gate.
    package struct Detector: Sendable, Hashable {
        /// Waiting requests that make one endpoint full (`queueDepthThreshold`). The main knob of
        /// gauge-gate.
        package var queueDepth = 5.0
        /// KV cache use that makes one endpoint full (`kvCacheUtilThreshold`), 0...1.
        package var kvCacheShare = 0.8
        /// Older gauges count as full (`metricsStalenessThreshold`).
        package var staleNanos: UInt64 = 200_000_000
        /// Count what was sent and is not in the gauges yet as waiting: an option of later
        /// versions that comes with an in-flight producer, off by default.
        package var creditsInFlight = false
    }

    /// The flow controller of llm-d-router (`flowcontrol/controller`).
    package struct Gauge: Sendable, Hashable {
        /// One request may go in each period.
        package var dispatchPeriodNanos: UInt64 = 1_000_000
        /// A request that has waited this long is dropped (`defaultRequestTTL`).
        package var timeToLiveNanos: UInt64 = 60_000_000_000
        /// How often expired requests are looked for.
        package var sweepPeriodNanos: UInt64 = 1_000_000_000
        /// Most requests and bytes waiting in one priority band.
        package var bandRequestsMax = 5000
        package var bandBytesMax: UInt64 = 1 << 30
    }

    /// The priority scheduler of SMG (`middleware/scheduler`, `worker/capacity.rs`).
    package struct Slots: Sendable, Hashable {
        /// Slots of an endpoint that does not tell its own `max_running_requests`, which none
        /// does here. The main knob.
        package var perEndpoint = 64
        /// Slots while there is no endpoint at all.
        package var withoutEndpoint = 1024
        /// Exactly four, from the highest: system, interactive, standard (`default` there), bulk.
        package var classes = [
            SlotClass(
                reserved: 32, queueMax: 64, timeoutNanos: 30_000_000_000,
                starvationNanos: 5_000_000_000, mayPreempt: true),
            SlotClass(
                reserved: 128, queueMax: 256, timeoutNanos: 30_000_000_000,
                starvationNanos: 5_000_000_000, mayPreempt: true),
            SlotClass(
                reserved: 0, queueMax: 512, timeoutNanos: 60_000_000_000,
                starvationNanos: 30_000_000_000, mayPreempt: false),
            SlotClass(
                reserved: 0, queueMax: 1024, timeoutNanos: 300_000_000_000,
                starvationNanos: 120_000_000_000, mayPreempt: false),
        ]
        /// Attempts of one request (`retry.rs`: five), with a growing pause between them.
        package var attemptsMax = 5
        package var retryNanos = 50_000_000.0
        package var retryGrowth = 1.5
        package var retryNanosMax = 30_000_000_000.0
        /// Each pause is spread by up to this share either way.
        package var retryJitter = 0.2
    }

    /// One class of the priority scheduler (`config.rs`).
    package struct SlotClass: Sendable, Hashable {
        /// Slots kept from lower classes while it does not use them.
        package var reserved: Int
        /// Most requests waiting.
        package var queueMax: Int
        /// A request that has waited this long is answered 408.
        package var timeoutNanos: UInt64
        /// One that has waited longer goes first and past reservations; not so the highest class.
        package var starvationNanos: UInt64
        /// It takes the slot of a lower class's request that has no byte yet.
        package var mayPreempt: Bool

        package init(
            reserved: Int, queueMax: Int, timeoutNanos: UInt64, starvationNanos: UInt64,
            mayPreempt: Bool
        ) {
            self.reserved = reserved
            self.queueMax = queueMax
            self.timeoutNanos = timeoutNanos
            self.starvationNanos = starvationNanos
            self.mayPreempt = mayPreempt
        }
    }

    /// Request rejection of NVIDIA Dynamo ("Request Rejection" in its guide). It is off unless
    /// set; these are the values its guide sets.
    package struct Busy: Sendable, Hashable {
        /// A worker with a larger share of its KV cache in use is busy
        /// (`--active-decode-blocks-threshold`).
        package var kvCacheShare = 0.85
        /// A worker with more prompt tokens sent and unanswered is busy
        /// (`--active-prefill-tokens-threshold`). The main knob.
        package var prefillTokens = 10_000
    }

    /// Netflix concurrency-limits, `Gradient2Limit`.
    package struct Gradient: Sendable, Hashable {
        /// Requests in flight, of a whole pool.
        package var limitInitial = 20.0
        /// The main knob.
        package var limitMin = 20.0
        package var limitMax = 200.0
        /// Latency may grow by this factor before the limit shrinks.
        package var tolerance = 1.5
        /// Share of the new limit in the next one.
        package var smoothing = 0.2
        /// Requests that may queue: the step by which the limit grows.
        package var queueSize = 4.0
        /// Samples of the long average, and of its plain mean at the start.
        package var longWindow = 600
        package var warmUpSamples = 10
    }

    /// SMG's `least_load` policy.
    package struct LeastLoad: Sendable, Hashable {
        /// Seconds that a KV cache at half its size counts for (`kv_pressure_weight`).
        package var kvPressureSeconds = 0.15
        /// Tokens an endpoint is taken to work off in a second (`default_throughput`).
        package var tokensPerSecond = 2000.0
        /// Tokens a request is taken to have that is not known (`mean_prefill_tokens`).
        package var meanPromptTokens = 1024.0
        /// Older gauges are forgotten: three of its polls of ten seconds.
        package var staleNanos: UInt64 = 30_000_000_000
    }

    /// The scheduler of llm-d-router with the weights of its chart: queue 2, KV cache 2, prefix 3.
    package struct Scores: Sendable, Hashable {
        package var queueWeight = 2.0
        package var kvCacheWeight = 2.0
        package var prefixWeight = 3.0
        /// Prefix blocks remembered for each endpoint (`lruCapacityPerServer`, the default before
        /// versions that take it from the engine's own count of blocks).
        package var prefixBlocksMax = 31_250
    }

    /// Readiness probes of Kubernetes. Results that nobody asked for count as well.
    package struct Health: Sendable, Hashable {
        /// `periodSeconds` of a ready container.
        package var probePeriodNanos: UInt64 = 10_000_000_000
        /// A container that is not ready may be probed more often than that; as often as the
        /// product probes, so that no cold start is won by asking sooner.
        package var startingProbePeriodNanos: UInt64 = 1_000_000_000
        /// `failureThreshold`.
        package var failedProbesMax = 3
    }
}
