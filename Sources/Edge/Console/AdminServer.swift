package import EventLoop
package import Gateway
import HTTP
import Telemetry

/// Health, metrics and the console, on a loop and a thread of their own: nothing they render ever
/// delays a request.
package final class AdminServer: Sendable {
    /// Where the console is, the port the real one; `nil` without that listener.
    package let adminAddress: SocketAddress?
    /// Where health and metrics alone are; `nil` without that listener.
    package let probeAddress: SocketAddress?
    private let thread: LoopThread

    /// Bounds of the console's live feed, and where its charts come from.
    package struct Options: Sendable {
        /// Consoles that watch at once; more are told to come back.
        package var watchersMax = 16
        /// Bytes that may wait for one of them; one that reads slower is dropped and comes back.
        package var watcherBytesMax = 512 << 10
        /// Between two snapshots.
        package var everyMillis: UInt64 = 1000
        /// Files of which the first that is there serves as the chart library; without any the
        /// console shows tables in place of charts.
        package var chartLibraries = [
            "/usr/share/javascript/chart.js/chart.min.js",
            "/usr/share/javascript/chart.js/chart.js",
        ]

        package init() {}
    }

    private struct Bound: Sendable {
        var admin: SocketAddress?
        var probe: SocketAddress?
    }

    /// Listens on `admin` (everything) and `probe` (health and metrics) where given.
    ///
    /// Throws `StreamError` when an address is taken or not this machine's.
    package init(
        gateway: Gateway, status: ServiceStatus, admin: SocketAddress?, probe: SocketAddress?,
        options: Options = Options()
    ) throws {
        for address in [admin, probe] {
            if let address { try Listener.probe(address) }
        }
        let bound = Handover<Result<Bound, any Error>>()
        self.thread = Loop.spawn { loop in
            let desk = AdminDesk(loop, gateway: gateway, status: status, options: options)
            bound.give(
                Result {
                    Bound(
                        admin: try admin.map { try desk.listen($0, isAdmin: true) },
                        probe: try probe.map { try desk.listen($0, isAdmin: false) })
                })
            // Held for the life of the process: loops are not torn down.
            _ = Unmanaged.passRetained(desk)
        }
        let addresses = try bound.take().get()
        self.adminAddress = addresses.admin
        self.probeAddress = addresses.probe
    }
}

/// What the listeners of one admin loop share. Touched on the loop's thread only.
final class AdminDesk {
    let loop: Loop
    let gateway: Gateway
    let status: ServiceStatus
    let chartLibrary: [UInt8]?
    private var servers: [HTTPServer] = []
    private var handlers: [AdminHandler] = []
    private var watchers: [ServerConnection] = []
    private var history = History()
    private var sampler: LoopTimer?

    private let options: AdminServer.Options

    init(
        _ loop: Loop, gateway: Gateway, status: ServiceStatus, options: AdminServer.Options
    ) {
        self.options = options
        self.chartLibrary = ChartLibrary.load(options.chartLibraries)
        self.loop = loop
        self.gateway = gateway
        self.status = status
        let timer = LoopTimer(loop) { [unowned self] in self.tick() }
        timer.arm(everyMillis: options.everyMillis)
        self.sampler = timer
        self.history.add(self.view)
    }

    func listen(_ address: SocketAddress, isAdmin: Bool) throws -> SocketAddress {
        let handler = AdminHandler(
            desk: self, hostCheck: isAdmin ? HostCheck(listen: address) : nil)
        var limits = ServerLimits()
        limits.bodyBytesMax = 4096
        limits.connectionsMax = 256
        let server = HTTPServer(
            self.loop, handler: handler, limits: limits, buffered: BufferedBytes(max: 1 << 20))
        self.handlers.append(handler)
        self.servers.append(server)
        return try server.listen(address)
    }

    /// The gateway as it is now.
    var view: GatewayView {
        var view = GatewayView(self.gateway, self.status)
        view.watchers = self.watchers.count
        return view
    }

    /// The console's snapshot as JSON; with the whole history, or its latest entries alone.
    func state(wholeHistory: Bool) -> [UInt8] {
        ConsoleState(self.view, self.history, now: self.loop.readClock(), whole: wholeHistory)
            .json
    }

    // MARK: Watchers

    /// Streams snapshots to a console from now on; `false` when too many watch already.
    func watch(_ connection: ServerConnection, head: HeadBuilder) -> Bool {
        guard self.watchers.count < self.options.watchersMax else { return false }
        self.watchers.append(connection)
        Self.send(self.state(wholeHistory: true), head: head, to: connection)
        return true
    }

    func forget(_ connection: ServerConnection) {
        self.watchers.removeAll { $0 === connection }
    }

    private func tick() {
        let view = self.view
        self.history.add(view)
        guard !self.watchers.isEmpty else { return }
        let now = self.loop.readClock()
        let json = ConsoleState(view, self.history, now: now, whole: false).json
        // A copy: closing one takes it out of the list.
        for connection in Array(self.watchers) {
            if connection.stream.pendingBytes > self.options.watcherBytesMax {
                connection.close()
            } else {
                Self.send(json, head: nil, to: connection)
            }
        }
    }

    private static func send(_ json: [UInt8], head: HeadBuilder?, to connection: ServerConnection) {
        let event = Array("data: ".utf8) + json + Array("\n\n".utf8)
        event.withUnsafeBytes { connection.send(head: head, body: [$0], ends: false) }
    }
}
