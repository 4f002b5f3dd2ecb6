import EventLoop

/// What the process knows of itself beside its gateway; written by whoever runs it, read by the
/// health, metrics and console pages.
package final class ServiceStatus: Sendable {
    /// What it knows at one moment.
    package struct Values: Sendable {
        package var version: String
        /// Wall clock, nanoseconds since 1970.
        package var startedUnixNanos: UInt64
        package var isDraining = false
        package var reloadsAccepted: UInt64 = 0
        package var reloadsRefused: UInt64 = 0
        /// When the configuration in force was taken up.
        package var loadedUnixNanos: UInt64
        /// What is wrong with the files as they are now; empty when they are in force.
        package var faults: [String] = []
        /// What is legal and probably not meant.
        package var warnings: [String] = []
        /// Each model that a scaler moves.
        package var scaling: [ScalingStatus] = []
        /// Log lines that were dropped.
        package var droppedLogLines: UInt64 = 0
    }

    private let values: Lock<Values>

    package init(version: String, startedUnixNanos: UInt64) {
        self.values = Lock(
            Values(
                version: version, startedUnixNanos: startedUnixNanos,
                loadedUnixNanos: startedUnixNanos))
    }

    package var current: Values { self.values.withLock { $0 } }

    /// Changes it, from any thread.
    package func update(_ body: (inout sending Values) -> Void) {
        self.values.withLock { body(&$0) }
    }
}
