/// Counts by name, kept in the order of names, so that a report is the same whatever came first.
///
/// Names are bounded: once `namesMax` are known, further ones count as `other`.
package struct NamedCounts: Sendable, Hashable {
    struct Entry: Sendable, Hashable {
        var name: String
        var count: UInt64
    }

    static let other = "other"
    private(set) var entries: [Entry] = []
    private let namesMax: Int

    /// Nothing counted yet; at most `namesMax` names are told apart.
    package init(namesMax: Int) {
        self.namesMax = namesMax
    }

    /// Everything counted, under whatever name.
    package var total: UInt64 { entries.reduce(0) { $0.adding($1.count) } }

    /// Counts under a name, staying at the largest number.
    ///
    /// - Complexity: O(log names), O(names) for a new one.
    package mutating func add(_ name: String, _ amount: UInt64 = 1) {
        let position = index(of: name)
        if position < entries.count, entries[position].name == name {
            entries[position].count.add(amount)
        } else if entries.count < namesMax || name == Self.other {
            entries.insert(Entry(name: name, count: amount), at: position)
        } else {
            add(Self.other, amount)
        }
    }

    mutating func add(_ others: NamedCounts) {
        for entry in others.entries { add(entry.name, entry.count) }
    }

    /// Where `name` is or belongs, by bisection.
    private func index(of name: String) -> Int {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].name < name { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The counts for a report.
    package var ordered: OrderedCounts {
        OrderedCounts(
            entries: entries.map { OrderedCounts.Entry(name: $0.name, count: $0.count) })
    }
}
