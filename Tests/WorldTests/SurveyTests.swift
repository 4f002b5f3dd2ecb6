import EngineModel
import Report
import RequestPath
import Statistics
import Testing
import Workload
import World

/// What is said of a workload before any run: names nobody knows, rates, the budget of a pair.
@Suite struct SurveyTests {
    private func survey(
        _ rows: [String], columns: String = "arrival_s,input_tokens,output_tokens",
        engine: EngineConfiguration = HandWorld.engine()
    ) throws -> WorkloadSurvey {
        try WorkloadSurvey(
            HandWorld.arrivals(rows, columns: columns), scenario: HandWorld.scenario(),
            engines: [engine])
    }

    @Test func `the rate of a trace is its gaps over their time`() throws {
        #expect(try survey(["10,100,1", "12,100,1", "14,100,1"]).meanRate == 0.5)
    }

    @Test func `a trace of one request, or of one moment, has no rate`() throws {
        #expect(try survey(["3,100,1"]).meanRate == nil)
        #expect(try survey(["3,100,1", "3,100,1"]).meanRate == nil)
    }

    @Test func `a run of one moment lasts until it is answered`() throws {
        let outcome = try HandWorld.run(HandWorld.scenario(), .sendsAll(), ["3,100,50"])
        #expect(outcome.report.durationNanos == HandWorld.second / 2)
        #expect(outcome.report.figures.good == 1)
        #expect(outcome.gpuSeconds == 1)
    }

    @Test func `a drawn load is offered for as long as was asked for`() throws {
        var scenario = HandWorld.scenario()
        scenario.offeringNanos = 10 * HandWorld.second
        let outcome = try HandWorld.run(scenario, .sendsAll(), ["0,100,1", "1,100,1"])
        #expect(outcome.report.durationNanos == 10 * HandWorld.second)
    }

    @Test func `classes and tenants that the budget does not know are named and counted`() throws {
        let columns = "arrival_s,input_tokens,output_tokens,tenant,class"
        let found = try survey(
            [
                "0,100,1,acme,standard", "0,100,1,anonymous,gold", "0,100,1,acme,gold",
                "0,100,1,,",
            ], columns: columns
        ).unknown
        #expect(found.classes.ordered["gold"] == 2)
        #expect(found.classes.ordered["standard"] == 0)
        #expect(found.tenants.ordered["acme"] == 2)
        #expect(found.servedInClass == "standard")
        let warning = try #require(found.warning)
        #expect(warning.contains("'gold' 2") && warning.contains("'acme' 2"))
        #expect(!warning.contains("\n"))
        #expect(try survey(["0,100,1"]).unknown.warning == nil)
    }

    @Test func `the budget of a pair is twice what idle engines and half a batch take`() throws {
        // Prompts of one to ten steps of 10 ms, one answer in a hundred longer than the rest.
        let rows = (0..<200).map { "\($0),\($0 < 190 ? 500 : 9_500),100" }
        var engine = HandWorld.engine()
        engine.sequencesMax = 64
        engine.cost.step.perSequence = 1_000_000
        let found = try survey(rows, engine: engine)
        let budget = try #require(PairBudget(found, engine: engine))
        // The p99 prompt takes ten steps, which the histogram knows to 0.8 %.
        #expect((198...203).contains(budget.ttftNanos / HandWorld.millisecond))
        #expect(budget.deadlineNanos == 2 * budget.ttftNanos)
        #expect(budget.halfBatch == 32)
        #expect(budget.itlNanos == 2 * (10 + 32) * HandWorld.millisecond)
        let model = budget.model(named: "m")
        #expect(model.ladder == [] && model.classes.count == 1)
        #expect(model.interTokenBoundNanos == budget.itlNanos)
        #expect(budget.objectives.goodBounds(of: "standard").ttftNanos == budget.ttftNanos)
    }

    @Test func `half a batch is no more than half of what KV memory holds`() throws {
        var engine = HandWorld.engine()
        engine.kvBlocks = 100
        let found = try survey(["0,300,100"], engine: engine)
        // 1,600 tokens hold four such requests.
        #expect(PairBudget(found, engine: engine)?.halfBatch == 2)
    }
}
