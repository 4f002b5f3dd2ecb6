import EngineModel
import Scalers
import Scaling
import Testing
import Workload
import World

/// Replicas that need GPUs of nodes, which are provided and given back.
@Suite struct NodePoolTests {
    private static let second: UInt64 = 1_000_000_000

    private func run(
        nodesMax: Int = 8, fetch: UInt64 = 0, provisioning: UInt64 = 120
    ) throws -> RunOutcome {
        var scenario = ClusterTests.scenario(
            .plimsoll, replicas: 2,
            lead: Cluster.LeadTime(p50Nanos: 30 * Self.second, p99Nanos: 0))
        scenario.auditEvery = 0
        scenario.cluster?.plan.stabilizationNanos = 30 * Self.second
        let time = Cluster.LeadTime(p50Nanos: provisioning * Self.second, p99Nanos: 0)
        scenario.cluster?.nodes = NodePool(
            gpusPerNode: 4, gpusPerReplica: 2, nodesMin: 1, nodesMax: nodesMax,
            provisioning: time, fetchNanos: fetch * Self.second)
        var transform = ArrivalStream.Transform()
        transform.durationNanos = 900 * Self.second
        let spec = GeneratorSpec(
            process: .step(rate: 4, peak: 30, atSeconds: 60, forSeconds: 400),
            input: LengthRange(500, 1_500), output: LengthRange(20, 180))
        return try PolicyUnderTest.plimsoll.run(
            scenario, arrivals: ArrivalStream(spec: spec, seed: 1, transform: transform))
    }

    @Test func `a replica without a node waits for one, and the first of a node for its weights`()
        throws
    {
        let near = try #require(try self.run(provisioning: 10).scaling)
        let far = try #require(try self.run(provisioning: 200).scaling)
        let fetching = try #require(try self.run(fetch: 200, provisioning: 10).scaling)
        #expect(near.nodesMost ?? 0 > 2)
        #expect(near.refused == 0)
        #expect(far.shortSeconds > near.shortSeconds + 100)
        #expect(fetching.shortSeconds > near.shortSeconds + 100)
    }

    @Test func `a pool that is full gives no more, and the rest is held all the same`() throws {
        let outcome = try self.run(nodesMax: 2)
        let scaling = try #require(outcome.scaling)
        #expect(outcome.faults == [])
        #expect(scaling.nodesMost == 2)
        #expect(scaling.most == 4)
        #expect(scaling.refused > 0)
    }

    @Test func `nodes are paid for whole, and given back when they have been empty`() throws {
        let outcome = try self.run()
        let most = Double(try #require(outcome.scaling?.nodesMost))
        // Four GPUs of the largest fleet all the time would be the price of never giving back.
        #expect(outcome.gpuSeconds < 0.98 * most * 4 * 900)
        #expect(outcome.gpuSeconds > 4 * 900)
    }
}
