package import EngineModel
import Report

/// What a calibration found, for a person and for machines: the profile, the points beside what the
/// fit says of them, and where its limits come from.
package struct CalibrationReport: Sendable {
    /// Where a limit comes from: a bounded load does not show it.
    package enum Origin: String, Sendable, Encodable {
        /// Whoever calibrated said so.
        case given
        /// The engine lists it with its model.
        case told
        /// Nobody said; a default.
        case assumed
    }

    /// The origins of a profile's limits.
    package struct Origins: Sendable, Equatable {
        package var kvBlocks = Origin.assumed
        package var sequences = Origin.assumed
        package var batchedTokens = Origin.assumed
        package var modelTokens = Origin.assumed

        /// All assumed.
        package init() {}
    }

    /// The schema's name.
    package static let schema = "plimsoll.calibration/v1"

    package let calibration: Calibration
    package let fit: ProfileFit
    package let profile: ProfileDocument
    package let origins: Origins

    /// Fits what was measured, with these limits.
    ///
    /// `day` is the day of the calibration as text, for the profile's source. Throws what is
    /// missing for a fit and what helps.
    package init(
        _ calibration: Calibration, name: String, day: String, gpus: Int,
        limits: ProfileDocument.Limits, origins: Origins
    ) throws(ReplayFault) {
        let help = Self.help(calibration)
        let notes = calibration.leftOut.map { "\n  left out: \($0)" }.joined()
        guard calibration.pointsMissing == 0 else {
            throw ReplayFault(
                "no profile: \(calibration.pointsMissing) points were not measured even once; "
                    + help + notes)
        }
        do throws(ProfileFitFault) {
            self.fit = try ProfileFit(
                prefill: calibration.prefill, decode: calibration.decode,
                batchedTokensMax: limits.batchedTokens)
        } catch {
            throw ReplayFault("no profile: \(error.message); \(help)\(notes)")
        }
        self.calibration = calibration
        self.origins = origins
        self.profile = ProfileDocument(
            name: name,
            source: "plimsoll engine calibrate, \(day), \(calibration.requests) requests; "
                + "held-out error: " + Self.words(self.fit),
            gpus: gpus, step: ProfileDocument.Step(self.fit.cost), limits: limits,
            errors: ProfileDocument.Errors(
                timeToFirstToken: Self.rounded(self.fit.prefillError),
                step: Self.rounded(self.fit.decodeError)))
    }

    /// What kept a calibration from its points, or what may help.
    private static func help(_ calibration: Calibration) -> String {
        if calibration.isInterrupted { return "it was ended before it had enough" }
        if calibration.pointsMissing == 0, !calibration.leftOut.isEmpty {
            return "the engine did not take or keep up with the rest"
        }
        return "give it more time with --for"
    }

    private static func rounded(_ error: HeldOutError) -> HeldOutError {
        HeldOutError(
            points: error.points, median: (error.median * 1e4).rounded() / 1e4,
            p90: (error.p90 * 1e4).rounded() / 1e4)
    }

    /// `TTFT median 2.1 %, p90 4.0 % of 2 points; step median 1.0 %, p90 1.9 % of 5 points`.
    private static func words(_ fit: ProfileFit) -> String {
        func one(_ name: String, _ error: HeldOutError) -> String {
            "\(name) median \(Self.percent(error.median)), p90 \(Self.percent(error.p90)) "
                + "of \(error.points) points"
        }
        return one("TTFT", fit.prefillError) + "; " + one("step", fit.decodeError)
    }

    private static func percent(_ share: Double) -> String { Wording.fixed(share * 100, 1) + " %" }
}

extension CalibrationReport {
    /// The report for a terminal, at most 100 columns wide.
    package func table() -> String {
        var lines = [self.title, ""] + self.costLines + [""]
        lines += self.pointLines + [""]
        lines += TextTable.wrapped("held-out error: " + Self.words(self.fit), indent: 2)
        lines += TextTable.wrapped(self.limitWords, indent: 2)
        for one in self.calibration.leftOut {
            lines += TextTable.wrapped("left out: \(one)", indent: 2)
        }
        if self.calibration.isInterrupted {
            lines += TextTable.wrapped("ended before its time: fewer repetitions", indent: 2)
        }
        return lines.map { $0 + "\n" }.joined()
    }

    private var title: String {
        let seconds = Wording.fixed(Double(self.calibration.elapsedNanos) / 1e9, 1)
        return "Profile \(self.profile.name): \(self.calibration.requests) requests in "
            + "\(seconds) s, medians of at least \(self.calibration.repetitionsMin)"
    }

