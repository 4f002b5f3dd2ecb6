/// So many equal streams, begun together: one point of a calibration.
struct CalibrationGroup: Hashable {
    var streams: Int
    /// Of each prompt, as the engine should count them.
    var promptTokens: Int
    /// Of each answer.
    var outputTokens: Int

    /// For a person.
    var words: String {
        let who = self.streams == 1 ? "a prompt" : "\(self.streams) prompts"
        return "\(who) of \(self.promptTokens) tokens"
    }
}

/// The points of a calibration, and how often each is repeated.
///
/// Prompts of a geometric ladder of lengths, each alone, tell what prompts take, and what a decode
/// step takes by the KV tokens it reads; groups of 2, 4, 8 ... streams with short prompts tell what
/// a step takes by its sequences, and a few groups with long prompts keep the two apart.
enum CalibrationPlan {
    /// Repetitions of a point, at most.
    static let roundsMax = 15
    /// The longest prompt, in tokens.
    private static let promptMax = 4_096
    /// The least prompt that is still set apart by its first words.
    private static let promptMin = 24
    private static let lengths = 7
    private static let aloneOutput = 33
    private static let groupOutput = 65
    /// A ladder of four lengths, each twice the one before, and its answer and slack.
    static let contextMin = 300

    /// The points in the order of a round, prompts and groups in turn; `nil` when the context is
    /// too little for four lengths.
    static func groups(
        contextTokens: Int?, streamsMax: Int, scale: PromptScale
    ) -> [CalibrationGroup]? {
        // What the engine counts for a prompt is a few in a hundred off what was wanted.
        let context = min(contextTokens ?? .max, 2 * Self.promptMax)
        let room = context - context / 16 - Self.groupOutput
        let longest = min(Self.promptMax, room)
        let least = max(Self.promptMin, scale.fixedTokens + 16)
        var ladder: [Int] = []
        var length = longest
        while length >= least, ladder.count < Self.lengths {
            ladder.append(length)
            length /= 2
        }
        guard ladder.count >= 4 else { return nil }
        let short = ladder.last { $0 >= 48 } ?? longest
        var groups: [CalibrationGroup] = []
        var streams = 2
        while streams < streamsMax {
            groups.append(Self.group(streams, short))
            streams *= 2
        }
        groups.append(Self.group(streamsMax, short))
        for (streams, part) in [(2, 1), (4, 1), (8, 4)] where streams <= streamsMax {
            groups.append(Self.group(streams, longest / part))
        }
        let alone = ladder.reversed().map {
            CalibrationGroup(streams: 1, promptTokens: $0, outputTokens: Self.aloneOutput)
        }
        var round: [CalibrationGroup] = []
        for index in 0..<max(alone.count, groups.count) {
            if index < alone.count { round.append(alone[index]) }
            if index < groups.count { round.append(groups[index]) }
        }
        return round
    }

    /// What is done before anything counts: every shape once, so that the engine has compiled what
    /// it compiles, and connections are there.
    static func warmUp(of groups: [CalibrationGroup]) -> [CalibrationGroup] {
        let short = groups.min { $0.promptTokens < $1.promptTokens }
        let wide = groups.max { $0.streams < $1.streams }
        let long = groups.max { $0.promptTokens < $1.promptTokens }
        return [short, wide, long].compactMap { group in
            group.map {
                CalibrationGroup(
                    streams: $0.streams, promptTokens: $0.promptTokens, outputTokens: 9)
            }
        }
    }

    private static func group(_ streams: Int, _ promptTokens: Int) -> CalibrationGroup {
        CalibrationGroup(
            streams: streams, promptTokens: promptTokens, outputTokens: Self.groupOutput)
    }
}
