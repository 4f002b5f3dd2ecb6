import EventLoop
import Statistics
import Workload

/// Makes prompts of a wanted length without building them: runs of one fixed text, put together
/// when they are written.
///
/// The text is lower-case English words, about four bytes a token for the tokenizers of today's
/// models, and needs no escape in JSON. A block with a hash of the trace is the same text for the
/// same hash, so that prefix caches hit where they did in the trace; everything else begins with
/// letters of its own, so that they do not hit anywhere else.
final class PromptText {
    /// Tokens of a hashed block, as Mooncake's traces define it.
    static let blockTokens = 512
    private static let poolBytes = 256 << 10
    private static let leadBytes = 20

    /// The same for every seed: a hash names the same text in every run.
    private let pool: UnsafeMutableRawBufferPointer
    private let scale: PromptScale
    private let salt: UInt64
    /// The leads of the runs of one prompt, `leadBytes` apiece.
    private var leads = UnsafeMutableRawBufferPointer.allocate(byteCount: 4 << 10, alignment: 16)

    init(_ scale: PromptScale, seed: UInt64) {
        self.scale = scale
        self.salt = Self.mix(seed)
        self.pool = .allocate(byteCount: Self.poolBytes, alignment: 16)
        self.pool.copyBytes(from: Self.makePool())
    }

    deinit {
        self.pool.deallocate()
        self.leads.deallocate()
    }

    /// Bytes of the prompt of `arrival`.
    func byteCount(of arrival: Arrival) -> Int {
        self.scale.bytes(ofTokens: arrival.inputTokens)
    }

    /// Appends the runs of the prompt, in order; they stay valid until the next call.
    ///
    /// `sequence` sets the request apart from all others of the run.
    func append(_ arrival: Arrival, sequence: UInt64, to runs: inout [WriteBuffer]) {
        self.reserveLeads(arrival.prefixHashes.count + 1)
        var left = self.byteCount(of: arrival)
        let block = Int(Double(Self.blockTokens) * self.scale.bytesPerToken)
        for (index, hash) in arrival.prefixHashes.enumerated() where left > 0 {
            let count = min(block, left)
            left -= count
            self.append(index, 0x62, Self.mix(hash), count, to: &runs)
        }
        if left > 0 {
            let own = Self.mix(self.salt ^ (sequence &* 0x9E37_79B9_7F4A_7C15))
            self.append(arrival.prefixHashes.count, 0x72, own, left, to: &runs)
        }
    }

    /// A lead and then text from a place in the pool that `key` decides.
    private func append(
        _ index: Int, _ kind: UInt8, _ key: UInt64, _ count: Int, to runs: inout [WriteBuffer]
    ) {
        let start = index * Self.leadBytes
        self.fillLead(at: start, kind, key)
        let lead = min(Self.leadBytes, count)
        runs.append(
            WriteBuffer(UnsafeRawBufferPointer(rebasing: self.leads[start..<start + lead])))
        var left = count - lead
        var offset = Int(key % UInt64(self.pool.count))
        while left > 0 {
            let piece = min(left, self.pool.count - offset)
            runs.append(
                WriteBuffer(UnsafeRawBufferPointer(rebasing: self.pool[offset..<offset + piece])))
            left -= piece
            offset = 0
        }
    }

    private func reserveLeads(_ count: Int) {
        guard self.leads.count < count * Self.leadBytes else { return }
        self.leads.deallocate()
        self.leads = .allocate(byteCount: count * Self.leadBytes * 2, alignment: 16)
    }

    /// `r abcd efgh ijkl mn `: four-letter groups are about a token each.
    private func fillLead(at start: Int, _ kind: UInt8, _ key: UInt64) {
        var rest = key
        self.leads[start] = kind
        for position in 1..<Self.leadBytes {
            let isGap = position % 5 == 1 || position == Self.leadBytes - 1
            self.leads[start + position] = isGap ? 0x20 : 0x61 + UInt8(rest & 15)
            if !isGap { rest >>= 4 }
        }
    }

    private static func makePool() -> [UInt8] {
        let words = [
            "the", "and", "load", "line", "of", "a", "ship", "that", "it", "may", "carry", "in",
            "safe", "water", "by", "day", "each", "mark", "is", "set", "for", "one", "sea", "and",
            "will", "be", "read", "from", "port", "to", "port", "when", "cargo", "goes", "over",
            "this", "hull", "we", "stop", "at", "once", "no", "more", "than", "she", "can", "hold",
        ].map { Array($0.utf8) }
        var random = SeededRandom(seed: 0x706C_696D_736F_6C6C)
        var pool: [UInt8] = []
        pool.reserveCapacity(Self.poolBytes + 8)
        while pool.count < Self.poolBytes {
            pool += words[Int(random.uniform(below: UInt64(words.count)))]
            pool.append(0x20)
        }
        return Array(pool[..<Self.poolBytes])
    }

    /// splitmix64's finalizer: near keys give far texts.
    private static func mix(_ key: UInt64) -> UInt64 {
        var mixed = key &+ 0x9E37_79B9_7F4A_7C15
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
