import Statistics

/// Step times fitted to a live engine's measured points.
///
/// A prompt alone takes chunks * (base of a prefill-only step) + tokens * (cost of a prefill
/// token); a decode step takes a + c * sequences + d * KV tokens. Both are least squares of the
/// relative error with coefficients of zero or more. Every third point, in order of size and never
/// the least or the greatest, is held out of the fit and judges it: it says how well the fit holds
/// between what was measured, not beyond.
package struct ProfileFit: Sendable {
    /// A point beside what the fit says of it.
    package struct Judged<Point: Sendable>: Sendable {
        package let point: Point
        /// Nanoseconds by the fit.
        package let fittedNanos: Double
        /// Whether the fit was made without it.
        package let isHeldOut: Bool
    }

    /// Prompt lengths without which there is no fit.
    package static let promptsMin = 4
    /// Decode points without which there is no fit.
    package static let groupsMin = 5

    /// The fitted step times, in nanoseconds.
    package let cost: EngineCost
    /// By prompt length.
    package let prefill: [Judged<PrefillPoint>]
    /// By sequences, then by KV tokens.
    package let decode: [Judged<DecodePoint>]
    /// Of times to first token.
    package let prefillError: HeldOutError
    /// Of step times.
    package let decodeError: HeldOutError

    /// Fits points; those without a time above zero are left out.
    ///
    /// - Parameters:
    ///   - prefill: one for each prompt length, at least `promptsMin`.
    ///   - decode: one for each group, at least `groupsMin`, of at least three sizes.
    ///   - batchedTokensMax: tokens of a step at most, which says how many chunks a prompt takes;
    ///     above zero.
    package init(
        prefill: [PrefillPoint], decode: [DecodePoint], batchedTokensMax: Int
    ) throws(ProfileFitFault) {
        let prompts = prefill.filter { $0.nanos > 0 && $0.nanos.isFinite && $0.promptTokens > 0 }
            .sorted { $0.promptTokens < $1.promptTokens }
        let groups = decode.filter { $0.nanos > 0 && $0.nanos.isFinite && $0.sequences > 0 }
            .sorted { ($0.sequences, $0.kvTokens) < ($1.sequences, $1.kvTokens) }
        let lengths = Set(prompts.map(\.promptTokens)).count
        let sizes = Set(groups.map(\.sequences)).count
        guard lengths >= Self.promptsMin else { throw .fewPrompts(lengths) }
        guard groups.count >= Self.groupsMin, sizes >= 3 else {
            throw .fewGroups(groups.count, sizes: sizes)
        }
        func chunks(_ tokens: Int) -> Double {
            Double((tokens + batchedTokensMax - 1) / batchedTokensMax)
        }
        let prompt = Self.fit(
            prompts.map { ([chunks($0.promptTokens), Double($0.promptTokens)], $0.nanos) })
        let step = Self.fit(groups.map { ([1, Double($0.sequences), $0.kvTokens], $0.nanos) })
        guard let prompt, let step else { throw .undetermined }
        self.cost = EngineCost(
            step: StepCost(
                base: step[0], perPrefillToken: prompt[1], perSequence: step[1],
                perKVToken: step[2]),
            prefillOnlyBase: prompt[0])
        self.prefill = prompts.enumerated().map { index, point in
            Judged(
                point: point,
                fittedNanos: prompt[0] * chunks(point.promptTokens)
                    + prompt[1] * Double(point.promptTokens),
                isHeldOut: Self.isHeldOut(index, of: prompts.count))
        }
        self.decode = groups.enumerated().map { index, point in
            Judged(
                point: point,
                fittedNanos: step[0] + step[1] * Double(point.sequences)
                    + step[2] * point.kvTokens,
                isHeldOut: Self.isHeldOut(index, of: groups.count))
        }
        self.prefillError = HeldOutError(
            of: self.prefill.filter(\.isHeldOut).map { ($0.fittedNanos, $0.point.nanos) })
        self.decodeError = HeldOutError(
            of: self.decode.filter(\.isHeldOut).map { ($0.fittedNanos, $0.point.nanos) })
    }

    /// Coefficients from the rows that are not held out.
    private static func fit(_ rows: [(inputs: [Double], nanos: Double)]) -> [Double]? {
        let kept = rows.enumerated().filter { !isHeldOut($0.offset, of: rows.count) }
        return NonNegativeFit.solve(
            kept.map { NonNegativeFit.Row(inputs: $0.element.inputs, target: $0.element.nanos) },
            inputs: rows.first?.inputs.count ?? 0)
    }

    private static func isHeldOut(_ index: Int, of count: Int) -> Bool {
        index % 3 == 2 && index != count - 1
    }
}

/// Why points give no profile.
package enum ProfileFitFault: Error, Hashable, Sendable {
    /// Fewer prompt lengths than `ProfileFit.promptsMin`.
    case fewPrompts(Int)
    /// Fewer groups than `ProfileFit.groupsMin`, or of fewer than three sizes.
    case fewGroups(Int, sizes: Int)
    /// The points do not tell the coefficients apart.
    case undetermined

    /// For a person, without what may help.
    package var message: String {
        switch self {
        case .fewPrompts(let count):
            "\(count) prompt lengths were measured, and a fit needs \(ProfileFit.promptsMin)"
        case .fewGroups(let count, let sizes):
            "\(count) groups of \(sizes) sizes were measured, and a fit needs "
                + "\(ProfileFit.groupsMin) of 3"
        case .undetermined:
            "the measured points do not tell the parts of a step's time apart"
        }
    }
}
