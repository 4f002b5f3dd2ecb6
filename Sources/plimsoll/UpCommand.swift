import Budget
import Config
import Console
import EngineModel
import EventLoop
import Gateway
import Glibc
import Replay
import Report
import RequestPath
import Time

/// `plimsoll up`: the whole system on this machine, under load, with its verdict.
enum UpCommand: Command {
    /// A minute of the demonstration: steady load, then for a quarter of it about twice what two
    /// engines of the default profile carry.
    private static let bundledTrace =
        "step:rate=9,to=36,at=20s,for=15s,in=200-1500,out=50-250"

    static let synopsis = Synopsis(
        name: "up", summary: "the whole system on this machine, under load, with its verdict",
        usage: "[-f FILE|DIR] [--trace TRACE --for TIME] [--scale] [options]",
        options: [
            .init(
                name: "-f", value: "FILE|DIR", help: "the budget (examples/budget.yaml)",
                repeats: true),
            .init(name: "--trace", value: "TRACE", help: "the load; see plimsoll replay (a burst)"),
            .init(name: "--speed", value: "X", help: "the trace runs X times as fast (1)"),
            .init(name: "--for", value: "TIME", help: "how long load is offered (60s)"),
            .init(name: "--seed", value: "N", help: "draws arrivals and prompts (1)"),
            .init(name: "--no-load", help: "only serve"),
            .init(name: "--engines", value: "N", help: "embedded engines a model (2)"),
            .init(name: "--scale", help: "engines come and go as the budget's scaling says"),
            .init(
                name: "--startup", value: "TIME",
                help: "an engine is not ready for this long (0s; 20s with --scale)"),
            .init(
                name: "--decisions", value: "FILE",
                help: "keep each decision of --scale; see plimsoll decisions"),
            .init(
                name: "--profile", value: "NAME|FILE",
                help: "of the embedded engines: " + ProfileOption.help),
            .init(name: "--listen", value: "ADDR:PORT", help: "clients (127.0.0.1:8080)"),
            .init(name: "--admin", value: "ADDR:PORT", help: "console (127.0.0.1:8081)"),
            .init(name: "--loops", value: "N", help: "event loops of the gateway (1)"),
            .init(name: "--output", value: "table|json", help: "how the report is printed"),
            .init(name: "--strict", help: "exit 1 when the budget is broken"),
        ],
        example: "plimsoll up --trace poisson:rate=12,in=512,out=128 --for 30s",
        notes: """
            Starts the gateway, embedded engines as child processes, and the load; prints the budget
            report, HELD or BROKEN. On a terminal it then goes on serving until Ctrl-C.
            """)

    static func run(_ arguments: Arguments) throws -> Int32 {
        let wantsJSON = try arguments.wantsJSON(others: ["table"])
        let engines = EmbeddedEngines()
        defer { engines.end() }
        let check = StageLedgerCheck()
        let scaling = try Self.scaling(arguments, engines)
        let service = try Self.service(arguments, engines, check, scaling)
        service.announce()
        let configuration = service.gateway.core.currentConfig
        switch try Self.waitForEngines(service, scaling) {
        case .ready: break
        case .askedToEnd: return Self.end(service, arguments, true, scaling)
        case .late:
            _ = service.drain()
            throw UsageError("the engines are not ready a minute after their start-up time")
        }
        var isHeld = true
        if !arguments.has("--no-load") {
            guard let settings = try Self.replay(arguments, service, configuration.models[0].spec)
            else {
                _ = service.drain()
                return ExitCode.no
            }
            let outcome = try Self.underLoad(settings, service, check, scaling)
            if let report = outcome.report {
                isHeld = report.report.verdict.map { $0.isHeld } ?? true
                Self.show(report, check, asJSON: wantsJSON)
            }
            if outcome.isAskedToEnd { return Self.end(service, arguments, isHeld, scaling) }
        }
        if Console.isTerminal || arguments.has("--no-load") {
            if let console = service.admin.adminAddress {
                Console.note("still serving; console on http://\(console)/ - Ctrl-C ends")
            }
            while !(try Self.turn(service, scaling)) {}
        }
        return Self.end(service, arguments, isHeld, scaling)
    }

