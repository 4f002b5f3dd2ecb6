import Report
import RequestPath
import Testing
import Workload
import World

/// Who waited, who worked, and whose requests are told of, on worlds that are worked out by hand.
@Suite struct ShareTests {
    private let columns = "arrival_s,input_tokens,output_tokens,tenant"

    @Test func `only the tenant asked for is reported, though all are served`() throws {
        var scenario = HandWorld.scenario(
            tenants: [TenantPlan(name: "anonymous"), TenantPlan(name: "a"), TenantPlan(name: "b")])
        scenario.reportedTenant = TenantID(raw: 2)
        let outcome = try HandWorld.run(
            scenario, .sendsAll(), ["0,100,2,a", "0,100,2,b", "0.1,100,2,a"], columns: columns)
        #expect(outcome.report.figures.offered == 1)
        #expect(outcome.report.figures.completed == 1)
        #expect(outcome.goodputInWork.share == 1)
    }

    @Test func `the longest wait at the gateway is told, and not the time at the engine`() throws {
        var waiting: RequestID?
        let policy = HandPolicy { event, _, actions in
            switch event {
            case .arrive(let arrival) where waiting == nil: waiting = arrival.request
            case .arrive(let arrival):
                if let first = waiting { actions.send(first) }
                actions.send(arrival.request)
            default: break
            }
        }
        let outcome = try HandWorld.run(HandWorld.scenario(), policy, ["0,100,9", "0.25,100,9"])
        #expect(outcome.longestWaits == [250])
    }

    @Test func `the busiest endpoint is told by the tokens it computed over the mean`() throws {
        var count = 0
        let policy = HandPolicy { event, _, actions in
            guard case .arrive(let arrival) = event else { return }
            actions.send(arrival.request, to: count < 3 ? 0 : 1)
            count += 1
        }
        let outcome = try HandWorld.run(
            HandWorld.scenario(engines: 2), policy, (0..<4).map { _ in "0,100,2" })
        #expect(outcome.busiestEndpoint == 1.5)
    }
}
