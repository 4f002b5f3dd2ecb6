import Time

/// The rate of work that is asked for, in replicas: soon after a step, and the most it was within
/// the time that a replica must be spare before it goes.
struct WorkLevel: Sendable {
    /// Replica-nanoseconds of work and nanoseconds of time, both forgotten at one pace.
    private var work = 0.0
    private var time = 0.0
    private var slow = 0.0
    /// The last bins, and how far a bin lies off the mean, squared.
    private var recent = Array(repeating: 0.0, count: Self.recentBins)
    private var recentSum = 0.0
    private var place = 0
    private var variance = 0.0
    private(set) var now = 0.0
    /// Levels that no later one has reached, oldest first: the first is the highest.
    private var peaks: [Peak] = []
    private var firstPeak = 0
    private let windowNanos: UInt64

    private struct Peak: Sendable {
        var at: Instant
        var level: Double
    }

    private static let ln2 = 0.693_147_180_559_945_3
    private static let halfLifeNanos = 15_000_000_000.0
    private static let slowHalfLifeNanos = 300_000_000_000.0
    /// A level stands on at least so many bins, two seconds: one long request is no rate.
    private static let leastBins = 10
    private static let recentBins = 25
    /// So many standard deviations off, the last bins are no chance but another rate.
    private static let surprise = 5.0
    /// Below this level what came before is no part of what begins.
    static let idle = 0.01

    /// - Parameter windowNanos: how long a peak is remembered.
    init(windowNanos: UInt64) {
        self.windowNanos = windowNanos
    }

    /// The highest level of the window, the present one included.
    var peak: Double {
        max(self.now, self.firstPeak < self.peaks.count ? self.peaks[self.firstPeak].level : 0)
    }

    /// The mean level of the last minutes.
    var mean: Double { self.slow }

    /// `work` replica-nanoseconds came in the `nanos` nanoseconds before `now`.
    mutating func add(work: Double, nanos: UInt64, now: Instant) {
        let span = Double(nanos)
        if self.now < Self.idle { (self.work, self.time) = (0, 0) }
        let keep = 1 - span * Self.ln2 / (Self.halfLifeNanos + span * Self.ln2)
        self.work = self.work * keep + work
        self.time = self.time * keep + span
        self.jump(work, span)
        self.now = self.work / max(self.time, Double(Self.leastBins) * span)
        let share = span * Self.ln2 / (Self.slowHalfLifeNanos + span * Self.ln2)
        self.slow += (work / max(span, 1) - self.slow) * share
        self.remember(now)
    }

    /// Begins anew with the last bins where chance does not explain how high they are.
    private mutating func jump(_ work: Double, _ span: Double) {
        self.recentSum += work - self.recent[self.place]
        self.recent[self.place] = work
        self.place = (self.place + 1) % Self.recentBins
        let bins = Double(Self.recentBins)
        let mean = self.work / max(self.time, bins * span) * span
        let excess = self.recentSum - mean * bins
        if excess > Self.surprise * (self.variance * bins).squareRoot(), excess > mean * bins * 0.2
        {
            self.work = self.recentSum
            self.time = bins * span
        }
        let share = span * Self.ln2 / (Self.halfLifeNanos * 4 + span * Self.ln2)
        self.variance += ((work - mean) * (work - mean) - self.variance) * share
    }

    private mutating func remember(_ now: Instant) {
        while self.peaks.count > self.firstPeak, let last = self.peaks.last,
            last.level <= self.now
        {
            self.peaks.removeLast()
        }
        self.peaks.append(Peak(at: now, level: self.now))
        while self.peaks.count - self.firstPeak > 1,
            now.nanosSince(self.peaks[self.firstPeak].at) > self.windowNanos
        {
            self.firstPeak += 1
        }
        guard self.firstPeak > 512, self.firstPeak * 2 > self.peaks.count else { return }
        self.peaks.removeFirst(self.firstPeak)
        self.firstPeak = 0
    }
}
