import Budget
import EngineModel
import Glibc
import Planning
import Replay
import Report
import RequestPath
import Workload
import World

/// Where a simulation's arrivals come from.
struct SimulatedLoad {
    var trace: TraceSpec
    var transform: ArrivalStream.Transform

    /// A fresh stream from the first arrival.
    func open(seed: UInt64) throws(TraceFault) -> ArrivalStream {
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
}

extension SimulateCommand {
    static func source(_ arguments: Arguments) throws(UsageError) -> SimulatedLoad {
        guard let text = arguments.text("--trace") else {
            throw UsageError("name the load: --trace azure:FILE, or poisson:rate=5,in=512,out=64")
        }
        var load = SimulatedLoad(
            trace: try ReplayCommand.trace(text), transform: ArrivalStream.Transform())
        load.transform.speed = try arguments.decimal("--speed") ?? 1
        load.transform.durationNanos = try arguments.duration("--for")
        if case .generator = load.trace, load.transform.durationNanos == nil {
            throw UsageError("drawn load has no end of its own: add --for 60s")
        }
        guard case .file(_, let path) = load.trace else { return load }
        // Read once before: a fault in the last line must not show in the middle of the runs.
        var whole = load
        whole.transform.durationNanos = nil
        do throws(TraceFault) {
            var stream = try whole.open(seed: 1)
            while try stream.next() != nil {}
        } catch {
            let place = error.line == 0 ? path : "\(path):\(error.line)"
            throw UsageError("\(place): \(error.message)")
        }
        return load
    }

    static func scenario(_ arguments: Arguments) throws -> Scenario {
        let paths = arguments.all("-f")
        guard !paths.isEmpty else { throw UsageError("name the budget: -f examples/budget.yaml") }
        let configuration = try Service.load(paths).configuration
        let name = arguments.text("--model") ?? configuration.models[0].name
        guard let index = configuration.modelIndex(named: name) else {
            let names = configuration.models.map(\.name).joined(separator: ", ")
            throw UsageError("the budget has no model '\(name)'; it has \(names)")
        }
        let profileName = arguments.text("--profile") ?? EngineProfile.llama31With8B.name
        guard let profile = EngineProfile.named(profileName) else {
            let names = EngineProfile.all.map(\.name).joined(separator: ", ")
            throw UsageError("--profile '\(profileName)' is none of \(names)")
        }
        var engine = profile.configuration
        engine.batchedTokensMax = 1_024
        let replicas = try arguments.number("--replicas", in: 1...10_000) ?? 1
        let model = configuration.models[index]
        var scenario = Scenario(
            plan: Plan(configuration), model: ModelID(raw: index),
            defaultClass: model.defaultClassIndex, budget: ReportBudget(model),
            pools: configuration.models.map { _ in
                Scenario.EnginePool(engine: engine, replicas: replicas, gpus: profile.gpus)
            })
        if let text = arguments.text("--retry") {
            guard let retry = Clients.Retry(rawValue: text) else {
                throw UsageError("--retry '\(text)' is none of off, honour, ignore")
            }
            scenario.clients.retry = retry
        }
        scenario.clients.patienceNanos = try arguments.duration("--patience")
        scenario.pricePerGPUHour = model.accelerator
            .flatMap { configuration.pool(named: $0.pool)?.pricePerGPUHour }
            .map { Double($0.microUnits) / 1e6 }
        if let path = arguments.text("--faults") {
            scenario.faults = try Self.faults(path, endpoints: scenario.endpointCount)
        }
        return scenario
    }

    private static func faults(_ path: String, endpoints: Int) throws -> [ScriptedFault] {
        var bytes: [UInt8] = []
        do {
            let file = try TraceFile(path: path)
            while let piece = try file.next() { bytes += piece }
        } catch {
            throw UsageError("\(path): \(error.message)")
        }
        do {
            return try FaultScript.parse(
                String(decoding: bytes, as: UTF8.self), endpoints: endpoints)
        } catch {
            throw UsageError(
                error.problems.map { "\(path):\($0)" }.joined(separator: "\n"))
        }
    }
}
