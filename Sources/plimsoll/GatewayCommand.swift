import Budget
import Config
import EventLoop
import Gateway
import Glibc

/// `plimsoll gateway`: the request path alone, in front of engines that run elsewhere.
enum GatewayCommand: Command {
    static let synopsis = Synopsis(
        name: "gateway", summary: "the request path alone, in front of real engines",
        usage: "-f FILE|DIR [options]",
        options: [
            .init(name: "-f", value: "FILE|DIR", help: "the budget; may repeat", repeats: true),
            .init(name: "--listen", value: "ADDR:PORT", help: "clients (127.0.0.1:8080)"),
            .init(
                name: "--admin", value: "ADDR:PORT",
                help: "console, health, metrics (127.0.0.1:8081)"),
            .init(name: "--probe", value: "ADDR:PORT", help: "health and metrics alone (off)"),
            .init(name: "--loops", value: "N", help: "event loops, one a core (cores)"),
            .init(
                name: "--drain-delay", value: "TIME",
                help: "keep listening this long after not-ready (0s)"),
            .init(
                name: "--drain-timeout", value: "TIME",
                help: "finish accepted requests within this (30s)"),
            .init(name: "--name-endpoint", help: "tell clients which endpoint answered"),
            .init(name: "--access-log", help: "log every request, not only failures"),
            .init(
                name: "--ca", value: "FILE", help: "CA certificates for https engines (system's)"),
        ],
        example: "plimsoll gateway -f examples/budget.yaml --listen 127.0.0.1:8080",
        notes: "SIGHUP or a change of a file reloads; SIGTERM drains; a second one ends at once.")

    static func run(_ arguments: Arguments) throws -> Int32 {
        let paths = arguments.all("-f")
        guard !paths.isEmpty else { throw UsageError("name the budget: -f FILE|DIR") }
        let listen = try Self.address(arguments, "--listen", "127.0.0.1:8080")
        let admin = try Self.address(arguments, "--admin", "127.0.0.1:8081")
        let probe =
            arguments.has("--probe") ? try Self.address(arguments, "--probe", "") : nil
        var options = GatewayOptions()
        options.namesEndpoint = arguments.has("--name-endpoint")
        let settings = Service.Settings(
            paths: paths, listen: listen, admin: admin, probe: probe,
            loops: try arguments.number("--loops", in: 1...256) ?? Machine.cores,
            drainDelayNanos: try arguments.duration("--drain-delay") ?? 0,
            drainTimeoutNanos: try arguments.duration("--drain-timeout") ?? 30_000_000_000,
            caFile: arguments.text("--ca"), logsAccess: arguments.has("--access-log"),
            options: options)
        return try Service(settings).runUntilSignal()
    }

    static func address(
        _ arguments: Arguments, _ name: String, _ fallback: String
    ) throws(UsageError) -> SocketAddress {
        let text = arguments.text(name) ?? fallback
        guard let address = SocketAddress(parsing: text) else {
            throw UsageError("\(name) '\(text)' is no ADDRESS:PORT, such as 127.0.0.1:8080")
        }
        return address
    }
}

/// What this machine offers.
enum Machine {
    /// Cores this process may run on.
    static var cores: Int { Loop.availableParallelism }

    /// Lets the process open as many files as it may; returns how many.
    static func raiseFileLimit() -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            return 1024
        }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return Int(clamping: limit.rlim_cur)
    }
}