    private static func end(
        _ service: Service, _ arguments: Arguments, _ isHeld: Bool, _ scaling: EmbeddedScaling?
    ) -> Int32 {
        if let scaling { Console.note(scaling.summary) }
        let drained = service.drain()
        if arguments.has("--strict"), !isHeld { return ExitCode.no }
        return drained
    }

    private static func show(
        _ report: ReplayReport, _ check: StageLedgerCheck, asJSON: Bool
    ) {
        if asJSON {
            Console.out((try? JSON.text(report)) ?? "")
            Console.note(check.result.line)
        } else {
            Console.write("\n" + report.table(), to: STDOUT_FILENO)
            Console.out(check.result.line)
        }
    }

    // MARK: Parts

    /// What `--scale` asks for.
    private static func scaling(
        _ arguments: Arguments, _ engines: EmbeddedEngines
    ) throws -> EmbeddedScaling? {
        guard arguments.has("--scale") else {
            guard !arguments.has("--decisions") else {
                throw UsageError("--decisions keeps those of --scale: give both")
            }
            return nil
        }
        guard !arguments.has("--engines") else {
            throw UsageError("--scale counts the engines itself: leave --engines out")
        }
        return EmbeddedScaling(
            engines: engines, startupNanos: try arguments.duration("--startup"),
            options: Self.engineOptions(arguments), decisionsPath: arguments.text("--decisions"))
    }

    private static func engineOptions(_ arguments: Arguments) -> [String] {
        ["--profile", "--startup"].flatMap { name in
            arguments.text(name).map { [name, $0] } ?? []
        }
    }

    /// A tenth of a second of serving; `true` when asked to end.
    private static func turn(_ service: Service, _ scaling: EmbeddedScaling?) throws -> Bool {
        if service.turn(atMostNanos: 100_000_000) { return true }
        if let scaling {
            try scaling.turn(service.gateway.core) { try service.refresh() }
            service.show(scaling.status)
        }
        return false
    }

    private static func service(
        _ arguments: Arguments, _ engines: EmbeddedEngines, _ check: StageLedgerCheck,
        _ scaling: EmbeddedScaling?
    ) throws -> Service {
        let paths = arguments.has("-f") ? arguments.all("-f") : [try Self.exampleBudget()]
        let perModel = try arguments.number("--engines", in: 1...64) ?? 2
        let options = Self.engineOptions(arguments)
        var settings = Service.Settings(
            paths: paths,
            listen: try GatewayCommand.address(arguments, "--listen", "127.0.0.1:8080"),
            admin: try GatewayCommand.address(arguments, "--admin", "127.0.0.1:8081"), probe: nil,
            loops: try arguments.number("--loops", in: 1...256) ?? 1, drainDelayNanos: 0,
            drainTimeoutNanos: 30_000_000_000, caFile: nil, options: GatewayOptions())
        settings.recorder = { check.recorded($0) }
        // The engines of the start stay through reloads.
        var addresses: [String: [EngineEndpoint]] = [:]
        settings.complete = { configuration in
            let configuration = try scaling?.completed(configuration) ?? configuration
            if addresses.isEmpty {
                let completed = try engines.start(
                    for: configuration, perModel: perModel, options: options,
                    isLeftOut: { scaling?.owns($0) ?? false })
                for model in completed.models { addresses[model.name] = model.engine.endpoints }
                return completed
            }
            var models = configuration.models
            for index in models.indices
            where models[index].engine.endpoints.isEmpty
                && scaling?.owns(models[index].name) != true
            {
                models[index].engine.endpoints = addresses[models[index].name] ?? []
            }
            return Configuration(
                models: models, tenants: configuration.tenants, pools: configuration.pools)
        }
        return try Service(settings)
    }