    private var costLines: [String] {
        let step = self.profile.step
        var table = TextTable(rightAligned: [1])
        table.add(["a step", Wording.fixed(step.baseMillis, 3), "ms"])
        table.add(["each running sequence", Wording.fixed(step.perSequenceMicros, 2), "us"])
        table.add(["each KV token", Wording.fixed(step.perKVTokenNanos, 2), "ns"])
        table.add(["each prefill token", Wording.fixed(step.perPrefillTokenMicros, 2), "us"])
        table.add([
            "a prefill-only step", Wording.fixed(step.prefillOnlyBaseMillis, 3), "ms",
        ])
        return table.lines(indent: 2)
    }

    private var pointLines: [String] {
        var table = TextTable(rightAligned: [1, 2, 3, 4, 5])
        table.add(["", "streams", "tokens", "measured ms", "fitted ms", "error", ""])
        func add(
            _ name: String, _ streams: Int, _ tokens: Double, _ nanos: Double, _ fitted: Double,
            _ isHeldOut: Bool
        ) {
            table.add([
                name, "\(streams)", Wording.fixed(tokens, 0), Wording.fixed(nanos / 1e6, 3),
                Wording.fixed(fitted / 1e6, 3), Self.percent(abs(fitted - nanos) / nanos),
                isHeldOut ? "held out" : "",
            ])
        }
        for one in self.fit.prefill {
            add(
                "TTFT", 1, Double(one.point.promptTokens), one.point.nanos, one.fittedNanos,
                one.isHeldOut)
        }
        for one in self.fit.decode {
            add(
                "step", one.point.sequences, one.point.kvTokens, one.point.nanos, one.fittedNanos,
                one.isHeldOut)
        }
        return table.lines(indent: 2)
    }

    private var limitWords: String {
        let limits = self.profile.limits
        let parts = [
            "\(limits.sequences) sequences (\(self.origins.sequences.rawValue))",
            "\(limits.batchedTokens) tokens a step (\(self.origins.batchedTokens.rawValue))",
            "\(limits.kvBlocks) KV blocks of 16 tokens (\(self.origins.kvBlocks.rawValue))",
            "\(limits.modelTokens) tokens of context (\(self.origins.modelTokens.rawValue))",
        ]
        return "limits, which such a load does not show: " + parts.joined(separator: ", ")
    }
}

extension CalibrationReport: Encodable {
    private struct Point: Encodable {
        let streams: Int
        let tokens: Double
        let measured: Double
        let fitted: Double
        let isHeldOut: Bool

        enum CodingKeys: String, CodingKey {
            case streams, tokens
            case measured = "measured_ms"
            case fitted = "fitted_ms"
            case isHeldOut = "held_out"
        }

        init(_ streams: Int, _ tokens: Double, _ nanos: Double, _ fitted: Double, _ out: Bool) {
            func micros(_ nanos: Double) -> Double { (nanos / 1_000).rounded() / 1_000 }
            self.streams = streams
            self.tokens = tokens
            self.measured = micros(nanos)
            self.fitted = micros(fitted)
            self.isHeldOut = out
        }
    }

    private enum CodingKeys: String, CodingKey {
        case schema, profile, requests
        case duration = "duration_s"
        case repetitions = "repetitions_min"
        case prefill = "time_to_first_token"
        case decode = "step"
        case origins = "limits_from"
        case leftOut = "left_out"
        case isInterrupted = "interrupted"
    }

    private enum OriginKeys: String, CodingKey {
        case kvBlocks = "kv_blocks"
        case sequences = "max_num_seqs"
        case batchedTokens = "max_num_batched_tokens"
        case modelTokens = "max_model_len"
    }

    /// Writes the profile as its file has it, and all points.
    package func encode(to encoder: any Encoder) throws {
        var top = encoder.container(keyedBy: CodingKeys.self)
        try top.encode(Self.schema, forKey: .schema)
        try top.encode(self.profile, forKey: .profile)
        try top.encode(self.calibration.requests, forKey: .requests)
        try top.encode(Double(self.calibration.elapsedNanos / 1_000_000) / 1e3, forKey: .duration)
        try top.encode(self.calibration.repetitionsMin, forKey: .repetitions)
        try top.encode(
            self.fit.prefill.map {
                Point(
                    1, Double($0.point.promptTokens), $0.point.nanos, $0.fittedNanos, $0.isHeldOut)
            }, forKey: .prefill)
        try top.encode(
            self.fit.decode.map {
                Point(
                    $0.point.sequences, $0.point.kvTokens, $0.point.nanos, $0.fittedNanos,
                    $0.isHeldOut)
            }, forKey: .decode)
        var origins = top.nestedContainer(keyedBy: OriginKeys.self, forKey: .origins)
        try origins.encode(self.origins.kvBlocks, forKey: .kvBlocks)
        try origins.encode(self.origins.sequences, forKey: .sequences)
        try origins.encode(self.origins.batchedTokens, forKey: .batchedTokens)
        try origins.encode(self.origins.modelTokens, forKey: .modelTokens)
        try top.encode(self.calibration.leftOut, forKey: .leftOut)
        try top.encode(self.calibration.isInterrupted, forKey: .isInterrupted)
    }
}
