import Testing

@testable import RequestPath

/// Accounts of how many requests may be slower than a lower quantile's bound.
@Suite struct QuantileToleranceTests {
    private let second = 1_000_000_000.0

    @Test func `no more than the written share is let above a bound, whatever is asked`() {
        var tolerance = QuantileTolerance([QuantileBound(quantile: 0.95, nanos: 1_000_000_000)])
        var above = 0
        for _ in 0..<10_000 {
            let wanted = 1.5 * self.second
            let broken = tolerance.boundBroken(by: wanted)
            #expect(broken == nil || broken == self.second)
            if broken == nil { above += 1 }
            tolerance.admit(broken == nil ? wanted : 0.9 * self.second)
        }
        #expect(above > 300 && above <= 500)
    }

    @Test func `the lowest bound that is used up is named`() {
        var tolerance = QuantileTolerance([
            QuantileBound(quantile: 0.95, nanos: 2_000_000_000),
            QuantileBound(quantile: 0.5, nanos: 1_000_000_000),
        ])
        for _ in 0..<200 { tolerance.admit(1.5 * self.second) }
        #expect(tolerance.boundBroken(by: 1.5 * self.second) == self.second)
        #expect(tolerance.boundBroken(by: 0.5 * self.second) == nil)
    }

    @Test func `what came in below a bound is not counted above it`() {
        var tolerance = QuantileTolerance([QuantileBound(quantile: 0.5, nanos: 1_000_000_000)])
        for _ in 0..<10_000 {
            #expect(tolerance.boundBroken(by: 1.5 * self.second) == nil)
            tolerance.admit(1.5 * self.second)
            tolerance.settle(planned: 1.5 * self.second, actual: 0.8 * self.second)
        }
        // And the other way round: what was late after all is paid for.
        for _ in 0..<10_000 {
            tolerance.admit(0.8 * self.second)
            tolerance.settle(planned: 0.8 * self.second, actual: 1.5 * self.second)
        }
        #expect(tolerance.boundBroken(by: 1.5 * self.second) == self.second)
    }

    @Test func `quiet time is saved up only so far`() {
        var tolerance = QuantileTolerance([QuantileBound(quantile: 0.95, nanos: 1_000_000_000)])
        for _ in 0..<1_000_000 { tolerance.admit(0.1 * self.second) }
        var above = 0
        while tolerance.boundBroken(by: 2 * self.second) == nil {
            tolerance.admit(2 * self.second)
            above += 1
        }
        #expect(above <= 100)
    }
}
