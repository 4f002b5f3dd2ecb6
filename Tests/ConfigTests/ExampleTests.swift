import Budget
import Config
import Testing

@Suite struct ExampleTests {
    private let second: UInt64 = 1_000_000_000

    @Test func `a budget that uses every field is accepted as a whole`() throws {
        let configuration = try accepted(wholeBudget)
        #expect(configuration.models.map(\.name) == ["chat-8b", "chat-1b"])
        #expect(configuration.tenants.map(\.name) == ["search-team"])
        #expect(configuration.pools.map(\.name) == ["h100"])
    }

    @Test func `the bundled example is accepted and holds what it says`() throws {
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let result = Configuration.load(paths: ["/\(root)/examples"])
        guard case .accepted(let configuration, let warnings) = result else {
            Issue.record("\(CheckReport(result).lines)")
            return
        }
        #expect(warnings.isEmpty)
        let model = try #require(configuration.model(named: "chat"))
        #expect(model.name == "chat-8b")
        #expect(model.engine.kind == .simulated)
        #expect(model.classes.map(\.name) == ["interactive", "standard", "batch"])
        #expect(model.defaultClassIndex == 1)
        let bounds = model.bounds(of: model.classes[0])
        #expect(bounds.timeToFirstTokenNanos == 2 * self.second)
        #expect(bounds.deadlineNanos == 4 * self.second)
        #expect(bounds.interTokenNanos == 80_000_000)
        #expect(model.overload.degrade == [.cap(outputTokens: 256), .cap(outputTokens: 64)])
    }
}
