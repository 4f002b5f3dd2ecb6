/// The engine's queue: slots of the slab, linked in order, so that leaving from the middle is O(1).
struct WaitingList: Sendable {
    private(set) var first: Int32 = -1
    private var last: Int32 = -1
    private(set) var count = 0

    /// Puts a new arrival at the end.
    mutating func append(_ slot: Int32, in slab: inout [HeldSequence]) {
        slab[Int(slot)].previous = last
        slab[Int(slot)].next = -1
        if last == -1 { first = slot } else { slab[Int(last)].next = slot }
        last = slot
        count += 1
    }

    /// Puts a preempted sequence at the front.
    mutating func prepend(_ slot: Int32, in slab: inout [HeldSequence]) {
        slab[Int(slot)].previous = -1
        slab[Int(slot)].next = first
        if first == -1 { last = slot } else { slab[Int(first)].previous = slot }
        first = slot
        count += 1
    }

    /// Takes a slot out, wherever it is.
    mutating func remove(_ slot: Int32, in slab: inout [HeldSequence]) {
        let previous = slab[Int(slot)].previous
        let next = slab[Int(slot)].next
        if previous == -1 { first = next } else { slab[Int(previous)].next = next }
        if next == -1 { last = previous } else { slab[Int(next)].previous = previous }
        count -= 1
    }
}
