import EngineModel

/// The samples of a calibration by group, and which groups have failed.
struct CalibrationBook {
    /// Failures of a group after which it is left out.
    private static let failuresMax = 2

    private struct Entry {
        var group: CalibrationGroup
        var samples: [GroupSample] = []
        var failures = 0
        /// Why it is not asked for any more.
        var leftOut: String?
    }

    private var entries: [Entry]
    /// Failures since the last success.
    private(set) var failuresInARow = 0

    init(_ groups: [CalibrationGroup]) {
        self.entries = groups.map { Entry(group: $0) }
    }

    /// Points of a round.
    var count: Int { self.entries.count }

    /// The group at a place of the round; `nil` when it is left out.
    func group(_ index: Int) -> CalibrationGroup? {
        self.entries[index].leftOut == nil ? self.entries[index].group : nil
    }

    mutating func add(_ sample: GroupSample, at index: Int) {
        self.failuresInARow = 0
        self.entries[index].samples.append(sample)
        let isAlone = self.entries[index].group.streams == 1
        guard sample.step == nil, !isAlone else { return }
        self.fail(index, "its streams hardly decoded together")
        self.failuresInARow = 0
    }

    /// Notes that a group failed for a reason. `isTooLong`: no prompt as long as its own is sent
    /// any more.
    mutating func fail(_ index: Int, _ reason: String, isTooLong: Bool = false) {
        self.failuresInARow += 1
        self.entries[index].failures += 1
        let length = self.entries[index].group.promptTokens
        for other in self.entries.indices where self.entries[other].leftOut == nil {
            let isLonger = isTooLong && self.entries[other].group.promptTokens >= length
            let isSpent = other == index && self.entries[other].failures >= Self.failuresMax
            if isLonger || isSpent { self.entries[other].leftOut = reason }
        }
    }

    /// The medians, in the order of the round.
    func medians(into calibration: inout Calibration) {
        var repetitions: Int?
        for entry in self.entries {
            if let reason = entry.leftOut {
                // What it did before it failed is no fair sample.
                calibration.leftOut.append("\(entry.group.words): \(reason)")
                continue
            }
            guard !entry.samples.isEmpty else {
                calibration.pointsMissing += 1
                continue
            }
            repetitions = min(repetitions ?? .max, entry.samples.count)
            let firsts = entry.samples.compactMap(\.firstTokenNanos)
            if !firsts.isEmpty {
                let length = Median.of(entry.samples.map(\.promptTokens))
                calibration.prefill.append(
                    PrefillPoint(promptTokens: Int(length.rounded()), nanos: Median.of(firsts)))
            }
            let steps = entry.samples.compactMap(\.step)
            if !steps.isEmpty {
                calibration.decode.append(
                    DecodePoint(
                        sequences: entry.group.streams, kvTokens: Median.of(steps.map(\.kvTokens)),
                        nanos: Median.of(steps.map(\.nanos))))
            }
        }
        calibration.repetitionsMin = repetitions ?? 0
    }
}
