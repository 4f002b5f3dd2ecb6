import Report
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
        var offered = OfferedLoad(
            requestsPerSecond: rate, unloaded: basis.survey.unloaded[0].figures.ttft)
        if let factor {
            guard wanted == nil else { throw UsageError("give --load-factor or --rate, not both") }
            let capacity = try Self.capacity(load, basis)
            offered.capacity = capacity
            offered.factor = factor
            offered.requestsPerSecond = capacity.requestsPerSecond * factor
        } else if let wanted {
            offered.requestsPerSecond = wanted
        }
        guard wanted != nil || factor != nil else { return offered }
        guard rate > 0 else { throw UsageError("the load has no rate to scale: it is one moment") }
        load.scale(by: offered.requestsPerSecond / rate)
        return offered
    }

    private static func capacity(_ load: SimulatedLoad, _ basis: Basis) throws -> Capacity {
        let search = CapacitySearch(scenario: basis.scenario, survey: basis.survey) {
            (spacing, requests) throws(TraceFault) in
            try load.open(spacing, requests: requests)
        }
        let found = try Blocking.wait {
            try await search.best(of: basis.policies, atOnce: basis.threads)
        }
        if let found { return found }
        let alone = basis.survey.unloaded[0].figures
        throw UsageError(
            "--load-factor: the pair has no capacity: at no rate are 99 % of the requests inside "
                + "the budget; alone on an idle engine "
                + Wording.percent(alone.good, of: alone.offered) + " of them are")
    }
}
