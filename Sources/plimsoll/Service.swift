import Budget
import Config
import EventLoop
import Gateway
import Glibc
import HTTP

/// A running gateway with its configuration, its signals and its end.
final class Service {
    struct Settings {
        var paths: [String]
        var listen: SocketAddress
        var admin: SocketAddress?
        var probe: SocketAddress?
        var loops: Int
        var drainDelayNanos: UInt64
        var drainTimeoutNanos: UInt64
        var caFile: String?
        var options: GatewayOptions
    }

    let gateway: Gateway
    private let settings: Settings
    private let signals: SignalWait

    init(_ settings: Settings) throws {
        self.settings = settings
        // Before any thread starts.
        self.signals = SignalWait([SIGTERM, SIGINT, SIGHUP])
        let files = Machine.raiseFileLimit()
        let configuration = try Self.load(settings.paths)
        let config = try GatewayConfig(configuration)
        try Self.checkExposure(config, settings.listen)
        var options = settings.options
        // Half of the files for clients, half for engines; a few for everything else.
        options.server.connectionsMax = max(64, (files - 64) / 2 / settings.loops)
        let needsTLS = configuration.models.contains { $0.engine.endpoints.contains { $0.isTLS } }
        let tls = needsTLS ? try TLSContext(caFile: settings.caFile) : nil
        let core = GatewayCore(config: config, options: options, tls: tls)
        do {
            self.gateway = try Gateway(core: core, loops: settings.loops, address: settings.listen)
        } catch let error as StreamError {
            throw UsageError("cannot listen on \(settings.listen): \(error.message)")
        }
    }

    /// Reads the budget; its faults end the program with all of them listed.
    static func load(_ paths: [String]) throws -> Configuration {
        switch Configuration.load(paths: paths) {
        case .accepted(let configuration, let warnings):
            for warning in warnings { Console.note("warning: \(warning.text)") }
            guard !configuration.models.isEmpty else {
                throw UsageError("the budget names no Model: there is nothing to serve")
            }
            return configuration
        case .refused(let faults):
            throw UsageError(faults.map(\.text).joined(separator: "\n"))
        }
    }

    /// Without keys anybody who can connect is served: then only this machine may connect.
    static func checkExposure(_ config: GatewayConfig, _ listen: SocketAddress) throws {
        guard !config.requiresKey, !listen.isLoopback else { return }
        throw UsageError(
            "no Tenant has a key, so that \(listen) would serve everybody who can reach it; "
                + "make keys with 'plimsoll key new', or listen on 127.0.0.1")
    }

    /// Serves until SIGTERM or SIGINT, then drains.
    func runUntilSignal() throws -> Int32 {
        Console.note("plimsoll: serving on http://\(self.gateway.address)")
        while true {
            let signal = self.signals.wait()
            if signal == SIGHUP {
                self.reload()
                continue
            }
            return self.drain()
        }
    }

    /// Puts the files' present content in force; a bad file leaves the last good one.
    func reload() {
        do {
            let configuration = try Self.load(self.settings.paths)
            let config = try GatewayConfig(
                configuration, previous: self.gateway.core.currentConfig)
            try Self.checkExposure(config, self.settings.listen)
            self.gateway.core.adopt(config)
            Console.note("plimsoll: configuration \(config.version) is in force")
        } catch {
            let message = (error as? UsageError)?.message ?? "\(error)"
            Console.note("plimsoll: the new configuration is refused, the last good one stays:")
            Console.note(message)
        }
    }

    private func drain() -> Int32 {
        Console.note("plimsoll: draining")
        self.signals.endOnNext()
        let isWhole = self.gateway.drain(timeoutNanos: self.settings.drainTimeoutNanos)
        if !isWhole { Console.note("plimsoll: the drain timeout passed with requests under way") }
        return isWhole ? ExitCode.fine : ExitCode.no
    }
}

/// Waits for signals on the calling thread; they are blocked everywhere else.
final class SignalWait: Sendable {
    private let set: sigset_t

    /// Call before any other thread starts: threads inherit what is blocked.
    init(_ signals: [Int32]) {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in signals { sigaddset(&set, signal) }
        pthread_sigmask(SIG_BLOCK, &set, nil)
        self.set = set
    }

    func wait() -> Int32 {
        var set = self.set
        var signal: Int32 = 0
        while sigwait(&set, &signal) != 0 {}
        return signal
    }

    /// The next signal ends the process at once.
    func endOnNext() {
        _ = LoopThread { [self] in
            while true {
                let signal = self.wait()
                if signal != SIGHUP { _exit(128 + signal) }
            }
        }
    }
}
