package import EngineModel
package import Report
package import RequestPath
package import Scaling

/// Everything a run is made of but its policy and its arrivals.
package struct Scenario: Sendable {
    /// The engines of one model.
    package struct EnginePool: Sendable, Equatable {
        /// What the engines are called: their profile, for messages.
        package var name = ""
        /// Each of them.
        package var engine: EngineConfiguration
        /// How many there are, ready from the start; zero for none.
        package var replicas: Int
        /// GPUs that one of them occupies.
        package var gpus: Int
        /// The price of a GPU for an hour, in units of a currency; nil when unknown.
        package var pricePerGPUHour: Double?
        /// Whether answers end with their usage, as OpenAI's do.
        package var tellsUsage = true

        /// Describes a pool.
        package init(engine: EngineConfiguration, replicas: Int, gpus: Int) {
            self.engine = engine
            self.replicas = replicas
            self.gpus = gpus
        }
    }

    /// The budget as admission holds it.
    package var plan: Plan
    /// The model that is asked for.
    package var model: ModelID
    /// The class of requests that name none.
    package var defaultClass: Int
    /// The budget as the report judges it.
    package var budget: ReportBudget
    /// By `ModelID`.
    package var pools: [EnginePool]
    /// What clients do.
    package var clients = Clients()
    /// How the gateway looks at its engines.
    package var monitor = Monitor()
    /// What goes wrong, and when.
    package var faults: [ScriptedFault] = []
    /// Requests that arrive before this are served and not reported, so that learning does not
    /// count; nanoseconds.
    package var warmUpNanos: UInt64 = 0
    /// How long requests are offered, in nanoseconds, where that is known beforehand; nil: until
    /// the last one came.
    package var offeringNanos: UInt64?
    /// What the pair can do, in engine seconds of work a second (`WorkMeasure`); nil: not known,
    /// and then there is no bound to compare goodput with.
    package var capacityWork: Double?
    /// Only this tenant's requests are reported; nil: everybody's.
    package var reportedTenant: TenantID?
    /// Asks the policy for broken invariants after every so many of its steps; 0 is never.
    package var auditEvery = 0
    /// How long after the last arrival answers are waited for, in nanoseconds.
    package var drainNanos: UInt64 = 3_600_000_000_000
    /// What scales the model that is asked for; nil: nothing does.
    package var cluster: Cluster?
    /// What the budget writes of the model's scaling; its lead time and capacity mean nothing here.
    package var writtenScaling: ScalingPlan?
    /// The nodes of the pool that the budget names for the model.
    package var writtenNodes: NodePool?
    /// Draws what is left to chance but the arrivals.
    package var seed: UInt64 = 1

    /// A world of `pools` under `plan`; the rest has defaults.
    package init(
        plan: Plan, model: ModelID, defaultClass: Int, budget: ReportBudget, pools: [EnginePool]
    ) {
        self.plan = plan
        self.model = model
        self.defaultClass = defaultClass
        self.budget = budget
        self.pools = pools
    }

    /// The endpoints' models, in the order of endpoint ids: those of the model asked for come
    /// first, so that a fault script can count on them.
    var endpointModels: [Int] {
        let others = pools.indices.filter { $0 != model.raw }
        return ([model.raw] + others).flatMap { Array(repeating: $0, count: pools[$0].replicas) }
    }

    /// Models that requests can come to: the one asked for and those on its ladder, ascending.
    var servingModels: [Int] {
        let ladder = plan.models[model.raw].ladder.compactMap { step in
            if case .model(let id) = step { id.raw } else { nil }
        }
        return pools.indices.filter { $0 == model.raw || ladder.contains($0) }
    }

    /// Endpoints of all models.
    package var endpointCount: Int { pools.reduce(0) { $0 + $1.replicas } }
}

/// What clients do besides asking.
package struct Clients: Sendable, Equatable {
    /// What follows a refusal.
    package enum Retry: String, Sendable, CaseIterable {
        /// Nothing: every refusal is counted.
        case off
        /// Waits what the refusal asks for, as the SDKs do; gives up when that is above a minute.
        case honour
        /// Waits half a second, then a whole one, whatever the refusal asks for.
        case ignore
    }

    /// What follows a refusal.
    package var retry = Retry.off
    /// Tries after the first one, at most.
    package var retriesMax = 2
    /// A client leaves when it has no first token after this; nil: it stays.
    package var patienceNanos: UInt64?
    /// Bytes of prompt text for a token.
    package var bytesPerToken = 4
    /// Requests state the length of their answer as the limit, as `plimsoll replay` writes them;
    /// false: they state none.
    package var statesLimit = true
    /// Answers are asked for token by token; false: in one piece, and then nobody sees the first
    /// token or progress.
    package var streams = true

    /// Clients that ask once and wait.
    package init() {}

    /// Waits in nanoseconds before the retries of clients that follow no advice.
    static let retryWaits: [UInt64] = [500_000_000, 1_000_000_000]
    /// What a gateway advises when engines turned a request away.
    static let noEndpointAdvice: UInt64 = 1_000_000_000
    /// The longest advice that is followed.
    static let adviceMax: UInt64 = 60_000_000_000
}

/// How the gateway looks at its engines.
package struct Monitor: Sendable, Equatable {
    /// Between two scrapes of an engine's gauges; nil for none.
    package var scrapeNanos: UInt64? = 1_000_000_000
    /// From the gauges' being read to their arrival at the gateway.
    package var scrapeDelayNanos: UInt64 = 1_000_000
    /// Intervals differ by up to this share, so that scrapers do not march in step.
    package var jitter = 0.2
    /// Between two health probes of an engine.
    package var probeNanos: UInt64 = 2_000_000_000

    /// As the product's gateway does it.
    package init() {}

    /// Until a probe, or an attempt at a dead engine, is answered.
    static let answerNanos: UInt64 = 200_000
    /// A stream whose stalled engine says nothing for this long has broken.
    static let silenceNanos: UInt64 = 60_000_000_000
}
