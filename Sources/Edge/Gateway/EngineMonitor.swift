import Budget
import Engines
import EventLoop
import HTTP
import RequestPath
import Time
import Wire

/// Asks engines for their health and their gauges, on one loop for the whole gateway.
///
/// Busy is not dead: an engine may take a second to answer a scrape, so that a late answer is only
/// late, and nothing but a failed health probe counts against it.
final class EngineMonitor {
    private let gateway: GatewayLoop
    private var timer: LoopTimer?
    private var targets: [Target?] = []
    private var random: UInt64

    /// What is under way for one endpoint.
    private struct Target {
        var probeAt: Instant
        var scrapeAt: Instant
        var probe: SmallRequest?
        var scrape: SmallRequest?
    }

    init(_ gateway: GatewayLoop) {
        self.gateway = gateway
        self.random = gateway.loop.readClock().nanos | 1
        let timer = LoopTimer(gateway.loop) { [unowned self] in self.turn() }
        timer.arm(everyMillis: 50)
        self.timer = timer
    }

    /// Asks one endpoint's health now.
    func probe(_ endpoint: EndpointID) {
        guard endpoint.raw < self.targets.count else { return }
        self.targets[endpoint.raw]?.probeAt = .zero
        self.turn()
    }

    private func turn() {
        let now = self.gateway.loop.now
        let endpoints = self.gateway.config.endpoints
        for index in endpoints.indices {
            if index == self.targets.count { self.targets.append(nil) }
            guard endpoints[index].isActive,
                let link = self.gateway.endpoint(EndpointID(raw: index))
            else {
                self.targets[index] = nil
                continue
            }
            let model = self.gateway.config.models[endpoints[index].model.raw]
            let adapter = EngineAdapter(model.spec.engine.kind)
            var target = self.targets[index] ?? Target(probeAt: now, scrapeAt: now)
            if target.probe == nil, target.probeAt <= now {
                target.probeAt = now.advanced(
                    byNanos: self.jittered(self.gateway.core.options.probeNanos))
                target.probe = self.startProbe(EndpointID(raw: index), link, adapter)
            }
            if target.scrape == nil, target.scrapeAt <= now, let path = adapter.metricsPath {
                target.scrapeAt = now.advanced(
                    byNanos: self.jittered(self.gateway.core.options.scrapeNanos))
                target.scrape = self.startScrape(EndpointID(raw: index), link, adapter, path)
            }
            self.targets[index] = target
        }
        self.giveUpOld(now)
    }

    private func startProbe(
        _ id: EndpointID, _ link: EngineLink, _ adapter: EngineAdapter
    ) -> SmallRequest {
        SmallRequest(link, path: adapter.healthPath, now: self.gateway.loop.now) {
            [unowned self] answer in
            if id.raw < self.targets.count { self.targets[id.raw]?.probe = nil }
            let healthy = answer.map { adapter.isHealthy(status: $0.status) } ?? false
            self.gateway.step(.probed(id, healthy: healthy))
        }
    }

    private func startScrape(
        _ id: EndpointID, _ link: EngineLink, _ adapter: EngineAdapter, _ path: StaticString
    ) -> SmallRequest {
        SmallRequest(link, path: path, now: self.gateway.loop.now) { [unowned self] answer in
            if id.raw < self.targets.count { self.targets[id.raw]?.scrape = nil }
            guard let answer, answer.status == 200, let gauges = adapter.gauges(answer.body.span)
            else { return self.gateway.metrics.scrapeFailed() }
            self.gateway.step(.scraped(id, gauges))
        }
    }

    private func giveUpOld(_ now: Instant) {
        for index in self.targets.indices {
            if let probe = self.targets[index]?.probe,
                now.nanosSince(probe.started) > SmallRequest.nanosMax
            {
                probe.giveUp()
            }
            if let scrape = self.targets[index]?.scrape,
                now.nanosSince(scrape.started) > SmallRequest.nanosMax
            {
                scrape.giveUp()
            }
        }
    }

    /// `nanos` give or take a fifth, so that scrapers of many gateways do not march in step.
    private func jittered(_ nanos: UInt64) -> UInt64 {
        self.random ^= self.random << 13
        self.random ^= self.random >> 7
        self.random ^= self.random << 17
        return nanos * 4 / 5 + self.random % max(1, nanos * 2 / 5)
    }
}

/// A GET whose whole answer is small enough to be kept.
final class SmallRequest: ClientHandler {
    struct Answer {
        var status: Int
        var body: [UInt8]
    }

    static let bytesMax = 4 << 20
    static let nanosMax: UInt64 = 5_000_000_000

    let started: Instant
    private var answer = Answer(status: 0, body: [])
    private var connection: ClientConnection?
    private var done: ((Answer?) -> Void)?

    init(
        _ link: EngineLink, path: StaticString, now: Instant,
        done: @escaping (Answer?) -> Void
    ) {
        self.started = now
        self.done = done
        let head = HeadBuilder()
        head.append("GET ")
        head.append(path)
        head.append(" HTTP/1.1\r\n")
        head.append(link.hostAndAuthorization)
        head.append("accept-encoding: identity\r\n\r\n")
        let connection = link.client.connection(fresh: true)
        self.connection = connection
        head.withBytes { bytes in
            var one = WriteBuffer(bytes)
            withUnsafeMutablePointer(to: &one) {
                connection.send(UnsafeMutableBufferPointer(start: $0, count: 1), handler: self)
            }
        }
    }

    /// Ends it without an answer.
    func giveUp() {
        self.connection?.close()
        self.finish(nil)
    }

    private func finish(_ answer: Answer?) {
        self.connection = nil
        let done = self.done
        self.done = nil
        done?(answer)
    }

    func clientHead(_ connection: ClientConnection, _ head: ResponseHead, _ bytes: Span<UInt8>) {
        self.answer.status = head.status
    }

    func clientBody(_ connection: ClientConnection, _ bytes: UnsafeRawBufferPointer) {
        self.answer.body.append(contentsOf: bytes)
        if self.answer.body.count > Self.bytesMax { self.giveUp() }
    }

    func clientFlush(_ connection: ClientConnection) {}

    func clientEnd(_ connection: ClientConnection) {
        // Made for this one question: kept, such connections would pile up beside those of
        // requests.
        connection.close()
        self.finish(self.answer)
    }

    func clientFailed(_ connection: ClientConnection, _ failure: ClientFailure) {
        self.finish(nil)
    }
}
