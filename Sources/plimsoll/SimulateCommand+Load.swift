import Report
import RequestPath
import Workload
import World

extension SimulateCommand {
    /// What a load is scaled by.
    struct Basis {
        var scenario: Scenario
        var survey: WorkloadSurvey
        var policies: [PolicyUnderTest]
        var threads: Int

        init(
            _ scenario: Scenario, _ survey: WorkloadSurvey, _ policies: [PolicyUnderTest],
            seed: UInt64, threads: Int
        ) {
            self.scenario = scenario
            self.scenario.seed = seed
            self.survey = survey
            self.policies = policies
            self.threads = threads
        }
    }

    /// Brings the load to the rate asked for; says what is offered and of what capacity.
    static func scale(
        _ load: inout SimulatedLoad, _ arguments: Arguments, _ basis: Basis
    ) throws -> OfferedLoad {
        let rate = load.meanRate(basis.survey)
        let wanted = try arguments.decimal("--rate")
        let factor = try arguments.decimal("--load-factor")
        var offered = OfferedLoad(basis.survey)
        offered.requestsPerSecond = rate
        let isStationary = try Self.isStationary(arguments)
        if isStationary { load.poissonRate = rate }
        if factor == nil, arguments.has("--scaler") {
            offered.capacity = Self.capacityForScaling(load, arguments, basis)
        }
        guard wanted != nil || factor != nil else { return offered }
        guard let rate else { throw UsageError("the load has no rate to scale: it is one moment") }
        var target = wanted ?? rate
        if let factor {
            guard wanted == nil else { throw UsageError("give --load-factor or --rate, not both") }
            let capacity = try Self.capacity(load, arguments, basis)
            offered.capacity = capacity
            offered.factor = factor
            target = capacity.requestsPerSecond * factor
        }
        offered.requestsPerSecond = target
        load.scale(by: target / rate)
        if isStationary { load.poissonRate = target }
        return offered
    }

    /// What a replica serves, so that scalers begin with the truth; nil where the load is too short
    /// to find it.
    static func capacityForScaling(
        _ load: SimulatedLoad, _ arguments: Arguments, _ basis: Basis
    ) -> Capacity? {
        do {
            return try Self.capacity(load, arguments, basis)
        } catch {
            let reason = (error as? UsageError)?.message ?? "\(error)"
            Console.note(
                "plimsoll simulate: what a replica serves is not known, and learned from a guess: "
                    + reason)
            return nil
        }
    }

    /// Whether arrivals are to be spaced anew, as those of the search for capacity are.
    private static func isStationary(_ arguments: Arguments) throws(UsageError) -> Bool {
        switch arguments.text("--spacing") {
        case nil, "trace": return false
        case "poisson": return true
        case let word?: throw UsageError("--spacing '\(word)' is none of trace, poisson")
        }
    }

    private static func capacity(
        _ load: SimulatedLoad, _ arguments: Arguments, _ basis: Basis
    ) throws -> Capacity {
        let requests = load.isEndless ? .max : basis.survey.requests
        guard requests >= CapacitySearch.requestsMin else {
            throw UsageError(
                "--load-factor: \(requests) requests are too few to show a share of 99 %; the load "
                    + "needs at least \(CapacitySearch.requestsMin)")
        }
        let search = CapacitySearch(scenario: basis.scenario, requests: requests) {
            (spacing, requests) throws(TraceFault) in
            try load.open(spacing, requests: requests)
        }
        if let known = try arguments.decimal("--capacity") {
            return try search.given(requestsPerSecond: known)
        }
        let found = try Blocking.wait {
            try await search.best(of: basis.policies, atOnce: basis.threads)
        }
        if let found {
            try Self.requireLength(found, basis.scenario)
            return found
        }
        let alone = basis.survey.unloaded[0].figures
        throw UsageError(
            "--load-factor: the pair has no capacity: at no rate are 99 % of the requests inside "
                + "the budget; alone on an idle engine "
                + Wording.percent(alone.good, of: alone.offered) + " of them are")
    }

    /// A load that is over before its first request is late would be served at any rate.
    private static func requireLength(
        _ capacity: Capacity, _ scenario: Scenario
    ) throws(UsageError) {
        let planned = scenario.plan.models[scenario.model.raw].classes[scenario.defaultClass]
        let bound = Double(planned.planNanos) / 1e9
        guard capacity.probeSeconds < 10 * bound else { return }
        let rate = Wording.fixed(capacity.requestsPerSecond, 1)
        throw UsageError(
            "--load-factor: the load is too short to find the capacity: at \(rate) requests a "
                + "second its \(Wording.grouped(capacity.probeRequests)) requests come within "
                + "\(Wording.duration(millis: capacity.probeSeconds * 1_000)), less than ten times "
                + "the TTFT bound of \(Wording.duration(millis: bound * 1_000))")
    }
}
