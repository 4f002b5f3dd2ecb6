import Engines
import EventLoop
import HTTP
import RequestPath
import Wire

/// A request's second try at another engine while the first is late: it waits for its first body
/// byte, then takes the first one's place.
final class SecondTry: ClientHandler {
    let dispatch: Dispatch
    let upstream: ClientConnection
    private let exchange: Exchange
    /// The read that its head came in, kept until its body begins.
    private var headBytes: [UInt8] = []
    /// It is the request's only try now: what comes is the answer.
    private var isAnswer = false

    init(_ dispatch: Dispatch, over upstream: ClientConnection, for exchange: Exchange) {
        self.dispatch = dispatch
        self.upstream = upstream
        self.exchange = exchange
    }

    /// The first try is gone: what comes from here on is the answer.
    func becomeAnswer() {
        self.isAnswer = true
        let bytes = self.headBytes
        guard !bytes.isEmpty else { return }
        let head = ResponseHead()
        var scanner = HeadScanner()
        do throws(WireFault) {
            let limits = HeadLimits()
            guard let end = try scanner.headEnd(in: bytes.span, limits: limits) else {
                return
            }
            try head.parse(bytes.span, end: end, toHead: false, limits: limits)
        } catch {
            // These bytes were parsed once before.
            return assertionFailure("a head that was parsed is parsed again: \(error)")
        }
        self.exchange.clientHead(self.upstream, head, bytes.span)
    }

    func clientHead(_ connection: ClientConnection, _ head: ResponseHead, _ bytes: Span<UInt8>) {
        if self.isAnswer { return self.exchange.clientHead(connection, head, bytes) }
        if head.status >= 500 {
            connection.close()
            return self.exchange.secondFailed(EngineAdapter.failure(status: head.status, body: []))
        }
        if head.status >= 300 {
            // The first engine may serve what this one declines.
            connection.close()
            return self.exchange.secondFailed(nil)
        }
        self.headBytes = bytes.withUnsafeBytes { Array($0) }
    }

    func clientBody(_ connection: ClientConnection, _ bytes: UnsafeRawBufferPointer) {
        if !self.isAnswer { self.exchange.secondWon() }
        self.exchange.clientBody(connection, bytes)
    }

    func clientFlush(_ connection: ClientConnection) {
        if self.isAnswer { self.exchange.clientFlush(connection) }
    }

    func clientEnd(_ connection: ClientConnection) {
        // An answer without a body.
        if !self.isAnswer { self.exchange.secondWon() }
        self.exchange.clientEnd(connection)
    }

    func clientFailed(_ connection: ClientConnection, _ failure: ClientFailure) {
        if self.isAnswer { return self.exchange.clientFailed(connection, failure) }
        self.exchange.secondFailed(failure.asFailure)
    }
}

extension ClientFailure {
    /// As admission is told.
    var asFailure: Failure {
        switch self {
        case .connect(let error): error.code == .refused ? .refused : .disconnected
        case .disconnected: .disconnected
        case .malformed: .malformed
        }
    }
}
