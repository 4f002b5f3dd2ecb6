import EngineModel
import Glibc
import Replay
import Report
import RequestPath
import Workload
import World

/// Where a simulation's arrivals come from.
struct SimulatedLoad: Sendable {
    var trace: TraceSpec
    var transform = ArrivalStream.Transform()
    /// Arrivals are a stationary Poisson process of this rate, whatever the trace's own times are,
    /// and a seed draws them; nil: they come as the trace has them.
    var poissonRate: Double?

    /// A fresh stream from the first arrival.
    func open(seed: UInt64) throws(TraceFault) -> ArrivalStream {
        var transform = self.transform
        if let poissonRate {
            transform.spacing = ArrivalStream.PoissonSpacing(rate: poissonRate, seed: seed)
        }
        switch trace {
        case .generator(let spec):
            return ArrivalStream(spec: spec, seed: seed, transform: transform)
        case .file(let format, let path):
            let file = try TraceFile(path: path)
            return ArrivalStream(format: format, transform: transform) {
                () throws(TraceFault) in try file.next()
            }
        }
    }

    /// The first so many requests, spaced anew.
    func open(
        _ spacing: ArrivalStream.PoissonSpacing, requests: UInt64
    ) throws(TraceFault) -> ArrivalStream {
        var spaced = self
        spaced.poissonRate = nil
        spaced.transform.spacing = spacing
        spaced.transform.requestsMax = requests
        spaced.transform.durationNanos = nil
        return try spaced.open(seed: spacing.seed)
    }

    /// Expected requests a second as it stands; nil for a trace of one moment.
    func meanRate(_ survey: WorkloadSurvey) -> Double? {
        if case .generator(let spec) = trace {
            let end = transform.durationNanos ?? max(1, survey.lastNanos)
            return spec.process.meanRate(overSeconds: Double(end) / 1e9)
        }
        return survey.meanRate
    }

    /// Whether more requests can be drawn than a run offers.
    var isEndless: Bool {
        if case .generator = trace { true } else { false }
    }

    /// How long requests are offered: a drawn load's time, whenever its last request comes; nil for
    /// a trace, which ends with its last one.
    var offeringNanos: UInt64? { isEndless ? transform.durationNanos : nil }

    /// The same load with `factor` times as many requests a second: the requests of a trace are
    /// re-spaced, a generator draws at other rates for the same time.
    mutating func scale(by factor: Double) {
        switch trace {
        case .generator(var spec):
            spec.process = spec.process.scaled(by: factor)
            trace = .generator(spec)
        case .file:
            transform.speed *= factor
            transform.durationNanos = transform.durationNanos.map {
                UInt64(max(1, min(Double($0) / factor, 0x1p62)))
            }
        }
    }
}

extension SimulateCommand {
    static func load(
        _ arguments: Arguments, in scenario: Scenario
    ) throws(UsageError) -> SimulatedLoad {
        guard let text = arguments.text("--trace") else {
            throw UsageError("name the load: --trace azure:FILE, or poisson:rate=5,in=512,out=64")
        }
        var load = SimulatedLoad(trace: try ReplayCommand.trace(text))
        load.transform.speed = try arguments.decimal("--speed") ?? 1
        load.transform.durationNanos = try arguments.duration("--for")
        load.transform.requestsMax = try arguments.number("--requests", in: 1...Int(Int32.max))
            .map { UInt64($0) }
        load.transform.tokensMax = Self.contextTokens(of: scenario)
        if load.transform.durationNanos == 0 { throw UsageError("--for 0s offers nothing") }
        if load.isEndless, load.transform.durationNanos == nil, load.transform.requestsMax == nil {
            throw UsageError("drawn load has no end of its own: add --for 60s or --requests 1000")
        }
        return load
    }

    /// The longest request the model or its engines take, prompt and answer.
    private static func contextTokens(of scenario: Scenario) -> Int {
        let written = scenario.plan.models[scenario.model.raw].maxContextTokens.map { Int($0) }
        let engine = scenario.pools[scenario.model.raw].engine.sequenceTokensMax
        return min(written ?? engine, engine)
    }

    /// Reads the whole load once: a fault in the last line must not show in the middle of the runs,
    /// and whether the engines can serve it at all is said before any run.
    static func survey(
        _ load: SimulatedLoad, _ scenario: Scenario, seed: UInt64
    ) throws(UsageError) -> WorkloadSurvey {
        do throws(TraceFault) {
            if case .file = load.trace, load.transform.durationNanos != nil {
                var whole = load
                whole.transform.durationNanos = nil
                var stream = try whole.open(seed: seed)
                while try stream.next() != nil {}
            }
            return try WorkloadSurvey(
                try load.open(seed: seed), scenario: scenario, engines: Self.engines(scenario))
        } catch {
            throw UsageError(load.message(error))
        }
    }

    /// The scenario's own engine, then every profile's.
    private static func engines(_ scenario: Scenario) -> [EngineConfiguration] {
        [scenario.pools[scenario.model.raw].engine] + EngineProfile.all.map(\.configuration)
    }

    /// Refuses a load of nothing.
    static func requireRequests(_ survey: WorkloadSurvey) throws(UsageError) {
        guard survey.requests == 0 else { return }
        let left = survey.tooLong == 0 ? "" : "; \(survey.tooLong) exceed the context"
        throw UsageError("the load offers no request\(left)")
    }

    /// Refuses a warm-up that leaves nothing to count.
    static func requireCounted(
        _ scenario: Scenario, _ survey: WorkloadSurvey, _ offered: OfferedLoad
    ) throws(UsageError) {
        guard scenario.warmUpNanos > 0 else { return }
        // The load may have been re-spaced since it was surveyed.
        let length =
            scenario.offeringNanos.map { Double($0) }
            ?? offered.requestsPerSecond.map { Double(survey.requests - 1) / $0 * 1e9 } ?? 0
        guard Double(scenario.warmUpNanos) >= length else { return }
        throw UsageError(
            "--warm-up leaves nothing to count: the load lasts "
                + Wording.duration(millis: length / 1e6))
    }

    /// Refuses a pair of which not one request could be inside its budget on an idle engine.
    static func requireFeasible(
        _ survey: WorkloadSurvey, profile: String
    ) throws(UsageError) {
        guard let own = survey.unloaded.first else { return }
        guard own.figures.good == 0 else { return }
        let others = zip(EngineProfile.all, survey.unloaded.dropFirst())
        let nearest = others.filter { $0.1.figures.good > 0 }
            .max { $0.1.figures.good < $1.1.figures.good }
        let p50 = own.figures.ttft.p50.map { Wording.duration(millis: $0) } ?? "never"
        throw UsageError(
            "\(profile) cannot serve this budget at all: alone on an idle engine not one of "
                + "\(Wording.grouped(survey.requests)) requests is inside it (TTFT p50 \(p50)); "
                + (nearest.map {
                    "the nearest that could is \($0.0.name), with "
                        + Wording.percent($0.1.figures.good, of: survey.requests)
                        + " of them inside"
                } ?? "no profile could"))
    }
}

extension SimulatedLoad {
    /// A fault with the name of the file it is in.
    func message(_ fault: TraceFault) -> String {
        guard case .file(_, let path) = trace else { return "--trace: \(fault)" }
        return fault.line == 0
            ? "\(path): \(fault.message)" : "\(path):\(fault.line): \(fault.message)"
    }
}
