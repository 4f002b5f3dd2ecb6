import Budget
import Config
import Testing

/// A small generator (SplitMix64, Steele et al. 2014), so that a seed replays a failure.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

@Suite struct MutationTests {
    private static let fragments = [
        "&a ", "*a", "!!str ", "\t", "{", "}", "[", "]", ": ", "- ", "#", "\"", "'", "|\n", "---\n",
        "%", "? ", "~", "0", "99999999999999999999", "ms", "%\n", "\0", "\u{2028}", "<<: ", "\n",
    ]

    @Test(
        "a damaged budget is sound or refused with places inside it, and never a crash",
        arguments: 0..<8 as Range<UInt64>)
    func damage(seed: UInt64) {
        var random = SplitMix64(state: seed)
        for round in 0..<250 {
            var bytes = Array(wholeBudget.utf8)
            for _ in 0...Int.random(in: 0..<4, using: &random) {
                Self.damage(&bytes, &random)
            }
            let lines = bytes.count { $0 == 0x0A || $0 == 0x0D } + 1
            guard case .refused(let found) = Configuration.parse(bytes: bytes, fileName: "f")
            else { continue }
            let areInside = found.allSatisfy {
                (1...lines).contains($0.line) && (1...(bytes.count + 1)).contains($0.column)
            }
            let areSorted = zip(found, found.dropFirst()).allSatisfy {
                ($0.line, $0.column) <= ($1.line, $1.column)
            }
            if found.isEmpty || !areInside || !areSorted {
                Issue.record("seed \(seed), round \(round): \(found.map(\.text))")
            }
        }
    }

    private static func damage(_ bytes: inout [UInt8], _ random: inout SplitMix64) {
        guard !bytes.isEmpty else { return }
        let place = Int.random(in: 0..<bytes.count, using: &random)
        let end = min(bytes.count, place + Int.random(in: 1..<40, using: &random))
        switch Int.random(in: 0..<6, using: &random) {
        case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes.removeSubrange(place..<end)
        case 2: bytes.insert(contentsOf: bytes[place..<end], at: place)
        case 3:
            let fragment = Self.fragments[Int.random(in: Self.fragments.indices, using: &random)]
            bytes.insert(contentsOf: fragment.utf8, at: place)
        case 4: bytes.removeSubrange(place...)
        default: bytes.swapAt(place, Int.random(in: 0..<bytes.count, using: &random))
        }
    }
}
