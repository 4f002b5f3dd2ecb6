import Budget
import EngineModel
import Glibc
import Planning
import Replay
import Report
import RequestPath
import Workload
import World

extension SimulateCommand {
    static func scenario(_ arguments: Arguments) throws -> Scenario {
        let paths = arguments.all("-f")
        guard !paths.isEmpty else { throw UsageError("name the budget: -f examples/budget.yaml") }
        let configuration = try Service.load(paths).configuration
        let name = arguments.text("--model") ?? configuration.models[0].name
        guard let index = configuration.modelIndex(named: name) else {
            let names = configuration.models.map(\.name).joined(separator: ", ")
            throw UsageError("the budget has no model '\(name)'; it has \(names)")
        }
        let profile = try ProfileOption.profile(named: arguments.text("--profile"))
        let engine = profile.configuration
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
        scenario.warmUpNanos = try arguments.duration("--warm-up") ?? 0
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
