import Foundation
import Gateway
import Glibc
import RequestPath
import TestSockets
import Testing

/// A second try that one loop's tick asks for while the first one breaks on another loop.
@Suite(.timed) struct HedgeRaceTests {
    private static let answer = Wire.stream([Wire.role, Wire.token("whole"), Wire.done])

    @Test func `a first try that breaks before its loop hears of the second leaves it to answer`()
        throws
    {
        let stage = Stage()
        let servers = (0..<2).map { _ in engine { stage.serve($0, $1) } }
        let ports = servers.map(\.port)
        let gateway = try TestGateway(
            ports, loops: 2, budget: TestGateway.budget(ports, overload: ", hedge: {budget: 50%}"),
            heard: { _ in stage.heard() })
        let clients = (0..<16).map { _ in gateway.client() }
        let loops = try clients.map { client -> Int in
            client.send(TestGateway.chat(",\"stream\":true"))
            _ = client.message()
            try #require(eventually { stage.threads.withLock { $0.last } != nil })
            return stage.threads.withLock { $0.removeLast() }
        }
        // The first loop asks engines for their health, so that it ticks for the other.
        let last = loops.max() ?? 0
        let held = zip(clients, loops).filter { $0.1 == last }.map { $0.0 }
        guard held.count >= 2, held.count < clients.count else { return }
        stage.isHeld.withLock { $0 = true }
        held[0].send(TestGateway.chat(",\"user\":\"hold\""))
        #expect(stage.holds.wait(timeout: .now() + 60) == .success)
        held[1].send(TestGateway.chat(",\"stream\":true,\"user\":\"late\""))
        #expect(stage.isSilent.wait(timeout: .now() + 60) == .success)
        stage.breaks.signal()
        #expect(
            eventually {
                (0..<2).reduce(0) { sum, index in
                    let id = EndpointID(raw: index)
                    return sum + gateway.gateway.core.inspect { $0.gauges(of: id)?.inFlight ?? 0 }
                } == 2
            })
        stage.goOn.signal()
        let message = held[1].message()
        #expect(message?.status == 200 && message?.text.contains("whole") == true)
        #expect(held[0].message()?.status == 200)
    }

    /// What the engines do, and the loop that stands still meanwhile.
    private final class Stage: Sendable {
        let threads = Locked<[Int]>([])
        let isHeld = Locked(false)
        let tries = Locked(0)
        let holds = DispatchSemaphore(value: 0)
        let isLate = DispatchSemaphore(value: 0)
        let isSilent = DispatchSemaphore(value: 0)
        let breaks = DispatchSemaphore(value: 0)
        let goOn = DispatchSemaphore(value: 0)

        func serve(_ socket: RawSocket, _ request: RawMessage) -> Bool {
            if request.text.contains("hold") {
                self.holds.signal()
                #expect(self.isLate.wait(timeout: .now() + 60) == .success)
                return socket.send(Wire.text(200, Wire.answer))
            }
            guard request.text.contains("late") else {
                // Not at once: a first token is late only after some time then.
                var moment = pollfd(fd: -1, events: 0, revents: 0)
                poll(&moment, 1, 20)
                return socket.send(HedgeRaceTests.answer)
            }
            let nth = self.tries.withLock { tries -> Int in
                tries += 1
                return tries
            }
            if nth == 2 { return socket.send(HedgeRaceTests.answer) }
            // The answer has begun: a kept connection that was dead is not what broke.
            socket.send(Wire.streamHead)
            self.isLate.signal()
            #expect(self.breaks.wait(timeout: .now() + 60) == .success)
            return false
        }

        /// A request has ended: its loop goes no further until it is let go.
        func heard() {
            if self.isHeld.withLock({ $0 }) {
                self.isHeld.withLock { $0 = false }
                self.isSilent.signal()
                _ = self.goOn.wait(timeout: .now() + 60)
                return
            }
            // The kernel's number of this thread: the first loop has the lowest.
            let path = try? FileManager.default.destinationOfSymbolicLink(
                atPath: "/proc/thread-self")
            let number = path?.split(separator: "/").last.flatMap { Int($0) } ?? 0
            self.threads.withLock { $0.append(number) }
        }
    }
}
