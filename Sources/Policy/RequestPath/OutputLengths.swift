/// How many output tokens the answers of one model have: a decayed histogram and a mean that also
/// counts what is still being generated.
struct OutputLengths: Sendable {
    /// Four buckets to each doubling, to 2^16.
    private var weights: [Double] = Array(repeating: 0, count: Self.buckets)
    private var unit: Double = 1
    private var tokens: Double
    private var answers: Double
    /// Ends of any kind, answers cut by a cap or abandoned among them.
    private var ends: Double

    private static let buckets = 64
    /// Believed before anything is seen, with two answers' weight.
    private static let priorTokens = 256.0
    /// Weight of a sample relative to the one before it: about the last 700 answers count.
    private static let growth = 1.001

    init() {
        self.tokens = Self.priorTokens * 2
        self.answers = 2
        self.ends = 2
    }

    /// Tokens relayed, of answers finished or not. Counting tokens when they come and answers when
    /// they end keeps the mean honest while only short answers have ended (the estimate of a
    /// censored mean: exposure over events).
    mutating func produced(_ tokens: UInt32) {
        self.tokens += Double(tokens) * self.unit
    }

    /// One answer ended with `tokens` in all; `produced` has been told of every one of them. It is
    /// `cut` when it would have gone on: by a cap of ours, or its client went away.
    mutating func ended(_ tokens: UInt32, cut: Bool) {
        self.ends += self.unit
        guard !cut else { return }
        self.answers += self.unit
        self.weights[Self.bucket(of: tokens)] += self.unit
        self.unit *= Self.growth
        if self.unit > 1e9 { self.rescale() }
    }

    /// Mean output tokens for which a sequence is held, as answers are cut now.
    var meanServed: Double { max(1, self.tokens / self.ends) }

    /// Mean output tokens of an answer that nothing cuts.
    var mean: Double { max(1, self.tokens / self.answers) }

    /// Expected output tokens of a request with this limit of its own.
    ///
    /// - Complexity: O(1) without a limit below the mean's reach, else O(buckets).
    func expected(limit: UInt32?) -> Double {
        guard let limit else { return self.mean }
        let bound = Double(limit)
        guard bound < self.mean * 8 else { return self.mean }
        return min(bound, self.mean) * self.clippedShare(at: bound)
    }

    /// Mean with every answer cut at `limit`, over the mean without: the relief a cap gives.
    func shareKept(cap limit: UInt32) -> Double {
        let (cut, whole) = self.sums(cutAt: Double(limit))
        return whole > 0 ? cut / whole : 1
    }

    private func clippedShare(at bound: Double) -> Double {
        let (cut, whole) = self.sums(cutAt: bound)
        guard whole > 0 else { return 1 }
        let count = self.weights.reduce(0, +)
        let reference = min(bound, whole / count)
        return reference > 0 ? min(1, cut / count / reference) : 1
    }

    private func sums(cutAt bound: Double) -> (cut: Double, whole: Double) {
        var cut = 0.0
        var whole = 0.0
        for (index, weight) in self.weights.enumerated() where weight > 0 {
            let tokens = Self.middle(of: index)
            cut += weight * min(tokens, bound)
            whole += weight * tokens
        }
        return (cut, whole)
    }

    private static func bucket(of tokens: UInt32) -> Int {
        let value = max(1, tokens)
        let exponent = 31 - value.leadingZeroBitCount
        let quarter = exponent >= 2 ? Int((value >> UInt32(exponent - 2)) & 3) : 0
        return min(exponent * 4 + quarter, Self.buckets - 1)
    }

    private static func middle(of bucket: Int) -> Double {
        let base = Double(1 << (bucket / 4))
        return base * (1 + (Double(bucket % 4) + 0.5) / 4)
    }

    private mutating func rescale() {
        let scale = 1 / self.unit
        for index in self.weights.indices { self.weights[index] *= scale }
        self.tokens *= scale
        self.answers *= scale
        self.ends *= scale
        self.unit = 1
    }
}
