package import EventLoop
import Glibc
package import Wire

/// What a server does with its requests. Called on the loop's thread.
package protocol ServerHandler: AnyObject {
    /// The head has been read. Returns whether the body shall be read; `false` after an answer.
    func serverHead(_ connection: ServerConnection) -> Bool
    /// The whole request has been read: `head`, and `bodyRange` inside `buffer`.
    func serverRequest(_ connection: ServerConnection)
    /// The request is not HTTP/1.1 as RFC 9112 wants it. Must answer.
    func serverFault(_ connection: ServerConnection, _ fault: WireFault)
    /// There is no room for the body. Must answer.
    func serverOverflow(_ connection: ServerConnection)
    /// The client went away while its request was being served; the connection is closed.
    func serverGone(_ connection: ServerConnection)
    /// The connection is closed: what was kept for it can go. Comes behind `serverGone`.
    func serverClosed(_ connection: ServerConnection)
    /// A slow client has taken everything written so far.
    func serverDrained(_ connection: ServerConnection)
}

/// Bounds of one HTTP server.
package struct ServerLimits: Sendable {
    package var head = HeadLimits()
    package var bodyBytesMax = 32 << 20
    /// Connections of one loop. One more takes the place of one that has sent no whole head.
    package var connectionsMax = 16_384
    /// From the first byte of a head to its last.
    package var headerNanosMax: UInt64 = 10_000_000_000
    /// Between two reads of a body.
    package var bodyNanosMax: UInt64 = 30_000_000_000
    /// Slower than this on the whole, a body is not waited for.
    package var bodyBytesPerSecondMin: UInt64 = 16 << 10
    /// Between two requests of a connection.
    package var idleNanosMax: UInt64 = 75_000_000_000
    /// Between two moments at which a client takes some of a finished answer.
    package var writeNanosMax: UInt64 = 30_000_000_000
    /// How long bytes behind a refused request are read and dropped.
    package var lingerNanos: UInt64 = 2_000_000_000
    /// Bytes of following requests held while one is served.
    package var pipelinedBytesMax = 64 << 10
    /// Bytes of answers that a client may leave unread before its next request is looked at.
    package var unreadBytesMax = 256 << 10

    package init() {}
}

/// An HTTP/1.1 server on one loop.
package final class HTTPServer {
    package let loop: Loop
    package let handler: any ServerHandler
    package let limits: ServerLimits
    package let buffered: BufferedBytes
    package let pool = BlockPool()
    /// Answers say `Connection: close`, and are the last of their connection.
    package private(set) var isDraining = false
    /// Connections closed at the bound: waiting ones first, or else the one that came.
    package private(set) var turnedAway: UInt64 = 0
    let head = RequestHead()
    let scratch = HeadBuilder()
    private var connections: [ServerConnection] = []
    private var listeners: [Listener] = []
    private var sweep: LoopTimer?
    /// Where the search for room goes on.
    private var hand = 0
    /// Connections looked at for room: a bound on what a flood of connections costs.
    private static let roomSearchMax = 64
    private var date: [UInt8] = []
    private var dateSecond = 0

    /// `handler` is retained, and may hold the server in turn: a server lives as long as its loop.
    package init(
        _ loop: Loop, handler: any ServerHandler, limits: ServerLimits = ServerLimits(),
        buffered: BufferedBytes = BufferedBytes(max: 256 << 20)
    ) {
        self.loop = loop
        self.handler = handler
        self.limits = limits
        self.buffered = buffered
        let timer = LoopTimer(loop) { [unowned self] in self.sweepTimeouts() }
        timer.arm(everyMillis: 250)
        self.sweep = timer
    }

    /// Connections open now.
    package var connectionCount: Int { self.connections.count }

    /// Listens; returns the bound address.
    package func listen(_ address: SocketAddress) throws(StreamError) -> SocketAddress {
        let listener = try Listener(self.loop, address: address, delegate: NoStreamDelegate.shared)
        {
            [unowned self] stream in self.accepted(stream)
        }
        self.listeners.append(listener)
        return listener.address
    }

    /// Closes connections behind their next answer from now on, still accepting: clients learn to
    /// go elsewhere before they would be cut off.
    package func closeBehindAnswers() { self.isDraining = true }

    /// Stops accepting; connections between requests are closed, others after their answer.
    package func drain() {
        self.isDraining = true
        for listener in self.listeners { listener.close() }
        self.listeners = []
        for connection in self.connections.reversed() { connection.closeIfIdle() }
    }

    private func accepted(_ stream: Stream) {
        if self.connections.count >= self.limits.connectionsMax {
            self.turnedAway += 1
            guard self.makeRoom() else { return stream.close() }
        }
        let connection = ServerConnection(stream, server: self)
        connection.index = self.connections.count
        self.connections.append(connection)
        stream.readStart()
    }

    /// Closes the connection that has waited longest for a head, of the next few in turn: clients
    /// that say nothing, or say it slowly, must not keep others out.
    private func makeRoom() -> Bool {
        var longest: ServerConnection?
        for _ in 0..<min(Self.roomSearchMax, self.connections.count) {
            self.hand = (self.hand + 1) % self.connections.count
            let connection = self.connections[self.hand]
            guard let since = connection.waitsSince else { continue }
            if let best = longest?.waitsSince, best <= since { continue }
            if !connection.stream.hasUnreadBytes { longest = connection }
        }
        longest?.close()
        return longest != nil
    }

    func forget(_ connection: ServerConnection) {
        let index = connection.index
        guard index < self.connections.count, self.connections[index] === connection else { return }
        let last = self.connections.count - 1
        if index != last {
            self.connections[index] = self.connections[last]
            self.connections[index].index = index
        }
        self.connections.removeLast()
        self.handler.serverClosed(connection)
    }

    private func sweepTimeouts() {
        let now = self.loop.now
        for connection in self.connections.reversed()
        where connection.isTimed && connection.deadline < now {
            connection.timedOut()
        }
    }

    /// Adds the `Date` field (RFC 9110 6.6.1), made once a second.
    package func appendDate() {
        var now = time(nil)
        if now != self.dateSecond {
            self.dateSecond = now
            var parts = tm()
            gmtime_r(&now, &parts)
            var text = [CChar](repeating: 0, count: 64)
            let count = strftime(&text, text.count, "date: %a, %d %b %Y %H:%M:%S GMT\r\n", &parts)
            self.date = text[..<count].map { UInt8(bitPattern: $0) }
        }
        self.scratch.append(self.date)
    }
}

/// Holds the delegate's place between accept and adoption, when nothing can happen.
private final class NoStreamDelegate: StreamDelegate, Sendable {
    static let shared = NoStreamDelegate()

    func streamConnected(_ stream: Stream) {}
    func streamBuffer(_ stream: Stream) -> UnsafeMutableRawBufferPointer {
        stream.loop.discard
    }
    func streamRead(_ stream: Stream, count: Int) {}
    func streamEnded(_ stream: Stream, _ error: StreamError?) {}
    func streamDrained(_ stream: Stream) {}
}
