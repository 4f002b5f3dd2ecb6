import EventLoop
import Glibc
package import RequestPath

/// What changed in the gateway, for the log and the console: the newest few hundred entries.
package final class GatewayEvents: Sendable {
    /// One change.
    package enum Change: Sendable {
        case started
        case ladderMoved(ModelID, classIndex: Int, step: Int)
        case healthChanged(EndpointID, healthy: Bool)
        case reloaded(version: Int)
        /// What is wrong with the files, each with its place.
        case reloadRefused(faults: [String])
        case draining
    }

    /// A change and when it was.
    package struct Entry: Sendable {
        /// Rises by one with each change, from 1.
        package var sequence: Int
        /// Wall clock, nanoseconds since 1970.
        package var unixNanos: UInt64
        package var change: Change
    }

    private static let keptMax = 256
    private let kept = Lock<[Entry]>([])
    private let sink: (@Sendable (Change) -> Void)?

    /// `sink` sees each change at once, on the thread where it happened: it must not block.
    package init(sink: (@Sendable (Change) -> Void)? = nil) {
        self.sink = sink
    }

    /// Keeps a change, with the time of day, and hands it to the sink.
    package func add(_ change: Change) {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let nanos = UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
        self.kept.withLock { kept in
            kept.append(
                Entry(
                    sequence: (kept.last?.sequence ?? 0) + 1, unixNanos: nanos, change: change))
            if kept.count > Self.keptMax { kept.removeFirst(kept.count - Self.keptMax) }
        }
        self.sink?(change)
    }

    /// From the oldest kept to the newest.
    package var recent: [Entry] { self.kept.withLock { $0 } }

    func ladderMoved(_ model: ModelID, classIndex: Int, step: Int) {
        self.add(.ladderMoved(model, classIndex: classIndex, step: step))
    }

    func healthChanged(_ endpoint: EndpointID, healthy: Bool) {
        self.add(.healthChanged(endpoint, healthy: healthy))
    }
}
