import RequestPath
import Testing

/// The index of room against a look at every endpoint.
@Suite struct RoomIndexTests {
    typealias Tokens = RoomIndex.Tokens

    @Test(arguments: UInt64(1)...40)
    func `what it finds is what a look at every place finds`(_ seed: UInt64) {
        var random = SmallRandom(seed: seed)
        var index = RoomIndex()
        var places: [Tokens] = []
        // Few values, so that many are equal and just enough.
        let most = 1 + random.below(6)
        let largest = 1 + random.below(100)
        for step in 0..<600 {
            let place = random.below(min(largest, places.count + 1))
            let left = Self.tokens(upTo: most, &random)
            if place == places.count { places.append(left) } else { places[place] = left }
            index.set(place, left)
            let need = Self.tokens(upTo: most, &random)
            let from = random.below(places.count)
            let range = from..<(from + 1 + random.below(places.count - from))
            let expected = range.first {
                places[$0].prefill >= need.prefill && places[$0].context >= need.context
            }
            #expect(index.first(in: range, with: need) == expected, "seed \(seed), step \(step)")
        }
    }

    @Test func `with room nowhere it finds nothing and with room anywhere all of it`() {
        var index = RoomIndex()
        let one = Tokens(prefill: 1, context: 1)
        #expect(index.first(in: 0..<1, with: one) == nil)
        for place in 0..<100 { index.set(place, .any) }
        for place in 0..<100 { #expect(index.first(in: place..<100, with: .any) == place) }
        index.removeAll()
        #expect(index.first(in: 0..<100, with: one) == nil)
        index.set(99, one)
        #expect(index.first(in: 0..<100, with: one) == 99)
        #expect(index.first(in: 0..<99, with: one) == nil)
    }

    private static func tokens(upTo most: Int, _ random: inout SmallRandom) -> Tokens {
        Tokens(
            prefill: UInt32(random.below(most + 1)), context: UInt32(random.below(most + 1)))
    }
}
