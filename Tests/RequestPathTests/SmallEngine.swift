/// The smallest honest engine with continuous batching: decodes first, then prefill in chunks.
struct SmallEngine {
    /// Step time: a base with and without decodes, per prefill token, per running sequence.
    struct Profile {
        var name: String
        var baseMs: Double
        var decodeBaseMs: Double
        var prefillMs: Double
        var sequenceMs: Double
        var chunk = 1024
        var sequencesMax = 256

        func stepMs(prefill: Int, decodes: Int) -> Double {
            let base = decodes > 0 ? max(self.baseMs, self.decodeBaseMs) : self.baseMs
            return base + self.prefillMs * Double(prefill) + self.sequenceMs * Double(decodes)
        }

        static let large = Profile(
            name: "large", baseMs: 10.1, decodeBaseMs: 30, prefillMs: 0.091, sequenceMs: 0.303)
        static let small = Profile(
            name: "small", baseMs: 8, decodeBaseMs: 8, prefillMs: 0.06, sequenceMs: 0.05)
        /// Its steps are several times what is believed of an engine that tells nothing.
        static let slow = Profile(
            name: "slow", baseMs: 20, decodeBaseMs: 60, prefillMs: 0.3, sequenceMs: 0.2)
    }

    struct Sequence {
        var id: UInt64
        var prefillLeft: Int
        var outputLeft: Int
        var produced: UInt32 = 0
    }

    let profile: Profile
    private(set) var waiting: [Sequence] = []
    private(set) var running: [Sequence] = []
    private(set) var isStepping = false
    private(set) var prefillWaitingPeak = 0
    /// Prefill of the step under way, by position in `running`.
    private var chunks: [(position: Int, tokens: Int)] = []

    init(profile: Profile) {
        self.profile = profile
    }

    var prefillWaiting: Int {
        self.waiting.reduce(0) { $0 + $1.prefillLeft }
            + self.running.reduce(0) { $0 + $1.prefillLeft }
    }

    mutating func add(_ sequence: Sequence) {
        self.waiting.append(sequence)
        self.prefillWaitingPeak = max(self.prefillWaitingPeak, self.prefillWaiting)
    }

    mutating func cancel(_ id: UInt64) {
        self.waiting.removeAll { $0.id == id }
        if let position = self.running.firstIndex(where: { $0.id == id }) {
            self.running[position].outputLeft = 0
            self.running[position].prefillLeft = 0
        }
    }

    /// Begins a step; its length in milliseconds, `nil` when there is nothing to do.
    mutating func beginStep() -> Double? {
        self.running.removeAll { $0.outputLeft == 0 }
        while self.running.count < self.profile.sequencesMax, !self.waiting.isEmpty {
            self.running.append(self.waiting.removeFirst())
        }
        self.isStepping = !self.running.isEmpty
        guard self.isStepping else { return nil }
        var budget = self.profile.chunk
        let decodes = self.running.count(where: { $0.prefillLeft == 0 })
        budget -= decodes
        self.chunks.removeAll(keepingCapacity: true)
        for position in self.running.indices where self.running[position].prefillLeft > 0 {
            let tokens = min(max(0, budget), self.running[position].prefillLeft)
            if tokens == 0 { break }
            budget -= tokens
            self.chunks.append((position, tokens))
        }
        let prefill = self.chunks.reduce(0) { $0 + $1.tokens }
        return self.profile.stepMs(prefill: prefill, decodes: decodes)
    }

    /// Ends the step: who has one more token, and whether it was the last.
    mutating func endStep(_ emit: (_ id: UInt64, _ produced: UInt32, _ isLast: Bool) -> Void) {
        self.isStepping = false
        var produced = self.running.indices.filter { self.running[$0].prefillLeft == 0 }
        for (position, tokens) in self.chunks where self.running[position].prefillLeft > 0 {
            self.running[position].prefillLeft -= tokens
            if self.running[position].prefillLeft == 0 { produced.append(position) }
        }
        for position in produced where self.running[position].outputLeft > 0 {
            self.running[position].outputLeft -= 1
            self.running[position].produced += 1
            let sequence = self.running[position]
            emit(sequence.id, sequence.produced, sequence.outputLeft == 0)
        }
        self.running.removeAll { $0.outputLeft == 0 }
    }
}
