import Foundation
import Testing
import World

/// Random worlds, every invariant checked after every event.
///
/// `PLIMSOLL_WORLDS=17,99` runs those seeds and no others; `PLIMSOLL_COMMIT`, set by scripts/test,
/// adds twenty seeds of its own to the fixed ones.
struct RandomWorldTests {
    private static let fixed: ClosedRange<UInt64> = 1...200

    /// In slices, so that the cores share them.
    static let slices: [[UInt64]] = {
        let environment = ProcessInfo.processInfo.environment
        if let words = environment["PLIMSOLL_WORLDS"] {
            return [words.split(separator: ",").compactMap { UInt64($0) }]
        }
        var seeds = Array(fixed)
        if let commit = environment["PLIMSOLL_COMMIT"].flatMap({
            UInt64($0.prefix(12), radix: 16)
        }) {
            seeds += (0..<20).map { 1_000 + commit &* 100 &+ $0 }
        }
        return stride(from: 0, to: seeds.count, by: 20).map {
            Array(seeds[$0..<min($0 + 20, seeds.count)])
        }
    }()

    @Test(
        "In random worlds under faults of every kind no invariant breaks and no request is lost",
        arguments: slices)
    func invariants(seeds: [UInt64]) throws {
        for seed in seeds {
            let world = RandomWorld(seed: seed)
            let outcome = try world.run()
            #expect(
                outcome.faults == [],
                """
                \(world.policy.policyName), \(world.policy.choiceName); replay with
                PLIMSOLL_WORLDS=\(seed) swift test --filter RandomWorldTests
                """)
        }
    }
}
