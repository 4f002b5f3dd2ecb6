import EventLoop
import HTTP
import Report
import Synchronization
import Time
import Workload

/// Sends a workload to a server as it was or would be offered, and reports what came of it.
///
/// Open loop: a request leaves at its instant whatever became of those before, and every latency
/// counts from that instant. At most `inFlightMax` are under way; beyond, an arrival is counted as
/// failed and not sent late. Memory does not grow with the length of the trace.
package final class Replayer: Sendable {
    /// What the run shares with other threads.
    final class Shared: Sendable {
        let onFinish: (@Sendable (ReplayedRequest) -> Void)?
        let onSecond: (@Sendable (ReplayProgress) -> Void)?
        private let progress = Lock(ReplayProgress())
        private let interrupted = Atomic(false)

        init(
            onFinish: (@Sendable (ReplayedRequest) -> Void)?,
            onSecond: (@Sendable (ReplayProgress) -> Void)?
        ) {
            self.onFinish = onFinish
            self.onSecond = onSecond
        }

        var isInterrupted: Bool { self.interrupted.load(ordering: .relaxed) }

        var current: ReplayProgress { self.progress.withLock { $0 } }

        func interrupt() { self.interrupted.store(true, ordering: .relaxed) }

        func publish(_ progress: ReplayProgress) { self.progress.withLock { $0 = progress } }
    }

    private let settings: ReplaySettings
    private let shared: Shared

    /// Prepares a run; nothing is opened yet.
    ///
    /// - Parameters:
    ///   - settings: what is sent, where, and how answers are judged.
    ///   - onFinish: told of every try when it has ended, on the run's thread.
    ///   - onSecond: told once a second, on the run's thread.
    package init(
        _ settings: ReplaySettings, onFinish: (@Sendable (ReplayedRequest) -> Void)? = nil,
        onSecond: (@Sendable (ReplayProgress) -> Void)? = nil
    ) {
        self.settings = settings
        self.shared = Shared(onFinish: onFinish, onSecond: onSecond)
    }

    /// Where the run stands, at most a tenth of a second old. From any thread.
    package var progress: ReplayProgress { self.shared.current }

    /// Ends the run soon: what is under way is counted as abandoned. From any thread.
    package func interrupt() { self.shared.interrupt() }

    /// Runs on the calling thread, to the end of the workload and of its answers. Call it once.
    ///
    /// Throws before anything is sent when the trace has a fault anywhere or the target no address.
    package func run() throws(ReplayFault) -> ReplayReport {
        try ArrivalSource.validate(self.settings)
        let address = try self.settings.target.resolve()
        let arrivals = try ArrivalSource.open(self.settings)
        let loop = Loop()
        let replay = ReplayLoop(
            loop, settings: self.settings, address: address, arrivals: arrivals,
            shared: self.shared)
        replay.run()
        if let fault = replay.fault, case .file(_, let path) = self.settings.trace {
            throw ArrivalSource.fault(fault, path)
        }
        return ReplayReport(replay, self.settings)
    }
}
