/// When the tokens of one stream came.
struct StreamTimes {
    /// When the request left, in nanoseconds.
    var sentNanos: UInt64
    /// When each event with content came, in order.
    var eventNanos: [UInt64]
    /// Tokens of the prompt as the engine counted them.
    var promptTokens: Int
    /// Tokens of the answer as the engine counted them; an event may hold several.
    var outputTokens: Int

    /// Tokens to an event.
    var tokensPerEvent: Double {
        self.eventNanos.count < 2
            ? 1 : Double(self.outputTokens - 1) / Double(self.eventNanos.count - 1)
    }
}

/// What one run of a group told.
struct GroupSample {
    /// Intervals of each stream between the first and the last instant that all decoded; with fewer
    /// the edges weigh too much.
    private static let intervalsMin = 8

    /// Of a prompt; the mean where there are several.
    var promptTokens: Double
    /// From the request to the first token; of a stream that was alone.
    var firstTokenNanos: Double?
    /// From token to token, and the KV tokens of all streams meanwhile, on average, while all of
    /// them decoded; `nil` when that was too short.
    var step: (nanos: Double, kvTokens: Double)?

    /// `streams` is not empty, and each has an event at least.
    init?(_ streams: [StreamTimes]) {
        let firsts = streams.compactMap(\.eventNanos.first)
        let lasts = streams.compactMap(\.eventNanos.last)
        guard let start = firsts.max(), let end = lasts.min(), firsts.count == streams.count
        else { return nil }
        self.promptTokens =
            Double(streams.reduce(0) { $0 + $1.promptTokens }) / Double(streams.count)
        if streams.count == 1 { self.firstTokenNanos = Double(start - streams[0].sentNanos) }
        guard end > start else { return }
        var intervals: [Double] = []
        var kvTokens = 0.0
        for stream in streams {
            guard let low = stream.eventNanos.firstIndex(where: { $0 >= start }),
                let high = stream.eventNanos.lastIndex(where: { $0 <= end }),
                high - low >= Self.intervalsMin
            else { return }
            let span = Double(stream.eventNanos[high] - stream.eventNanos[low])
            intervals.append(span / (Double(high - low) * stream.tokensPerEvent))
            // A step that makes the n-th token reads the prompt and the n - 1 before it.
            let middle = Double(low + high) / 2 * stream.tokensPerEvent + 0.5
            kvTokens += Double(stream.promptTokens) + middle
        }
        self.step = (Median.of(intervals), kvTokens)
    }
}

/// The middle of some values: one that an outlier does not move.
enum Median {
    /// The middle value, the mean of the two middle ones, or zero without any.
    static func of(_ values: [Double]) -> Double {
        guard !values.isEmpty else { return 0 }
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
}
