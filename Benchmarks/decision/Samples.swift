/// Nanoseconds of every step, by the event it was told.
struct Samples {
    enum Kind: String, CaseIterable {
        case arrive, firstToken, progress, finish
    }

    private var nanos: [[UInt32]]

    /// Room for the steps of so many requests, so that nothing grows while it is measured.
    init(requests: Int) {
        nanos = Kind.allCases.map { _ in
            var room: [UInt32] = []
            room.reserveCapacity(requests)
            return room
        }
    }

    mutating func add(_ duration: Duration, _ kind: Kind) {
        let index = Kind.allCases.firstIndex(of: kind) ?? 0
        nanos[index].append(UInt32(clamping: duration.components.attoseconds / 1_000_000_000))
    }

    /// All steps together as `step`, then each kind.
    func json(queued: Int) -> String {
        let all = [("step", nanos.flatMap { $0 })]
        let each = zip(Kind.allCases, nanos).map { ($0.rawValue, $1) }
        let members = (all + each).map { name, values in
            "\"\(name)\": \(Self.figures(values.sorted()))"
        }
        return "{\"queued\": \(queued), \(members.joined(separator: ", "))}"
    }

    private static func figures(_ sorted: [UInt32]) -> String {
        guard !sorted.isEmpty else { return "null" }
        func at(_ perMille: Int) -> UInt32 { sorted[(sorted.count - 1) * perMille / 1_000] }
        let mean = sorted.reduce(0.0) { $0 + Double($1) } / Double(sorted.count)
        return "{\"count\": \(sorted.count), \"mean_ns\": \(mean.rounded()), "
            + "\"p50_ns\": \(at(500)), \"p99_ns\": \(at(990)), \"p999_ns\": \(at(999))}"
    }
}
