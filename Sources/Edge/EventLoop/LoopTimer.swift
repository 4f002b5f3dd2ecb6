internal import CUV
package import Time

/// A timer of one loop. Millisecond resolution; fires on the loop's thread.
package final class LoopTimer {
    private let handle: UnsafeMutablePointer<uv_timer_t>
    private let loop: Loop
    private let fire: () -> Void

    /// Creates a timer that is not yet armed. It lives until `close`.
    package init(_ loop: Loop, _ fire: @escaping () -> Void) {
        self.handle = .allocate(capacity: 1)
        self.loop = loop
        self.fire = fire
        uv_timer_init(loop.uv, self.handle)
        // Taken back in the close callback: the handle keeps its timer alive.
        self.handle.pointee.data = Unmanaged.passRetained(self).toOpaque()
    }

    /// Fires once at `instant`, or at once when that is past; replaces an earlier arming.
    package func arm(at instant: Instant) {
        // libuv counts whole milliseconds of the same clock, cut off: the first one that has not
        // begun before `instant` is the right one. Earlier, a deadline would be found not yet come.
        uv_update_time(self.loop.uv)
        let due = instant.nanos / 1_000_000 + (instant.nanos % 1_000_000 == 0 ? 0 : 1)
        let now = uv_now(self.loop.uv)
        self.start(afterMillis: due > now ? due - now : 0, every: 0)
    }

    /// Fires every `millis` milliseconds from now on.
    package func arm(everyMillis millis: UInt64) {
        self.start(afterMillis: millis, every: millis)
    }

    /// Stops the timer; it may be armed again.
    package func disarm() {
        uv_timer_stop(self.handle)
    }

    /// Ends the timer for good.
    package func close() {
        let raw = UnsafeMutableRawPointer(self.handle)
        guard uv_is_closing(raw.assumingMemoryBound(to: uv_handle_t.self)) == 0 else { return }
        uv_close(raw.assumingMemoryBound(to: uv_handle_t.self)) { handle in
            guard let handle, let data = handle.pointee.data else { return }
            Unmanaged<LoopTimer>.fromOpaque(data).release()
            UnsafeMutableRawPointer(handle).deallocate()
        }
    }

    private func start(afterMillis: UInt64, every: UInt64) {
        // libuv counts from its own cached time, which may lag behind a long callback.
        uv_update_time(self.loop.uv)
        uv_timer_start(
            self.handle,
            { handle in
                guard let data = handle?.pointee.data else { return }
                let timer = Unmanaged<LoopTimer>.fromOpaque(data).takeUnretainedValue()
                timer.loop.refresh()
                timer.fire()
            }, afterMillis, every)
    }
}
