import RequestPath
import Statistics
import Time

/// SMG's priority scheduler: a request is a slot, whatever its size.
///
/// Slots are pooled over all models. A class may not take slots that a higher one has reserved and
/// not used; a class that may preempt takes the slot of a lower one, the newest of the lowest,
/// that has no byte yet; else the request waits, first come first served in its class. A slot that
/// comes free goes to the head of a class that has waited past its starvation threshold, lowest
/// class first, and else to the highest class that has one waiting. Every five seconds (the least
/// threshold) heads are looked at again. What waits too long is refused.
///
/// Chosen where the published behaviour is not plain: the slot of a preempted request goes to the
/// one it was taken for if reservations let it, at once instead of by a poll of 2 ms; a preempted
/// request is aborted. Reservations of classes that no model has are not kept: their slots would
/// only lie idle. SMG does not start where reservations exceed the slots, so that it does not lock
/// out the classes without one, and scales them down together when slots are lost later. Here they
/// are scaled from the start, and to 5/6 of the slots at most: as on three workers, the fewest that
/// hold the published 160 of 192, so that the default class has slots on every pool.
/// Circuit breakers are left out: readiness comes first in every scenario here.
/// Source: SMG, `middleware/scheduler` (`engine.rs`, `slots.rs`, `config.rs`),
/// `worker/capacity.rs`, `routers/retry.rs`.
struct SlotClassGate: Gate {
    /// The four classes of the field, highest first.
    enum Rank: Int {
        case system, interactive, standard, bulk

        /// A plan's classes by their order: the lowest of several is bulk, the highest
        /// interactive, above which system stands from four classes on; the rest is what requests
        /// without a class get.
        init(classIndex: Int, of count: Int) {
            if count == 1 {
                self = .standard
            } else if classIndex == count - 1 {
                self = .bulk
            } else if count >= 4, classIndex == 0 {
                self = .system
            } else {
                self = classIndex == (count >= 4 ? 1 : 0) ? .interactive : .standard
            }
        }
    }

    private(set) var due: Instant?
    private var waiting: InlineArray<4, Lane> = InlineArray(repeating: Lane())
    /// In flight without a byte, the oldest first.
    private var unanswered: InlineArray<4, Lane> = InlineArray(repeating: Lane())
    private var used: InlineArray<4, Int> = InlineArray(repeating: 0)
    private var reserved: InlineArray<4, Int> = InlineArray(repeating: 0)
    private var capacity = 0
    private var ranks: [[Int32]]
    private var random: SeededRandom
    private let knobs: BaselineKnobs.Slots
    private let agePeriodNanos: UInt64

    init(plan: Plan, seed: UInt64, knobs: BaselineKnobs) {
        self.knobs = knobs.slots
        self.ranks = Self.ranks(of: plan)
        self.random = SeededRandom(seed: seed)
        precondition(knobs.slots.classes.count == 4, "the scheduler has four classes")
        self.agePeriodNanos = max(1, knobs.slots.classes.map(\.starvationNanos).min() ?? 1)
        self.resize(endpoints: 0)
    }

    private static func ranks(of plan: Plan) -> [[Int32]] {
        plan.models.map { model in
            model.classes.indices.map {
                Int32(Rank(classIndex: $0, of: model.classes.count).rawValue)
            }
        }
    }

    // MARK: Requests

    mutating func arrive(_ slot: Int, _ books: inout Books, now: Instant) {
        let request = books.requests[slot]
        let rank = Int(self.ranks[Int(request.model)][Int(request.classIndex)])
        books.requests[slot].lane = Int32(rank)
        if self.available(to: rank) == 0 { self.makeRoom(for: rank, &books) }
        if self.available(to: rank) > 0 {
            self.letIn(slot, rank, &books)
        } else if self.waiting[rank].count >= self.knobs.classes[rank].queueMax {
            books.refuse(slot, .queueFull)
        } else {
            self.waiting[rank].append(slot, in: &books.requests)
        }
        self.wake(&books, now: now)
    }

    mutating func withdraw(_ slot: Int, _ books: inout Books, now: Instant) {
        self.waiting[Int(books.requests[slot].lane)].remove(slot, in: &books.requests)
        self.wake(&books, now: now)
    }

    mutating func answered(_ slot: Int, _ books: inout Books) {
        self.unanswered[Int(books.requests[slot].lane)].remove(slot, in: &books.requests)
    }

    mutating func ended(_ slot: Int, _ ending: Ending, _ books: inout Books, now: Instant) {
        guard books.requests[slot].isCounted else { return }
        self.release(slot, &books)
        self.wake(&books, now: now)
    }

    /// The pause grows with each attempt and is spread either way.
    mutating func retryNanos(_ slot: Int, _ books: Books) -> UInt64? {
        let attempt = books.requests[slot].attempt
        guard attempt < self.knobs.attemptsMax else { return nil }
        var nanos = self.knobs.retryNanos
        for _ in 1..<max(1, attempt) { nanos *= self.knobs.retryGrowth }
        let spread = 1 + self.knobs.retryJitter * (2 * self.random.uniform() - 1)
        return UInt64(min(nanos, self.knobs.retryNanosMax) * spread)
    }

    mutating func fleetChanged(model: Int, _ books: inout Books, now: Instant) {
        self.resize(endpoints: books.fleet.readyCount)
        self.wake(&books, now: now)
    }

