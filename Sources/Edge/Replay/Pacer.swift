import EventLoop
import Glibc
import Synchronization

/// Wakes a loop at an instant to within a tenth of a millisecond, from a thread of its own.
///
/// A loop's timers count whole milliseconds, and an arrival that is sent late makes its server look
/// slower by as much. One instant is waited for at a time.
///
/// Safety: the semaphore is made for several threads and freed with the last owner, of which the
/// thread is one; the rest is atomic or never changes.
final class Pacer: @unchecked Sendable {
    private static let ended = UInt64.max

    private let semaphore: UnsafeMutablePointer<sem_t>
    private let target = Atomic<UInt64>(0)

    /// `fire` is posted to `mailbox` at each instant.
    init(_ mailbox: Mailbox, fire: @escaping @Sendable () -> Void) {
        self.semaphore = .allocate(capacity: 1)
        sem_init(self.semaphore, 0, 0)
        _ = LoopThread {
            while let nanos = self.nextTarget() {
                Self.sleep(until: nanos)
                mailbox.post(fire)
            }
        }
    }

    deinit {
        sem_destroy(self.semaphore)
        self.semaphore.deallocate()
    }

    /// Fires at `nanos` of the monotonic clock. Not again before it has fired.
    func wake(at nanos: UInt64) {
        self.target.store(nanos, ordering: .releasing)
        sem_post(self.semaphore)
    }

    /// Ends the thread; what was waited for may still fire.
    func end() {
        self.wake(at: Self.ended)
    }

    private func nextTarget() -> UInt64? {
        while sem_wait(self.semaphore) != 0 {}
        let nanos = self.target.load(ordering: .acquiring)
        return nanos == Self.ended ? nil : nanos
    }

    private static func sleep(until nanos: UInt64) {
        var until = timespec()
        until.tv_sec = Int(nanos / 1_000_000_000)
        until.tv_nsec = Int(nanos % 1_000_000_000)
        while clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nil) == EINTR {}
    }
}
