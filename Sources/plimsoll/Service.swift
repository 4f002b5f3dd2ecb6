import Budget
import Config
import Console
import EventLoop
import Gateway
import Glibc
import HTTP
import Telemetry

/// A running gateway with its configuration, its admin listeners, its signals and its end.
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
        /// Log every request, not only failures.
        var logsAccess = false
        /// What is put into the budget after it was read, at start and at each reload.
        var complete: (Configuration) throws -> Configuration = { $0 }
        /// Sees every request's record, on the loop's thread.
        var recorder: (@Sendable (RequestRecord) -> Void)?
        var options: GatewayOptions
    }

    let gateway: Gateway
    let admin: AdminServer
    private let settings: Settings
    private let signals: SignalWait
    private let status: ServiceStatus
    private let log: ServiceLog
    private var files: FileWatch
    /// The budget in force as it was read, before anything was put into it.
    private var written: Configuration

    init(_ settings: Settings) throws {
        self.settings = settings
        // Before any thread starts.
        self.signals = SignalWait([SIGTERM, SIGINT, SIGHUP])
        // Before the files are read: a change meanwhile is seen as one.
        self.files = FileWatch(settings.paths)
        let status = ServiceStatus(
            version: Plimsoll.version, startedUnixNanos: WallClock.unixNanos())
        self.status = status
        let fileLimit = Machine.raiseFileLimit()
        let loaded = try Self.load(settings.paths)
        self.written = loaded.configuration
        let configuration = try settings.complete(loaded.configuration)
        let config = try GatewayConfig(configuration)
        try Self.checkExposure(config, settings.listen)
        var options = settings.options
        // Half of the files for clients, half for engines; a few for everything else.
        options.server.connectionsMax = max(64, (fileLimit - 512) / 2 / settings.loops)
        let needsTLS = configuration.models.contains {
            $0.engine.endpoints.contains { $0.isTLS }
        }
        let tls = needsTLS ? try TLSContext(caFile: settings.caFile) : nil
        let log = ServiceLog(config: config, status: status, logsAccess: settings.logsAccess)
        self.log = log
        let events = GatewayEvents { log.write($0) }
        let core = GatewayCore(config: config, options: options, tls: tls, events: events)
        do {
            self.gateway = try Gateway(
                core: core, loops: settings.loops, address: settings.listen,
                recorder: { [recorder = settings.recorder] record in
                    log.write(record)
                    recorder?(record)
                })
        } catch let error as StreamError {
            throw UsageError("cannot listen on \(settings.listen): \(error.message)")
        }
        do {
            self.admin = try AdminServer(
                gateway: self.gateway, status: status, admin: settings.admin,
                probe: settings.probe)
        } catch let error as StreamError {
            throw UsageError("cannot listen for the console and health: \(error.message)")
        }
        self.status.update { $0.warnings = loaded.warnings }
        log.warn(loaded.warnings)
    }

    /// What came of reading the budget's files.
    struct Loaded {
        var configuration: Configuration
        var warnings: [String]
    }

    /// Reads the budget; its faults are thrown, all of them listed.
    static func load(_ paths: [String]) throws(BudgetRefused) -> Loaded {
        switch Configuration.load(paths: paths) {
        case .accepted(let configuration, let warnings):
            guard !configuration.models.isEmpty else {
                throw BudgetRefused(["the budget names no Model: there is nothing to serve"])
            }
            return Loaded(configuration: configuration, warnings: warnings.map(\.text))
        case .refused(let faults): throw BudgetRefused(faults.map(\.text))
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
        self.announce()
        while !self.turn(atMostNanos: 1_000_000_000) {}
        return self.drain()
    }

    /// Says where it serves.
    func announce() {
        self.log.started(
            listen: self.gateway.address, admin: self.admin.adminAddress,
            probe: self.admin.probeAddress, loops: self.settings.loops)
        self.gateway.core.events.add(.started)
    }

    /// Waits a while and does what signals and changed files ask for; `true` when asked to end.
    func turn(atMostNanos nanos: UInt64) -> Bool {
        switch self.signals.wait(atMostNanos: nanos) {
        case nil:
            if self.files.hasChanged() { self.reload() }
            return false
        case SIGHUP:
            self.reload()
            return false
        default: return true
        }
    }

    /// Puts the files' present content in force; a bad file leaves the last good one.
    func reload() {
        do {
            let loaded = try Self.load(self.settings.paths)
            let config = try GatewayConfig(
                try self.settings.complete(loaded.configuration),
                previous: self.gateway.core.currentConfig)
            try Self.checkExposure(config, self.settings.listen)
            self.written = loaded.configuration
            self.log.adopt(config)
            self.status.update {
                $0.reloadsAccepted += 1
                $0.loadedUnixNanos = WallClock.unixNanos()
                $0.faults = []
                $0.warnings = loaded.warnings
            }
            self.gateway.adopt(config)
            self.log.warn(loaded.warnings)
        } catch {
            let faults = (error as? BudgetRefused)?.faults ?? ["\(error)"]
            self.status.update {
                $0.reloadsRefused += 1
                $0.faults = faults
            }
            self.gateway.core.events.add(.reloadRefused(faults: faults))
        }
    }

    /// What the console shows of scaling from now on.
    func show(_ scaling: [ScalingStatus]) {
        self.status.update { $0.scaling = scaling }
    }

    /// Puts the same budget in force anew, since what is put into it has changed.
    func refresh() throws {
        let config = try GatewayConfig(
            try self.settings.complete(self.written), previous: self.gateway.core.currentConfig)
        self.log.adopt(config)
        self.gateway.adopt(config)
    }

    /// Not ready first, so that nobody new is sent here; then no more connections; then the end.
    func drain() -> Int32 {
        self.status.update { $0.isDraining = true }
        self.signals.endOnNext()
        self.gateway.core.events.add(.draining)
        self.gateway.core.closeBehindAnswers()
        Self.sleep(nanos: self.settings.drainDelayNanos)
        let isWhole = self.gateway.drain(timeoutNanos: self.settings.drainTimeoutNanos)
        self.log.drained(isWhole: isWhole)
        return isWhole ? ExitCode.fine : ExitCode.no
    }

    private static func sleep(nanos: UInt64) {
        var left = timespec(
            tv_sec: Int(nanos / 1_000_000_000), tv_nsec: Int(nanos % 1_000_000_000))
        var rest = timespec()
        while nanosleep(&left, &rest) != 0, errno == EINTR { left = rest }
    }
}

/// The budget's files are wrong: each fault with its place.
struct BudgetRefused: Error, CustomStringConvertible {
    var faults: [String]

    init(_ faults: [String]) {
        self.faults = faults
    }

    var description: String { self.faults.joined(separator: "\n") }
}
