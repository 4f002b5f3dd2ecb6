package import RequestPath
import Synchronization

/// What changed in the gateway, for the log and the console: the newest few hundred entries.
package final class GatewayEvents: Sendable {
    /// One change.
    package enum Change: Sendable {
        case ladderMoved(ModelID, classIndex: Int, step: Int)
        case healthChanged(EndpointID, healthy: Bool)
        case reloaded(version: Int)
        case reloadRefused(faults: Int)
        case draining
    }

    private static let keptMax = 256
    private let kept = Mutex<[(sequence: Int, change: Change)]>([])
    private let sink: (@Sendable (Change) -> Void)?

    /// `sink` sees each change at once, on the thread where it happened.
    package init(sink: (@Sendable (Change) -> Void)? = nil) {
        self.sink = sink
    }

    package func add(_ change: Change) {
        self.kept.withLock { kept in
            kept.append(((kept.last?.sequence ?? 0) + 1, change))
            if kept.count > Self.keptMax { kept.removeFirst(kept.count - Self.keptMax) }
        }
        self.sink?(change)
    }

    func ladderMoved(_ model: ModelID, classIndex: Int, step: Int) {
        self.add(.ladderMoved(model, classIndex: classIndex, step: step))
    }

    func healthChanged(_ endpoint: EndpointID, healthy: Bool) {
        self.add(.healthChanged(endpoint, healthy: healthy))
    }
}
