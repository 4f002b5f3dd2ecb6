package import EventLoop
import Glibc
import HTTP
import RequestPath
import Synchronization
import Time

/// A whole gateway: loops on threads of their own around one admission.
package final class Gateway: Sendable {
    package let core: GatewayCore
    /// Where clients connect; the port is the real one when 0 was asked for.
    package let address: SocketAddress
    private let threads: [LoopThread]
    private let metrics: [LoopMetrics]
    private let controls: [Controls]

    /// What one loop hands out when it stands.
    private struct Controls: Sendable {
        var address: SocketAddress
        var whenIdle: @Sendable (@escaping @Sendable () -> Void) -> Void
        var stop: @Sendable () -> Void
    }

    /// Starts `loops` loops that share `address`.
    ///
    /// Throws when the address is taken or not this machine's.
    package init(
        core: GatewayCore, loops: Int, address: SocketAddress,
        recorder: (@Sendable (RequestRecord) -> Void)? = nil
    ) throws {
        try Listener.probe(address)
        var bound = address
        var threads: [LoopThread] = []
        var metrics: [LoopMetrics] = []
        var controls: [Controls] = []
        let plan = MetricsPlan(core.currentConfig)
        core.announceEndpoints()
        for index in 0..<loops {
            let counters = LoopMetrics(plan: plan, recorder: recorder)
            let started = Handover<Result<Controls, any Error>>()
            let wanted = bound
            threads.append(
                Loop.spawn { loop in
                    started.give(
                        Result {
                            try Self.start(
                                on: loop, core: core, metrics: counters, address: wanted,
                                isFirst: index == 0)
                        })
                })
            let result = try started.take().get()
            bound = result.address
            metrics.append(counters)
            controls.append(result)
        }
        self.core = core
        self.address = bound
        self.threads = threads
        self.metrics = metrics
        self.controls = controls
    }

    private static func start(
        on loop: Loop, core: GatewayCore, metrics: LoopMetrics, address: SocketAddress,
        isFirst: Bool
    ) throws -> Controls {
        let gateway = try GatewayLoop(loop, core: core, metrics: metrics)
        let bound = try gateway.listen(address)
        if isFirst { core.setMonitor(EngineMonitor(gateway), on: loop.mailbox) }
        // The server's counts belong to its loop: it hands them out once a second.
        LoopTimer(loop) { [unowned gateway] in
            guard let server = gateway.server else { return }
            metrics.publish(
                connections: server.connectionCount, turnedAway: server.turnedAway)
        }.arm(everyMillis: 1000)
        // Held for the life of the process: loops are not torn down.
        let held = Unmanaged.passRetained(gateway)
        let box = LoopBox(held)
        let mailbox = loop.mailbox
        return Controls(
            address: bound, whenIdle: { body in mailbox.post { box.gateway.whenIdle(body) } },
            stop: { mailbox.post { box.gateway.loop.stop() } })
    }

    /// All loops' counters, added up.
    package var counters: Counters {
        var sum = self.metrics.first?.snapshot ?? Counters()
        for metrics in self.metrics.dropFirst() { sum.merge(metrics.snapshot) }
        return sum
    }

    /// Puts a new configuration in force, in admission and in what requests are judged by.
    package func adopt(_ config: GatewayConfig) {
        let plan = MetricsPlan(config)
        for metrics in self.metrics { metrics.adopt(plan) }
        self.core.adopt(config)
    }

    /// Stops accepting and waits until everything accepted has been answered, or `timeoutNanos`.
    ///
    /// Returns whether everything was answered. Blocks the calling thread.
    package func drain(timeoutNanos: UInt64) -> Bool {
        self.core.drain()
        let done = Handover<Void>()
        let counter = SharedCounter(self.controls.count)
        for control in self.controls {
            control.whenIdle { if counter.decrement() == 0 { done.give(()) } }
        }
        return done.take(timeoutNanos: timeoutNanos) != nil
    }

    /// Ends the loops' threads where they are and waits for them; what is under way gets no answer.
    ///
    /// Sockets and memory stay until the process ends. Not for a loop's own thread.
    package func stop() {
        for control in self.controls { control.stop() }
        for thread in self.threads { thread.join() }
    }
}

/// A loop's gateway, for closures of the loop's own mailbox.
// Safety: opened only in closures that run on the loop's thread.
private struct LoopBox: @unchecked Sendable {
    let gateway: GatewayLoop

    init(_ held: Unmanaged<GatewayLoop>) {
        self.gateway = held.takeUnretainedValue()
    }
}

/// A count that several threads bring down.
final class SharedCounter: Sendable {
    private let left: Atomic<Int>

    init(_ count: Int) {
        self.left = Atomic(count)
    }

    func decrement() -> Int {
        self.left.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue
    }
}

/// One value handed from one thread to another that waits for it.
// Safety: the value is behind the mutex of the condition variable.
package final class Handover<Value: Sendable>: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var value: Value?

    package init() {
        self.mutex = .allocate(capacity: 1)
        self.condition = .allocate(capacity: 1)
        pthread_mutex_init(self.mutex, nil)
        pthread_cond_init(self.condition, nil)
    }

    deinit {
        pthread_cond_destroy(self.condition)
        pthread_mutex_destroy(self.mutex)
        self.condition.deallocate()
        self.mutex.deallocate()
    }

    /// Hands the value over; the first one counts.
    package func give(_ value: Value) {
        pthread_mutex_lock(self.mutex)
        if self.value == nil { self.value = value }
        pthread_cond_broadcast(self.condition)
        pthread_mutex_unlock(self.mutex)
    }

    /// Waits for the value.
    package func take() -> Value {
        pthread_mutex_lock(self.mutex)
        defer { pthread_mutex_unlock(self.mutex) }
        while true {
            if let value = self.value { return value }
            pthread_cond_wait(self.condition, self.mutex)
        }
    }

    /// Waits for the value, but no longer than `timeoutNanos`.
    package func take(timeoutNanos: UInt64) -> Value? {
        var until = timespec()
        clock_gettime(CLOCK_REALTIME, &until)
        let nanos = UInt64(until.tv_nsec) + timeoutNanos % 1_000_000_000
        until.tv_sec += Int(timeoutNanos / 1_000_000_000 + nanos / 1_000_000_000)
        until.tv_nsec = Int(nanos % 1_000_000_000)
        pthread_mutex_lock(self.mutex)
        defer { pthread_mutex_unlock(self.mutex) }
        while true {
            if let value = self.value { return value }
            if pthread_cond_timedwait(self.condition, self.mutex, &until) != 0 {
                return self.value
            }
        }
    }
}