    /// The budget that comes with the program: beside the working folder, or beside the binary.
    private static func exampleBudget() throws(UsageError) -> String {
        var places = ["examples/budget.yaml"]
        var path = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &path, path.count - 1)
        if count > 0 {
            var folder = String(
                decoding: path[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
            for _ in 0..<5 {
                guard let slash = folder.lastIndex(of: "/") else { break }
                folder = String(folder[..<slash])
                places.append(folder + "/examples/budget.yaml")
                places.append(folder + "/share/plimsoll/budget.yaml")
            }
        }
        for place in places where access(place, R_OK) == 0 { return place }
        throw UsageError("the example budget is not found; name one: -f FILE|DIR")
    }

    private enum Waited {
        case ready, late, askedToEnd
    }

    /// Waits until every engine takes work, a minute beyond what starting takes.
    private static func waitForEngines(
        _ service: Service, _ scaling: EmbeddedScaling?
    ) throws -> Waited {
        let start = Loop.monotonicNow()
        let most = 60_000_000_000 + (scaling?.startupNanos ?? 0)
        while Loop.monotonicNow().nanosSince(start) < most {
            let endpoints = service.gateway.core.currentConfig.endpoints
            let wanted = endpoints.indices.filter { endpoints[$0].isActive }
            let isReady = service.gateway.core.inspect { admission in
                wanted.allSatisfy { admission.gauges(of: EndpointID(raw: $0))?.isOpen ?? false }
            }
            if isReady { return .ready }
            if try Self.turn(service, scaling) { return .askedToEnd }
        }
        return .late
    }

    private static func replay(
        _ arguments: Arguments, _ service: Service, _ model: ModelSpec
    ) throws -> ReplaySettings? {
        let target = try Target(parsing: "http://\(service.gateway.address)")
        let trace = try ReplayCommand.trace(arguments.text("--trace") ?? Self.bundledTrace)
        var settings = ReplaySettings(target: target, trace: trace, model: model.name)
        settings.durationNanos = try arguments.duration("--for") ?? 60_000_000_000
        settings.speed = try arguments.decimal("--speed") ?? 1
        settings.seed = UInt64(try arguments.number("--seed", in: 0...Int.max) ?? 1)
        try ReplayCommand.judge(&settings, by: Configuration(models: [model]))
        return settings
    }

    private struct LoadOutcome {
        var report: ReplayReport?
        var isAskedToEnd: Bool
    }

    /// Offers the load on a thread of its own while this one minds signals and files.
    ///
    /// Engines and clients are other machines in reality. On few cores they would take each
    /// other's turns, and the wait for a core would look like the gateway's: where the system
    /// allows it, clients and gateway go before everything else while the load lasts.
    private static func underLoad(
        _ settings: ReplaySettings, _ service: Service, _ check: StageLedgerCheck,
        _ scaling: EmbeddedScaling?
    ) throws -> LoadOutcome {
        let replayer = Replayer(
            settings, onFinish: { check.saw($0) }, onSecond: ReplayCommand.progressLine())
        let done = Handover<Result<ReplayReport, ReplayFault>>()
        service.gateway.core.setUrgent(true)
        defer { service.gateway.core.setUrgent(false) }
        _ = LoopThread {
            LoopThread.setUrgent(true)
            do throws(ReplayFault) {
                done.give(.success(try replayer.run()))
            } catch {
                done.give(.failure(error))
            }
        }
        var isAskedToEnd = false
        while true {
            if let result = done.take(timeoutNanos: 1_000_000) {
                if isatty(STDERR_FILENO) == 1 { Console.write("\r\u{1B}[K", to: STDERR_FILENO) }
                switch result {
                case .success(let report):
                    return LoadOutcome(report: report, isAskedToEnd: isAskedToEnd)
                case .failure(let fault): throw UsageError(fault.message)
                }
            }
            if try Self.turn(service, scaling) {
                isAskedToEnd = true
                replayer.interrupt()
            }
        }
    }
}
