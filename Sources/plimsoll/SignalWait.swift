import EventLoop
import Glibc

/// Waits for signals on the calling thread; they are blocked everywhere else.
final class SignalWait: Sendable {
    private let set: sigset_t

    /// Call before any other thread starts: threads inherit what is blocked.
    init(_ signals: [Int32]) {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in signals { sigaddset(&set, signal) }
        pthread_sigmask(SIG_BLOCK, &set, nil)
        self.set = set
    }

    /// The next signal; `nil` when none came in time.
    func wait(atMostNanos nanos: UInt64) -> Int32? {
        var set = self.set
        var left = timespec(
            tv_sec: Int(nanos / 1_000_000_000), tv_nsec: Int(nanos % 1_000_000_000))
        let signal = sigtimedwait(&set, nil, &left)
        return signal > 0 ? signal : nil
    }

    /// The next signal, whenever it comes.
    func wait() -> Int32 {
        while true {
            if let signal = self.wait(atMostNanos: 3_600_000_000_000) { return signal }
        }
    }

    /// The next signal ends the process at once.
    func endOnNext() {
        _ = LoopThread { [self] in
            while true {
                let signal = self.wait()
                if signal != SIGHUP { _exit(128 + signal) }
            }
        }
    }
}
