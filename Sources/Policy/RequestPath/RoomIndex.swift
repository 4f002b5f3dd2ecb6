/// Where in a pool there is room: a binary tree over the places of its endpoints. A node holds the
/// most that any endpoint below it has left, so that all of them are passed over at once where none
/// has enough: in a saturated pool of a thousand some twenty nodes say that there is no room.
///
/// An endpoint with room is never passed over. One that is found may still lack it, where what a
/// request needs depends on the endpoint: the caller looks at the endpoint itself.
///
/// It holds sixteen bytes for each place, up to the next power of two. It grows with the pool and
/// never shrinks: it allocates nothing once the pool is as large as it ever will be.
package struct RoomIndex: Sendable, Equatable {
    /// Tokens that an endpoint may still be sent, or that a request needs.
    package struct Tokens: Sendable, Equatable {
        package var prefill: UInt32
        package var context: UInt32

        package init(prefill: UInt32, context: UInt32) {
            self.prefill = prefill
            self.context = context
        }

        /// An endpoint that takes nothing, and one that takes any request.
        package static let none = Tokens(prefill: 0, context: 0)
        package static let any = Tokens(prefill: .max, context: .max)

        fileprivate func covers(_ need: Tokens) -> Bool {
            self.prefill >= need.prefill && self.context >= need.context
        }
    }

    /// The root is 1, below `node` are `2 * node` and the one behind it; the last half are the
    /// places in order.
    private var nodes = [Tokens.none, Tokens.none]

    private var placesMax: Int { self.nodes.count / 2 }

    /// Has room nowhere.
    package init() {}

    /// Sets what the endpoint at a place has left.
    ///
    /// - Complexity: O(log endpoints); O(endpoints) when it grows.
    package mutating func set(_ place: Int, _ left: Tokens) {
        while self.placesMax <= place { self.grow() }
        var node = self.placesMax + place
        self.nodes[node] = left
        while node > 1 {
            node /= 2
            let most = self.most(below: node)
            if self.nodes[node] == most { return }
            self.nodes[node] = most
        }
    }

    /// The first place of a range whose endpoint has as much left as a request needs.
    ///
    /// - Complexity: O(log endpoints); O(endpoints) at worst, where some lack only prefill tokens
    ///   and others only context.
    package func first(in places: Range<Int>, with need: Tokens) -> Int? {
        guard places.lowerBound < self.placesMax else { return nil }
        let end = self.placesMax + places.upperBound
        var node = self.placesMax + places.lowerBound
        while true {
            if self.nodes[node].covers(need) {
                if node >= self.placesMax { return node < end ? node - self.placesMax : nil }
                node *= 2
                continue
            }
            // What is below the node is done with: up while that was the last below its parent,
            // then to the neighbour.
            while node & 1 == 1 { node /= 2 }
            if node == 0 { return nil }
            node += 1
        }
    }

    /// There is room nowhere; the memory is kept.
    package mutating func removeAll() {
        for node in self.nodes.indices { self.nodes[node] = .none }
    }

    private func most(below node: Int) -> Tokens {
        let left = self.nodes[2 * node]
        let right = self.nodes[2 * node + 1]
        return Tokens(
            prefill: max(left.prefill, right.prefill), context: max(left.context, right.context))
    }

    private mutating func grow() {
        let places = self.nodes[self.placesMax...]
        var larger = Array(repeating: Tokens.none, count: self.nodes.count)
        larger += places
        larger += Array(repeating: Tokens.none, count: places.count)
        self.nodes = larger
        for node in stride(from: self.placesMax - 1, through: 1, by: -1) {
            self.nodes[node] = self.most(below: node)
        }
    }
}
