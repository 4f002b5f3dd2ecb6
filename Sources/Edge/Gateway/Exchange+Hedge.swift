import EventLoop
import HTTP
import RequestPath
import Time

/// Two tries of one request: the first to send a body byte is the answer.
extension Exchange {
    /// Sends the request to a second engine as well.
    func hedge(_ dispatch: Dispatch) {
        var dispatch = dispatch
        // The ladder may have moved since: what shaped the first try shapes the second.
        dispatch.ladderStep = self.dispatch.ladderStep
        var isOpen = self.second == nil
        if case .started = self.relay { isOpen = false }
        if isOpen, self.upstream == nil {
            // Another loop's tick said so while the first try broke here: this is the only one.
            self.record.hedge = .won
            self.resetAnswer()
            return self.send(dispatch)
        }
        guard isOpen, let endpoint = self.gateway.endpoint(dispatch.endpoint) else {
            return self.gateway.step(.hedgeFailed(self.requestID, nil))
        }
        // A kept connection may be dead: a second try is not there to find out.
        let upstream = endpoint.client.connection(fresh: true)
        let second = SecondTry(dispatch, over: upstream, for: self)
        self.second = second
        self.record.hedge = .lost
        self.transmit(dispatch, at: endpoint, over: upstream, handler: second)
    }

    /// The first try has answered, or nobody waits any more.
    func dropSecond() {
        guard let second = self.second else { return }
        self.second = nil
        second.upstream.close()
    }

    /// The second try has sent a byte first.
    func secondWon() {
        self.promoteSecond()
        self.gateway.step(.hedgeWon(self.requestID))
    }

    /// Gives the first try up for the second.
    func promoteSecond() {
        guard let second = self.second else { return }
        let sent = self.upstream?.requestWrittenAt ?? self.record.times.dispatched
        self.upstream?.close()
        self.second = nil
        self.upstream = second.upstream
        self.dispatch = second.dispatch
        self.record.endpoint = second.dispatch.endpoint
        self.record.hedge = .won
        self.heardAt = self.gateway.loop.now
        self.resetAnswer()
        second.becomeAnswer()
        // Its engine's silence began when the first one was asked.
        self.record.times.connected = sent
    }

    /// The second try is over; the first goes on.
    ///
    /// `failure`: `nil` where it is none of its engine's.
    func secondFailed(_ failure: Failure?) {
        guard self.second != nil else { return }
        self.second = nil
        guard self.isAdmitted else { return }
        self.gateway.step(.hedgeFailed(self.requestID, failure))
    }
}
