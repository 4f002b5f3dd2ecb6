internal import CUV
import Glibc
package import Time

/// One libuv loop and the thread it runs on. Everything a loop owns is touched on its thread only;
/// other threads reach it through `mailbox`.
package final class Loop {
    let uv: UnsafeMutablePointer<uv_loop_t>
    /// The way in for other threads.
    package let mailbox: Mailbox
    /// Monotonic time, read once for each callback.
    package private(set) var now: Instant
    /// When the loop last came back from waiting. What it reads in this turn lay there by then,
    /// however many callbacks come before it.
    package private(set) var wokeAt: Instant
    /// Shared space for bytes that are used up inside one callback.
    package let discard = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
    /// Where encrypted bytes land before OpenSSL reads them.
    let cipherScratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 32 << 10, alignment: 16)
    private let async: UnsafeMutablePointer<uv_async_t>
    private let prepare: UnsafeMutablePointer<uv_prepare_t>
    /// Set before the loop waits, taken back by the first callback after it.
    private var isWaiting = false

    package init() {
        self.uv = .allocate(capacity: 1)
        self.async = .allocate(capacity: 1)
        self.prepare = .allocate(capacity: 1)
        // libuv writes without MSG_NOSIGNAL: a peer that resets must not end the process.
        signal(SIGPIPE, SIG_IGN)
        let status = uv_loop_init(self.uv)
        guard status == 0 else {
            fatalError("libuv could not make an event loop: \(StreamError(uv: status).message)")
        }
        self.now = Instant(nanos: uv_hrtime())
        self.wokeAt = self.now
        self.mailbox = Mailbox(async: self.async)
        uv_async_init(self.uv, self.async) { handle in
            guard let data = handle?.pointee.data else { return }
            let loop = Unmanaged<Loop>.fromOpaque(data).takeUnretainedValue()
            loop.refresh()
            loop.mailbox.runAll()
        }
        self.async.pointee.data = Unmanaged.passUnretained(self).toOpaque()
        uv_prepare_init(self.uv, self.prepare)
        self.prepare.pointee.data = Unmanaged.passUnretained(self).toOpaque()
        uv_prepare_start(self.prepare) { handle in
            guard let data = handle?.pointee.data else { return }
            Unmanaged<Loop>.fromOpaque(data).takeUnretainedValue().isWaiting = true
        }
    }

    /// Cores this process may run on.
    package static var availableParallelism: Int { Int(uv_available_parallelism()) }

    /// Runs until `stop`, on the calling thread.
    package func run() {
        _ = uv_run(self.uv, UV_RUN_DEFAULT)
    }

    /// Ends `run` after the current callbacks.
    package func stop() {
        uv_stop(self.uv)
    }

    /// Reads the clock. Called by every callback that enters from libuv.
    func refresh() {
        self.now = Instant(nanos: uv_hrtime())
        if self.isWaiting {
            self.isWaiting = false
            self.wokeAt = self.now
        }
    }

    /// The monotonic clock at this moment, for spans inside one callback.
    package func readClock() -> Instant {
        Instant(nanos: uv_hrtime())
    }

    /// The monotonic clock of every loop, for threads that have none.
    package static func monotonicNow() -> Instant {
        Instant(nanos: uv_hrtime())
    }

    /// Starts a thread with a loop of its own. `body` sets the loop up; then it runs until stopped.
    package static func spawn(_ body: @escaping @Sendable (Loop) -> Void) -> LoopThread {
        LoopThread {
            let loop = Loop()
            body(loop)
            loop.run()
        }
    }
}

/// A thread that runs one closure to its end.
package final class LoopThread: Sendable {
    private let thread: pthread_t

    private final class Entry {
        let body: @Sendable () -> Void

        init(body: @escaping @Sendable () -> Void) {
            self.body = body
        }
    }

    package init(_ body: @escaping @Sendable () -> Void) {
        var thread = pthread_t()
        let entry = Unmanaged.passRetained(Entry(body: body))
        let status = pthread_create(
            &thread, nil,
            { raw in
                guard let raw else { return nil }
                let entry = Unmanaged<Entry>.fromOpaque(raw).takeRetainedValue()
                entry.body()
                return nil
            }, entry.toOpaque())
        guard status == 0 else { fatalError("no thread could be started: error \(status)") }
        self.thread = thread
    }

    /// Lets the calling thread go before ordinary ones (`SCHED_RR`), or no longer; threads that it
    /// starts follow it. Where the system does not allow it, to users without `CAP_SYS_NICE`,
    /// nothing changes.
    package static func setUrgent(_ isUrgent: Bool) {
        var parameters = sched_param()
        parameters.sched_priority = isUrgent ? 1 : 0
        pthread_setschedparam(pthread_self(), isUrgent ? SCHED_RR : SCHED_OTHER, &parameters)
    }

    /// Waits until the thread has ended.
    package func join() {
        pthread_join(self.thread, nil)
    }
}

/// Closures that other threads hand to a loop, run in order on the loop's thread.
///
/// Each live request has at most a few posts under way, so the connection limit bounds it.
// Safety: `posts` is behind a mutex, and `uv_async_send` may be called from any thread. The handle
// lives as long as the process: loops are never torn down.
package final class Mailbox: @unchecked Sendable {
    private let posts = Lock<[@Sendable () -> Void]>([])
    private let async: UnsafeMutablePointer<uv_async_t>

    init(async: UnsafeMutablePointer<uv_async_t>) {
        self.async = async
    }

    /// Runs `body` on the loop's thread, soon. Wakes the loop only when nothing else waits there.
    package func post(_ body: @escaping @Sendable () -> Void) {
        let wasEmpty = self.posts.withLock { posts in
            posts.append(body)
            return posts.count == 1
        }
        if wasEmpty { uv_async_send(self.async) }
    }

    func runAll() {
        let posts = self.posts.withLock { posts in
            let taken = posts
            posts = []
            return taken
        }
        for post in posts { post() }
    }
}
