import Report
import Time

/// The clairvoyant bound of a workload: the most work that any policy could do inside the requests'
/// bounds at a given capacity.
///
/// A server that knows every arrival may work on any request at any moment, on several at once and
/// on parts of one. Each request is two pieces of work: its prefill must be done between its
/// arrival and its TTFT bound, its decode between its arrival and the last moment a good answer may
/// end (`GoodBounds.lastEndNanos`). The server always works on the piece that ends first and lets
/// go of what has ended:
///
///     served = capacity * time the server is busy
///
/// No order does more: it is the greedy maximum matching of units of work to units of time in a
/// convex bipartite graph (F. Glover, "Maximum matching in a convex bipartite graph", Naval
/// Research Logistics Quarterly 14, 1967), the units so small that they are fluid. A policy cannot
/// split a request over engines, gets nothing for a part of one and does not know what comes: it
/// can only do less, as long as its engines do no more than the capacity.
///
/// - Complexity: O(n log n) for n requests in the order of their arrival. Memory follows the work
///   that waits and has not ended: at most that of one busy period.
package struct FluidServer: Sendable {
    private struct Piece {
        var until: UInt64
        /// Engine nanoseconds that are left of it.
        var work: Double
    }

    /// Engine nanoseconds of work a nanosecond.
    private let rate: Double
    private var now: UInt64 = 0
    /// The part of a nanosecond that the server has worked past `now`.
    private var ahead = 0.0
    /// A heap: the first ends first.
    private var pieces: [Piece] = []
    /// Engine nanoseconds of work that were done in time.
    package private(set) var served = 0.0

    /// An idle server.
    ///
    /// - Parameter rate: engine seconds of work a second, above zero.
    package init(rate: Double) {
        self.rate = rate
    }

    /// Pieces of work that wait.
    package var waiting: Int { pieces.count }

    /// Work comes and may be done until an instant. Arrivals must come in order.
    ///
    /// - Parameters:
    ///   - work: engine nanoseconds.
    ///   - from: when it comes, in nanoseconds.
    ///   - until: when it is worth nothing any more; `.max` for never.
    package mutating func add(work: Double, from: UInt64, until: UInt64) {
        advance(to: from)
        guard work > 0, until > from else { return }
        insert(Piece(until: until, work: work))
    }

    /// Works until nothing is left that can be done in time.
    package mutating func finish() {
        advance(to: .max)
    }

    private mutating func advance(to instant: UInt64) {
        while now < instant, let first = pieces.first {
            guard first.until > now else {
                removeFirst()
                continue
            }
            let end = min(instant, first.until)
            let time = Double(end - now) - ahead
            let possible = time * rate
            if first.work <= possible {
                served += first.work
                // Whole nanoseconds move the clock, so that it stays exact over any length.
                let worked = min(ahead + first.work / rate, 0x1p63)
                let whole = min(UInt64(worked), end - now)
                now += whole
                ahead = worked - Double(whole)
                removeFirst()
            } else {
                served += max(0, possible)
                pieces[0].work -= max(0, possible)
                now = end
                ahead = 0
            }
        }
        if now < instant {
            now = instant
            ahead = 0
        }
    }

    private mutating func insert(_ piece: Piece) {
        pieces.append(piece)
        var child = pieces.count - 1
        while child > 0, piece.until < pieces[(child - 1) / 2].until {
            pieces[child] = pieces[(child - 1) / 2]
            child = (child - 1) / 2
        }
        pieces[child] = piece
    }

    private mutating func removeFirst() {
        guard let last = pieces.popLast(), !pieces.isEmpty else { return }
        var parent = 0
        while parent * 2 + 1 < pieces.count {
            var child = parent * 2 + 1
            if child + 1 < pieces.count, pieces[child + 1].until < pieces[child].until {
                child += 1
            }
            guard pieces[child].until < last.until else { break }
            pieces[parent] = pieces[child]
            parent = child
        }
        pieces[parent] = last
    }
}

extension FluidServer {
    /// A request's two pieces of work, at its arrival.
    ///
    /// - Parameter streams: whether the answer is judged token by token, or by its end alone.
    mutating func add(
        _ work: WorkMeasure.Work, of request: LiveRequest, _ bounds: GoodBounds, streams: Bool
    ) {
        let from = request.offeredAt
        let output = UInt64(request.outputWanted)
        let last = streams ? bounds.lastEndNanos(outputTokens: output) : bounds.e2eNanos
        let first = min(streams ? bounds.ttftNanos ?? .max : .max, last ?? .max)
        add(work: work.prefill, from: from.nanos, until: from.advanced(byNanos: first).nanos)
        add(
            work: work.decode, from: from.nanos,
            until: from.advanced(byNanos: last ?? .max).nanos)
    }
}
