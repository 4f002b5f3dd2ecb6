import Budget
import Console
import EventLoop
import Gateway
import Glibc
import RequestPath
import Telemetry

/// What a running gateway says on standard error: JSON lines, or short ones on a terminal.
final class ServiceLog: Sendable {
    private let log: Log
    private let logsAccess: Bool
    private let status: ServiceStatus
    /// For names; the log may be a moment behind or ahead of the loops.
    private let config: Lock<GatewayConfig>

    init(config: GatewayConfig, status: ServiceStatus, logsAccess: Bool) {
        self.log = Log(
            form: isatty(STDERR_FILENO) == 1 ? .human : .json,
            ratePerSecond: logsAccess ? 10_000 : 50)
        self.logsAccess = logsAccess
        self.status = status
        self.config = Lock(config)
    }

    func adopt(_ config: GatewayConfig) {
        self.config.withLock { $0 = config }
    }

    func started(
        listen: SocketAddress, admin: SocketAddress?, probe: SocketAddress?, loops: Int
    ) {
        var fields: [(name: String, value: LogLine.Value)] = [
            ("serving", .text("http://\(listen)"))
        ]
        if let admin { fields.append(("console", .text("http://\(admin)/"))) }
        if let probe { fields.append(("probe", .text("http://\(probe)"))) }
        fields.append(("loops", .whole(loops)))
        fields.append(("version", .text(Plimsoll.version)))
        self.log.write(LogLine(.info, "started", fields))
        if let admin, !admin.isLoopback {
            self.log.write(
                LogLine(
                    .warn, "console_exposed",
                    [
                        (
                            "message",
                            .text(
                                "the console asks for no key: everybody who reaches \(admin) can "
                                    + "read it; --probe serves health and metrics alone")
                        )
                    ]))
        }
    }

    func warn(_ warnings: [String]) {
        guard !warnings.isEmpty else { return }
        self.log.write(LogLine(.warn, "budget_warnings", [("warnings", .list(warnings))]))
    }

    /// Says how the drain ended, and waits for the log to be out.
    func drained(isWhole: Bool) {
        self.log.write(
            LogLine(isWhole ? .info : .warn, "drained", [("all_finished", .flag(isWhole))]))
        self.log.flush()
    }

    /// Something changed; the start is told by `started`, with more in it.
    func write(_ change: GatewayEvents.Change) {
        if case .started = change { return }
        self.log.write(change.name) {
            let sentence = self.config.withLock { change.sentence($0) }
            var line = LogLine(
                change.isWarning ? .warn : .info, change.name, [("message", .text(sentence))])
            if case .reloadRefused(let faults) = change {
                line.fields.append(("faults", .list(faults)))
            }
            return line
        }
        self.countDropped()
    }

    /// A request ended.
    func write(_ record: RequestRecord) {
        var hasFailed = false
        if case .failed = record.outcome { hasFailed = true }
        guard hasFailed || self.logsAccess else { return }
        let event = hasFailed ? "request_failed" : "request"
        self.log.write(event) {
            LogLine(hasFailed ? .warn : .info, event, self.fields(of: record))
        }
        self.countDropped()
    }

    private func fields(
        of record: RequestRecord
    ) -> [(name: String, value: LogLine.Value)] {
        let names = self.config.withLock { config in
            let model = record.model.map { config.models[$0.raw].spec }
            let className = model.flatMap {
                record.classIndex < $0.classes.count ? $0.classes[record.classIndex].name : nil
            }
            return (
                model?.name ?? "", className ?? "",
                record.tenant.raw < config.tenants.count
                    ? config.tenants[record.tenant.raw].spec.name : "",
                record.endpoint.map {
                    $0.raw < config.endpoints.count ? config.endpoints[$0.raw].engine.url : ""
                } ?? ""
            )
        }
        var fields: [(name: String, value: LogLine.Value)] = [
            ("request_id", .text(String(decoding: record.requestID, as: UTF8.self))),
            ("outcome", .text(record.outcome.sentence)), ("model", .text(names.0)),
            ("class", .text(names.1)), ("tenant", .text(names.2)), ("endpoint", .text(names.3)),
            ("attempts", .whole(record.attempts)), ("ladder_step", .whole(record.ladderStep)),
            ("prompt_tokens", .whole(Int(record.promptTokens))),
            ("output_tokens", .whole(Int(record.outputTokens))),
            ("total_ms", .number(Self.millis(record.endToEndNanos))),
        ]
        for stage in Stage.inOrder {
            fields.append(
                ("\(stage.label)_ms", .number(Self.millis(record.times.nanos(of: stage)))))
        }
        return fields
    }

    /// Milliseconds to the microsecond.
    private static func millis(_ nanos: UInt64) -> Double {
        Double(nanos / 1000) / 1000
    }

    private func countDropped() {
        let dropped = self.log.droppedLines
        if dropped > 0 { self.status.update { $0.droppedLogLines = dropped } }
    }
}

extension GatewayEvents.Change {
    /// The event's name in the log.
    fileprivate var name: String {
        switch self {
        case .started: "started"
        case .ladderMoved: "ladder_moved"
        case .healthChanged: "endpoint_health_changed"
        case .reloaded: "configuration_reloaded"
        case .reloadRefused: "configuration_refused"
        case .draining: "draining"
        }
    }
}
