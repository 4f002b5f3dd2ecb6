import HTTP
import Wire

/// Answers the requests of one admin or probe listener.
final class AdminHandler: ServerHandler {
    private unowned let desk: AdminDesk
    /// Only on the admin listener, which has the console.
    private let hostCheck: HostCheck?

    init(desk: AdminDesk, hostCheck: HostCheck?) {
        self.desk = desk
        self.hostCheck = hostCheck
    }

    func serverHead(_ connection: ServerConnection) -> Bool {
        let head = connection.head
        guard head.method == .get || head.method == .head else {
            self.plain(connection, 405, "only GET and HEAD are answered here\n")
            return false
        }
        guard let hostCheck = self.hostCheck else { return true }
        let host = connection.buffer.withSpan { span in
            String(decoding: (head.host.start..<head.host.end).map { span[$0] }, as: UTF8.self)
        }
        if hostCheck.allows(host) { return true }
        self.plain(
            connection, 403,
            "this Host is no name of the console: open it by its address, or as localhost\n")
        return false
    }

    func serverRequest(_ connection: ServerConnection) {
        let path = connection.buffer.withSpan { span in
            let range = connection.head.path(span)
            return String(decoding: (range.start..<range.end).map { span[$0] }, as: UTF8.self)
        }
        switch path {
        case "/healthz": self.plain(connection, 200, "ok\n")
        case "/readyz":
            let reasons = self.desk.view.notReady
            self.plain(
                connection, reasons.isEmpty ? 200 : 503,
                reasons.isEmpty ? "ready\n" : reasons.map { "\($0)\n" }.joined())
        case "/metrics":
            self.answer(
                connection, "text/plain; version=0.0.4; charset=utf-8",
                GatewayMetrics.page(self.desk.view))
        default:
            if self.hostCheck == nil || !self.console(connection, path) {
                self.plain(connection, 404, "no such page\n")
            }
        }
    }

    /// Pages of the admin listener; `false` when there is none at `path`.
    private func console(_ connection: ServerConnection, _ path: String) -> Bool {
        switch path {
        case "/api/state":
            self.answer(connection, "application/json", self.desk.state(wholeHistory: true))
        case "/api/events": self.startEvents(connection)
        case "/chart.js":
            guard let library = self.desk.chartLibrary else { return false }
            self.answer(connection, "text/javascript; charset=utf-8", library)
        default:
            guard let page = Page.at(path) else { return false }
            self.answer(connection, page.contentType, page.bytes)
        }
        return true
    }

    private func startEvents(_ connection: ServerConnection) {
        guard connection.head.method == .get else {
            return self.answer(connection, "text/event-stream", [])
        }
        let head = HeadBuilder()
        head.statusLine(200)
        head.field("content-type", "text/event-stream")
        Self.appendSecurity(head)
        connection.appendFraming(head, length: nil)
        head.append("\r\n")
        if !self.desk.watch(connection, head: head) {
            self.plain(connection, 503, "too many consoles watch: close one\n")
        }
    }

    private func plain(_ connection: ServerConnection, _ status: Int, _ text: String) {
        connection.respond(
            status: status, contentType: "text/plain; charset=utf-8",
            fields: { Self.appendSecurity($0) }, body: Array(text.utf8))
    }

    private func answer(
        _ connection: ServerConnection, _ contentType: StaticString, _ body: [UInt8]
    ) {
        connection.respond(
            status: 200, contentType: contentType, fields: { Self.appendSecurity($0) },
            body: body)
    }

    /// Nothing of another origin is loaded, nothing is framed, guessed or kept.
    private static func appendSecurity(_ head: HeadBuilder) {
        head.field(
            "content-security-policy",
            "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
        head.field("x-content-type-options", "nosniff")
        head.field("x-frame-options", "DENY")
        head.field("referrer-policy", "no-referrer")
        head.field("cache-control", "no-store")
    }

    func serverFault(_ connection: ServerConnection, _ fault: WireFault) {
        if connection.isExchanging { return connection.close() }
        self.plain(connection, fault.status, "\(fault.message)\n")
    }

    func serverOverflow(_ connection: ServerConnection) {
        self.plain(connection, 413, "no body is wanted here\n")
    }

    func serverGone(_ connection: ServerConnection) {}

    func serverClosed(_ connection: ServerConnection) {
        self.desk.forget(connection)
    }

    func serverDrained(_ connection: ServerConnection) {}
}
