import Baselines
import RequestPath
import Testing

/// What holds for every gate with every choice, over seeded random events; a failure names its
/// seed.
@Suite struct FieldTests {
    @Test(arguments: BaselineGate.allCases, BaselineChoice.allCases)
    func `every request is answered once and only ready endpoints of its model are sent to`(
        _ gate: BaselineGate, _ choice: BaselineChoice
    ) {
        var settled = 0
        for seed in UInt64(1)...15 {
            var field = RandomField(gate, choice, seed: seed)
            field.run(steps: 600)
            #expect(field.faults == [], "\(gate) \(choice) seed \(seed)")
            #expect(field.settled == field.arrivals, "\(gate) \(choice) seed \(seed)")
            settled += field.settled
            if !field.faults.isEmpty { return }
        }
        #expect(settled > 2_000)
    }

    @Test(arguments: BaselineGate.allCases, BaselineChoice.allCases)
    func `the same seed gives the same actions`(_ gate: BaselineGate, _ choice: BaselineChoice) {
        for seed in UInt64(1)...3 {
            var first = RandomField(gate, choice, seed: seed)
            var second = RandomField(gate, choice, seed: seed)
            first.run(steps: 300)
            second.run(steps: 300)
            #expect(first.log == second.log, "seed \(seed)")
        }
    }
}
