import EngineModel
import RequestPath
import Time

/// One engine of the world, with everything that is wrong with it.
struct ModelEndpoint: Sendable {
    /// Where a replica stands between its being asked for and its end.
    enum Life: Sendable, Equatable {
        case starting(asked: Instant)
        case ready
        /// It takes no new work and ends with the last it has.
        case draining
        case gone
    }

    let model: Int
    var life = Life.ready
    /// The node it is on, where nodes are told apart.
    var node: Int?
    /// The monitor will look at it again.
    var isWatched = false
    var engine: BatchingEngine
    var isStepping = false
    /// When the step under way ends.
    var stepEndsAt: UInt64 = 0
    /// When the last step ended, and the one before it.
    var stepEndedAt = Instant.zero
    var stepBeforeEndedAt = Instant.zero
    /// Grows when what was foreseen of the engine does not hold any more.
    var epoch: UInt32 = 0
    /// Prompt tokens sent whose first token has not come, without those in its prefix cache.
    var prefillWaiting = 0
    /// Tokens of prompts and answers it computed, for requests that have left it.
    var computedTokens: UInt64 = 0

    // What is wrong with it.
    /// The process is gone.
    var isDown = false
    /// Connections are refused; what is running goes on.
    var refuses = false
    var isStalled = false
    /// The stalls in force or to come without a gap between them: their union.
    var stalledSince = Instant.zero
    var stalledUntil = Instant.zero
    /// Its gauges cannot be had.
    var hidesGauges = false
    var lies: [GaugeLie] = []
    /// The share of requests that are answered with a 500.
    var errorShare = 0.0

    /// What the last scrape read.
    var scraped: RequestPath.EngineGauges?
    /// Its being idle is known to the clock.
    var countsIdle = false

    init(model: Int, engine: BatchingEngine) {
        self.model = model
        self.engine = engine
    }

    /// It could work and has nothing to do.
    var isIdle: Bool { !isStepping && !isDown && !refuses && !isStalled }

    /// The monitor finds something to look at.
    var isThere: Bool { life == .ready || life == .draining }

    /// Not one request is there.
    var hasNothing: Bool {
        let gauges = engine.gauges
        return !isStepping && gauges.running + gauges.waiting == 0
    }

    /// What its metrics page says, true or not.
    var toldGauges: RequestPath.EngineGauges {
        let gauges = engine.gauges
        var told = RequestPath.EngineGauges(
            running: UInt32(gauges.running), waiting: UInt32(gauges.waiting),
            kvCacheShare: gauges.kvUsage)
        for lie in lies {
            switch lie {
            case .running(let count): told.running = count
            case .waiting(let count): told.waiting = count
            case .kvCache(let share): told.kvCacheShare = share
            }
        }
        return told
    }
}