    mutating func replan(_ plan: Plan, _ books: inout Books, now: Instant) {
        // What is let in or waits keeps the class it came with.
        self.ranks = Self.ranks(of: plan)
        self.resize(endpoints: books.fleet.readyCount)
        self.wake(&books, now: now)
    }

    // MARK: Slots

    /// Slots a class may take now.
    private func available(to rank: Int) -> Int {
        var kept = 0
        for higher in 0..<rank { kept += max(0, self.reserved[higher] - self.used[higher]) }
        return max(0, self.free - kept)
    }

    /// Slots nobody has; negative after slots were lost.
    private var free: Int {
        self.capacity - self.used[0] - self.used[1] - self.used[2] - self.used[3]
    }

    private mutating func resize(endpoints: Int) {
        self.capacity =
            endpoints > 0 ? endpoints * self.knobs.perEndpoint : self.knobs.withoutEndpoint
        for rank in 0..<4 {
            let isUsed = self.ranks.contains { $0.contains(Int32(rank)) }
            self.reserved[rank] = isUsed ? self.knobs.classes[rank].reserved : 0
        }
        let total = self.reserved[0] + self.reserved[1] + self.reserved[2] + self.reserved[3]
        // One slot of a pool is nobody's reservation, however small the pool.
        let most = max(0, min(self.capacity - 1, self.capacity * 5 / 6))
        guard total > most else { return }
        for rank in 0..<4 { self.reserved[rank] = self.reserved[rank] * most / total }
    }

    private mutating func letIn(_ slot: Int, _ rank: Int, _ books: inout Books) {
        self.used[rank] += 1
        books.requests[slot].isCounted = true
        self.unanswered[rank].append(slot, in: &books.requests)
        books.send(slot)
    }

    private mutating func release(_ slot: Int, _ books: inout Books) {
        let rank = Int(books.requests[slot].lane)
        self.used[rank] -= 1
        books.requests[slot].isCounted = false
        if !books.requests[slot].hasAnswered {
            self.unanswered[rank].remove(slot, in: &books.requests)
        }
    }

    /// Preempts the newest of the lowest class that has no byte yet.
    private mutating func makeRoom(for rank: Int, _ books: inout Books) {
        guard self.knobs.classes[rank].mayPreempt else { return }
        for lower in stride(from: 3, to: rank, by: -1) {
            guard let victim = self.unanswered[lower].last else { continue }
            self.release(victim, &books)
            return books.preempt(victim)
        }
    }

    /// Gives free slots to those who wait.
    private mutating func wake(_ books: inout Books, now: Instant) {
        while let rank = self.next(books, now: now), let slot = self.waiting[rank].first {
            self.waiting[rank].remove(slot, in: &books.requests)
            self.letIn(slot, rank, &books)
        }
        self.refreshDue(books, now: now)
    }

    /// The class whose head goes next.
    private func next(_ books: Books, now: Instant) -> Int? {
        guard self.free > 0 else { return nil }
        for rank in stride(from: 3, to: 0, by: -1) {
            guard let head = self.waiting[rank].first else { continue }
            let age = now.nanosSince(books.requests[head].arrival)
            if age > self.knobs.classes[rank].starvationNanos { return rank }
        }
        for rank in 0..<4 where self.waiting[rank].first != nil && self.available(to: rank) > 0 {
            return rank
        }
        return nil
    }

    // MARK: Time

    mutating func tick(_ books: inout Books, now: Instant) {
        for rank in 0..<4 {
            while let slot = self.waiting[rank].first, self.expires(slot, rank, books) <= now {
                self.waiting[rank].remove(slot, in: &books.requests)
                books.refuse(slot, .saturated)
            }
        }
        self.wake(&books, now: now)
    }

    private func expires(_ slot: Int, _ rank: Int, _ books: Books) -> Instant {
        books.requests[slot].arrival.advanced(byNanos: self.knobs.classes[rank].timeoutNanos)
    }

    /// The first timeout, or the first look that finds a head starved while slots are free.
    private mutating func refreshDue(_ books: Books, now: Instant) {
        var soonest: Instant?
        for rank in 0..<4 {
            guard let head = self.waiting[rank].first else { continue }
            var at = self.expires(head, rank, books)
            if self.free > 0, rank > 0 {
                let starved = books.requests[head].arrival
                    .advanced(byNanos: self.knobs.classes[rank].starvationNanos + 1)
                at = min(at, self.look(from: starved))
            }
            soonest = min(soonest ?? at, at)
        }
        self.due = soonest
    }

    /// The first of the periodic looks at or after an instant.
    private func look(from instant: Instant) -> Instant {
        let past = instant.nanos % self.agePeriodNanos
        return past == 0 ? instant : instant.advanced(byNanos: self.agePeriodNanos - past)
    }

    func audit(_ books: Books, into faults: inout [AuditFault]) {
        var counted: InlineArray<4, Int> = InlineArray(repeating: 0)
        for slot in 0..<books.requests.slotCount
        where books.requests[slot].phase != .free && books.requests[slot].isCounted {
            counted[Int(books.requests[slot].lane)] += 1
        }
        for rank in 0..<4 {
            let isSound =
                self.waiting[rank].isSound(in: books.requests)
                && self.unanswered[rank].isSound(in: books.requests)
            if !isSound { faults.append(.queue(ModelID(raw: 0), classIndex: rank)) }
            if counted[rank] != self.used[rank] { faults.append(.capacity(ModelID(raw: 0))) }
        }
    }
}
