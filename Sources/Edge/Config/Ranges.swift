/// The ranges of written values. Durations in nanoseconds, shares 0...1.
enum Ranges {
    private static let second: UInt64 = 1_000_000_000
    private static let day: UInt64 = 86_400 * second

    /// A latency objective or a deadline: 1 ms to a day.
    static let latency = 1_000_000...day
    /// Parts of an allocation may be nothing.
    static let allocation = 0...day
    static let coldStart = second...day
    static let window = (3600 * second)...(366 * day)
    static let stabilization = 0...day
    static let retention = (60 * second)...(3660 * day)
    /// More than nothing, less than all: a budget of 0% cannot be held.
    static let errorRate = 0.000001...0.999999
    static let confidence = 0.5...0.999999
    static let positiveShare = 0.000001...1
    static let replicas = 0...10_000
    static let weight = 0.001...1000
}
