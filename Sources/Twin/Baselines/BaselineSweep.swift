/// One way to set a baseline, with a name for a table.
package struct BaselineSetting: Sendable, Hashable {
    /// `default`, or what differs from it, as in `slots 16`.
    package var label: String
    package var knobs: BaselineKnobs

    package init(label: String, knobs: BaselineKnobs) {
        self.label = label
        self.knobs = knobs
    }

    /// As published.
    package static let published = BaselineSetting(label: "default", knobs: BaselineKnobs())
}

extension BaselineGate {
    /// The published setting first, then others over the gate's main knob, so that a comparison
    /// can show it at its defaults and at its best.
    ///
    /// The time to live of gauge-gate is varied with its threshold: with the published minute
    /// nothing that has waited for long is of use to anyone. That of gradient2 is its least limit,
    /// with its tolerance: short answers pull the long average down so often that on raw latency
    /// the limit lies where it may not go lower.
    package func settings() -> [BaselineSetting] {
        var settings = [BaselineSetting.published]
        func add(_ label: String, _ change: (inout BaselineKnobs) -> Void) {
            var knobs = BaselineKnobs()
            change(&knobs)
            if knobs != settings[0].knobs {
                settings.append(BaselineSetting(label: label, knobs: knobs))
            }
        }
        switch self {
        case .noGate: break
        case .gaugeGate:
            for (name, nanos) in [
                ("60s", 60_000_000_000), ("5s", 5_000_000_000), ("1s", 1_000_000_000 as UInt64),
            ] {
                for depth in [1.0, 2, 5, 10, 20] {
                    add("queue \(Int(depth)), ttl \(name)") {
                        $0.detector.queueDepth = depth
                        $0.gauge.timeToLiveNanos = nanos
                    }
                }
            }
        case .slotClass:
            for slots in [4, 8, 16, 32, 64, 128, 256] {
                add("slots \(slots)") { $0.slots.perEndpoint = slots }
            }
        case .busyAll:
            for tokens in [2_000, 5_000, 10_000, 20_000, 50_000] {
                add("prefill \(tokens)") { $0.busy.prefillTokens = tokens }
            }
        case .gradient2:
            for tolerance in [1.5, 4] {
                for limit in [20.0, 50, 100, 200, 400] {
                    add("min \(Int(limit)), tolerance \(tolerance)") {
                        $0.gradient.limitMin = limit
                        $0.gradient.limitInitial = limit
                        $0.gradient.limitMax = max($0.gradient.limitMax, 2 * limit)
                        $0.gradient.tolerance = tolerance
                    }
                }
            }
        }
        return settings
    }

    /// The choice the gate comes with where it is published, or the nearest to it here.
    ///
    /// SMG's own default follows prefixes and is not among these; its `least_load` is. Dynamo's
    /// frontend takes turns unless told otherwise, and so does a limiter in front of a pool.
    package var publishedChoice: BaselineChoice {
        switch self {
        case .gaugeGate, .noGate: .scores
        case .slotClass: .leastLoad
        case .busyAll, .gradient2: .roundRobin
        }
    }
}
