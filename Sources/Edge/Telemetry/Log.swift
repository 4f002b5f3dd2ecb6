import EventLoop
import Glibc

/// Writes log lines to a file descriptor from a thread of its own, so that a reader that does not
/// read holds nobody up.
///
/// Bounded twice: of each kind of event at most `ratePerSecond` lines a second are taken, and what
/// waits to be written is at most `waitingBytesMax`. What is dropped is counted, and said in the
/// next line of its kind.
package final class Log: Sendable {
    /// How a line is written.
    package enum Form: Sendable {
        /// One JSON object a line.
        case json
        /// Short lines for a terminal.
        case human
    }

    /// Kinds of events told apart; the rest share one allowance.
    private static let kindsMax = 64
    private static let waitingBytesMax = 1 << 20

    private struct Allowance {
        var second: UInt64 = 0
        var taken = 0
        var dropped = 0
    }

    private struct State {
        var allowances: [String: Allowance] = [:]
        var waiting: [UInt8] = []
        var dropped: UInt64 = 0
        var isWriting = false
    }

    private let state = Lock(State())
    private let signal: Signal
    private let form: Form
    private let ratePerSecond: Int
    private let clock: @Sendable () -> UInt64
    private let descriptor: Int32

    /// - Parameters:
    ///   - descriptor: where lines go.
    ///   - form: JSON, or short lines for a person.
    ///   - ratePerSecond: lines of one kind of event taken in a second.
    ///   - clock: wall clock in nanoseconds since 1970.
    package init(
        descriptor: Int32 = STDERR_FILENO, form: Form, ratePerSecond: Int = 50,
        clock: @escaping @Sendable () -> UInt64 = WallClock.unixNanos
    ) {
        self.descriptor = descriptor
        self.form = form
        self.ratePerSecond = ratePerSecond
        self.clock = clock
        self.signal = Signal()
        // The thread holds the log for as long as the process lives.
        _ = LoopThread { self.writeForever() }
    }

    /// Lines dropped so far, for metrics.
    package var droppedLines: UInt64 { self.state.withLock { $0.dropped } }

    /// Takes one line unless its kind has used up its second: then `make` is not called.
    ///
    /// Never blocks on the descriptor.
    package func write(_ event: String, _ make: () -> LogLine) {
        let now = self.clock()
        guard let dropped = self.admit(event, now) else { return }
        var line = make()
        if dropped > 0 { line.fields.append(("dropped_before", .whole(dropped))) }
        let bytes = self.form == .json ? line.json(unixNanos: now) : line.human(unixNanos: now)
        let wakes = self.state.withLock { state in
            guard state.waiting.count + bytes.count <= Self.waitingBytesMax else {
                state.dropped += 1
                return false
            }
            state.waiting += bytes
            return true
        }
        if wakes { self.signal.raise() }
    }

    /// Takes one line.
    package func write(_ line: LogLine) {
        self.write(line.event) { line }
    }

    /// How many of the kind were dropped since its last line; `nil` when this one must be, too.
    private func admit(_ event: String, _ now: UInt64) -> Int? {
        let second = now / 1_000_000_000
        return self.state.withLock { state in
            let isKnown = state.allowances[event] != nil
            let kind = isKnown || state.allowances.count < Self.kindsMax ? event : "other"
            var allowance = state.allowances[kind] ?? Allowance()
            if allowance.second != second {
                allowance.second = second
                allowance.taken = 0
            }
            defer { state.allowances[kind] = allowance }
            guard allowance.taken < self.ratePerSecond else {
                allowance.dropped += 1
                state.dropped += 1
                return nil
            }
            allowance.taken += 1
            let dropped = allowance.dropped
            allowance.dropped = 0
            return dropped
        }
    }

    /// Waits until everything taken so far has been written, but no longer than `timeoutNanos`.
    package func flush(timeoutNanos: UInt64 = 1_000_000_000) {
        let end = self.clock() + timeoutNanos
        while self.clock() < end {
            let isDone = self.state.withLock { $0.waiting.isEmpty && !$0.isWriting }
            if isDone { return }
            self.signal.raise()
            usleep(1000)
        }
    }

    private func writeForever() {
        while true {
            let bytes = self.state.withLock { state in
                let taken = state.waiting
                state.waiting = []
                state.isWriting = !taken.isEmpty
                return taken
            }
            guard !bytes.isEmpty else {
                self.signal.wait()
                continue
            }
            Self.write(bytes, to: self.descriptor)
        }
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}

/// The time of day.
package enum WallClock {
    /// Nanoseconds since 1970.
    package static func unixNanos() -> UInt64 {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
    }
}

/// Wakes one waiting thread; a raise before the wait is not lost, many are one.
private struct Signal: Sendable {
    // The ends of a pipe, open as long as the process lives.
    private let readEnd: Int32
    private let writeEnd: Int32

    init() {
        var ends: [Int32] = [-1, -1]
        let status = pipe(&ends)
        precondition(status == 0, "no pipe for the log: the process is out of files")
        self.readEnd = ends[0]
        self.writeEnd = ends[1]
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        // A full pipe wakes as well as one more byte would.
        _ = fcntl(self.writeEnd, F_SETFL, O_NONBLOCK)
    }

    func raise() {
        var byte: UInt8 = 1
        _ = Glibc.write(self.writeEnd, &byte, 1)
    }

    func wait() {
        var bytes = [UInt8](repeating: 0, count: 256)
        while read(self.readEnd, &bytes, bytes.count) < 0, errno == EINTR {}
    }
}
