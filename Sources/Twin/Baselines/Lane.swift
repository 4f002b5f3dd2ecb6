/// Requests in the order in which they joined: a list linked through the request book.
struct Lane: Sendable {
    private(set) var head: Int32 = -1
    private(set) var tail: Int32 = -1
    private(set) var count = 0
    /// Body bytes of all in it.
    private(set) var bytes: UInt64 = 0

    /// The slot that joined first.
    var first: Int? { self.head >= 0 ? Int(self.head) : nil }

    /// The slot that joined last.
    var last: Int? { self.tail >= 0 ? Int(self.tail) : nil }

    /// Adds a slot that is in no lane.
    mutating func append(_ slot: Int, in book: inout RequestBook) {
        book[slot].previous = self.tail
        book[slot].next = -1
        if self.tail >= 0 {
            book[Int(self.tail)].next = Int32(slot)
        } else {
            self.head = Int32(slot)
        }
        self.tail = Int32(slot)
        self.count += 1
        self.bytes += UInt64(book[slot].bodyBytes)
    }

    /// Takes out a slot that is in this lane.
    mutating func remove(_ slot: Int, in book: inout RequestBook) {
        let previous = book[slot].previous
        let next = book[slot].next
        if previous >= 0 {
            book[Int(previous)].next = next
        } else {
            self.head = next
        }
        if next >= 0 {
            book[Int(next)].previous = previous
        } else {
            self.tail = previous
        }
        self.count -= 1
        self.bytes -= UInt64(book[slot].bodyBytes)
    }

    /// Whether what it says of itself is what the links say; for audits.
    func isSound(in book: RequestBook) -> Bool {
        var requests = 0
        var bytes: UInt64 = 0
        var slot = self.head
        while slot >= 0, requests <= self.count {
            requests += 1
            bytes += UInt64(book[Int(slot)].bodyBytes)
            slot = book[Int(slot)].next
        }
        return requests == self.count && bytes == self.bytes
    }
}
