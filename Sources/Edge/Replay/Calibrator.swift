import EventLoop
import Synchronization

/// Loads an engine a little, in ways that tell the parts of its step time apart, and gives back the
/// points to fit.
///
/// Closed loop: a group of equal streams begins when the one before has ended. The load is bounded
/// in time, in requests and in streams at once. Every prompt begins with words of its own, so that
/// no prefix cache takes part; token counts are the engine's.
package final class Calibrator: Sendable {
    /// What the run shares with other threads.
    final class Shared: Sendable {
        let onProgress: (@Sendable (CalibrationProgress) -> Void)?
        private let interrupted = Atomic(false)

        init(onProgress: (@Sendable (CalibrationProgress) -> Void)?) {
            self.onProgress = onProgress
        }

        var isInterrupted: Bool { self.interrupted.load(ordering: .relaxed) }

        func interrupt() { self.interrupted.store(true, ordering: .relaxed) }
    }

    private let settings: CalibrationSettings
    private let shared: Shared

    /// Prepares a run; nothing is opened yet. `onProgress` is told at the start of every group, on
    /// the run's thread.
    package init(
        _ settings: CalibrationSettings,
        onProgress: (@Sendable (CalibrationProgress) -> Void)? = nil
    ) {
        self.settings = settings
        self.shared = Shared(onProgress: onProgress)
    }

    /// Ends the run soon; what was measured until then is given back. From any thread.
    package func interrupt() { self.shared.interrupt() }

    /// Runs on the calling thread. Call it once.
    ///
    /// Throws when the target has no address, refuses or breaks the first requests, does not count
    /// tokens, has too little context, or fails several groups one after another.
    package func run() throws(ReplayFault) -> Calibration {
        try self.run(onlyProbes: false)
    }

    /// Asks the engine what it counts for a few texts; for a replay that keeps a trace's lengths.
    package func measurePromptScale() throws(ReplayFault) -> PromptScale {
        try self.run(onlyProbes: true).promptScale
    }

    private func run(onlyProbes: Bool) throws(ReplayFault) -> Calibration {
        let address = try self.settings.target.resolve()
        let calibration = CalibrationLoop(
            Loop(), settings: self.settings, address: address, shared: self.shared,
            onlyProbes: onlyProbes)
        calibration.run()
        if let fault = calibration.fault { throw fault }
        return calibration.calibration
    }
}
