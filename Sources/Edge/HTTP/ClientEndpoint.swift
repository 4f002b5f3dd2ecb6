package import EventLoop
import Time
import Wire

/// One server that a loop sends requests to, and its connections between requests.
package final class ClientEndpoint {
    private static let idleMax = 512
    /// Engines close idle connections after 5 s (uvicorn's default); asking first avoids the race.
    private static let idleNanosMax: UInt64 = 4_000_000_000

    package let address: SocketAddress
    /// The name to verify a certificate against.
    package let host: String
    let tls: TLSContext?
    let headLimits = HeadLimits()
    let head = ResponseHead()
    private let loop: Loop
    private var idle: [ClientConnection] = []
    private var isClosed = false
    /// Connections that do not stand yet, those that began first in front.
    private var connecting: [ClientConnection] = []
    private var connectTimer: LoopTimer?
    private let connectNanosMax: UInt64

    /// `connectNanosMax`: how long a connection may take to be made, TLS included.
    package init(
        _ loop: Loop, address: SocketAddress, host: String, tls: TLSContext? = nil,
        connectNanosMax: UInt64 = 3_000_000_000
    ) {
        self.loop = loop
        self.address = address
        self.host = host
        self.tls = tls
        self.connectNanosMax = connectNanosMax
    }

    deinit {
        self.connectTimer?.close()
    }

    /// An idle connection, the one used last first, or a new one.
    ///
    /// `fresh`: a new one whatever is idle, for the retry after a reused one turned out dead.
    package func connection(fresh: Bool = false) -> ClientConnection {
        if !fresh {
            while let kept = self.idle.popLast() {
                if kept.isClosed { continue }
                if self.loop.now.nanosSince(kept.idleSince) < Self.idleNanosMax { return kept }
                kept.close()
            }
        }
        return ClientConnection(self.loop, endpoint: self)
    }

    /// Closes idle connections; those in use are closed when their response ends.
    package func close() {
        self.isClosed = true
        for connection in self.idle { connection.close() }
        self.idle = []
    }

    func giveBack(_ connection: ClientConnection) {
        guard !self.isClosed, self.idle.count < Self.idleMax else { return connection.close() }
        connection.idleSince = self.loop.now
        self.closeStale()
        self.idle.append(connection)
    }

    /// What has waited too long to be used again stands at the front: used last is used first.
    private func closeStale() {
        var stale = 0
        while stale < self.idle.count,
            self.loop.now.nanosSince(self.idle[stale].idleSince) >= Self.idleNanosMax
        {
            stale += 1
        }
        guard stale > 0 else { return }
        let connections = self.idle[..<stale]
        self.idle.removeFirst(stale)
        for connection in connections { connection.close() }
    }

    // MARK: Connecting

    /// A host that has vanished answers nothing: the wait for it is bounded.
    func connecting(_ connection: ClientConnection) {
        self.connecting.append(connection)
        if self.connecting.count == 1 { self.armConnectTimer() }
    }

    /// It stands, or is closed.
    func connected(_ connection: ClientConnection) {
        guard let place = self.connecting.firstIndex(where: { $0 === connection }) else { return }
        self.connecting.remove(at: place)
        if self.connecting.isEmpty { self.connectTimer?.disarm() }
    }

    private func armConnectTimer() {
        guard let first = self.connecting.first else { return }
        let timer =
            self.connectTimer ?? LoopTimer(self.loop) { [weak self] in self?.giveUpConnecting() }
        self.connectTimer = timer
        timer.arm(at: first.startedAt.advanced(byNanos: self.connectNanosMax))
    }

    private func giveUpConnecting() {
        while let first = self.connecting.first,
            self.loop.now.nanosSince(first.startedAt) >= self.connectNanosMax
        {
            self.connecting.removeFirst()
            first.connectTimedOut()
        }
        self.armConnectTimer()
    }

    func forget(_ connection: ClientConnection) {
        self.connected(connection)
        // A closed connection is skipped when its turn comes; removing it here keeps the list
        // short.
        if let last = self.idle.last, last === connection { self.idle.removeLast() }
    }
}
