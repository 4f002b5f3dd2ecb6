import EngineModel
import Report
import RequestPath
package import Workload

/// The highest stationary rate at which a pair of engines and workload is served, and who did it.
package struct Capacity: Sendable, Hashable, Encodable {
    /// Requests a second.
    package let requestsPerSecond: Double
    /// The same in engine seconds of work a second (`WorkMeasure`), by the lengths of the probes.
    package let workPerSecond: Double
    /// The policy and the choice that served it, the best of those compared.
    package let policy: String
    package let choice: String
    /// How it was set; `default` is as published.
    package let setting: String
    /// The share of offered requests that had to be inside the budget.
    package let shareRequired: Double
    /// Requests of each probe.
    package let probeRequests: UInt64
    /// Tokens an engine computes in one step at most: part of what capacity means.
    package let stepTokens: Int

    /// How long a probe at this rate lasted, in seconds: one not much longer than the latency bound
    /// says little.
    package var probeSeconds: Double { Double(probeRequests) / requestsPerSecond }

    private enum CodingKeys: String, CodingKey {
        case policy, choice, setting
        case requestsPerSecond = "requests_per_s"
        case workPerSecond = "work_per_s"
        case shareRequired = "share_required"
        case probeRequests = "probe_requests"
        case stepTokens = "step_tokens"
    }
}

/// Finds the capacity of a pair: the highest Poisson rate, of the workload's own lengths, at which
/// at least 99 % of what is offered is good by the budget.
///
/// Bisection by halving and doubling from what a machine without waste could do, to 1 %. A probe
/// takes the workload's first requests in order, the first tenth of the time not counted; nothing
/// fails, and clients ask once. With one seed a probe is as noisy as its number of requests makes
/// it: about 0.2 % of the share at 5,000. Pools of more than four engines are probed with 1,250
/// requests an engine.
package struct CapacitySearch: Sendable {
    /// Opens the workload under a spacing, up to so many requests.
    package typealias Opening =
        @Sendable (ArrivalStream.PoissonSpacing, UInt64) throws(TraceFault) -> ArrivalStream

    private let scenario: Scenario
    private let requests: UInt64
    private let open: Opening

    private static let shareRequired = 0.99
    private static let requestsMax: UInt64 = 5_000
    private static let requestsPerEngine: UInt64 = 1_250
    /// Fewer requests cannot show a share of 99 %.
    package static let requestsMin: UInt64 = 100
    private static let precision = 1.01
    /// Probes below this share of the ceiling are not made: then nothing is served.
    private static let floorShare = 1.0 / 4_096

    /// Prepares a search.
    ///
    /// - Parameters:
    ///   - scenario: the world; its faults and its clients' habits are left out.
    ///   - requests: those the workload has, `.max` where it has no end; at least `requestsMin` for
    ///     an answer that means something.
    ///   - open: gives the workload anew.
    package init(scenario: Scenario, requests: UInt64, open: @escaping Opening) {
        var healthy = scenario
        healthy.faults = []
        healthy.clients = Clients()
        healthy.clients.bytesPerToken = scenario.clients.bytesPerToken
        healthy.clients.statesLimit = scenario.clients.statesLimit
        healthy.offeringNanos = nil
        healthy.capacityWork = nil
        self.scenario = healthy
        let engines = UInt64(scenario.pools[scenario.model.raw].replicas)
        self.requests = min(requests, max(Self.requestsMax, Self.requestsPerEngine * engines))
        self.open = open
    }

    /// The best of `policies`, several tried at one time; nil when none serves any rate.
    package func best(of policies: [PolicyUnderTest], atOnce: Int) async throws -> Capacity? {
        let pool = scenario.pools[scenario.model.raw]
        let meanWork = try meanWork(WorkMeasure(pool.engine))
        let ceiling = Double(max(1, pool.replicas)) / meanWork
        let rates = try await RunBatch.results(of: policies.count, atOnce: atOnce) {
            (index) throws(TraceFault) in
            try highestRate(of: policies[index], ceiling: ceiling)
        }
        var best: Capacity?
        for (policy, rate) in zip(policies, rates) where rate > best?.requestsPerSecond ?? 0 {
            best = Capacity(
                requestsPerSecond: rate, workPerSecond: rate * meanWork,
                policy: policy.policyName, choice: policy.choiceName,
                setting: policy.settingName, shareRequired: Self.shareRequired,
                probeRequests: requests, stepTokens: pool.engine.batchedTokensMax)
        }
        return best
    }

    /// Engine seconds of work of a request of the probes, on average.
    private func meanWork(_ measure: WorkMeasure) throws(TraceFault) -> Double {
        var stream = try open(ArrivalStream.PoissonSpacing(rate: 1, seed: 1), requests)
        var sum = 0.0
        var count = 0.0
        while let arrival = try stream.next() {
            sum +=
                measure.nanos(
                    inputTokens: arrival.inputTokens, outputTokens: max(1, arrival.outputTokens)
                ).total
            count += 1
        }
        return max(sum / max(count, 1), 1) / 1e9
    }

    /// The highest rate a policy serves; zero when it serves none.
    ///
    /// - Parameter ceiling: what engines that do nothing but full steps could do.
    private func highestRate(
        of policy: PolicyUnderTest, ceiling: Double
    ) throws(TraceFault) -> Double {
        var low = ceiling / 2
        var high = low
        if try serves(policy, low) {
            high *= 2
            while high < ceiling * 8, try serves(policy, high) {
                low = high
                high *= 2
            }
        } else {
            low /= 2
            while try !serves(policy, low) {
                high = low
                low /= 2
                if low < ceiling * Self.floorShare { return 0 }
            }
        }
        while high > low * Self.precision {
            let middle = (low * high).squareRoot()
            if try serves(policy, middle) { low = middle } else { high = middle }
        }
        return low
    }

    private func serves(_ policy: PolicyUnderTest, _ rate: Double) throws(TraceFault) -> Bool {
        var world = scenario
        world.monitor.scrapeNanos = policy.scrapeNanos
        world.warmUpNanos = UInt64(Double(requests) / rate * 0.1 * 1e9)
        let spacing = ArrivalStream.PoissonSpacing(rate: rate, seed: world.seed)
        let outcome = try policy.run(world, arrivals: try open(spacing, requests))
        return outcome.report.figures.goodput.share >= Self.shareRequired
    }
}
