import EventLoop
import Foundation
import Synchronization
import Testing
import Time

@Suite struct LoopTests {
    @Test func `posts run on the loop's thread, each once and in order`() {
        let seen = Mutex<[Int]>([])
        let mailbox = Mutex<Mailbox?>(nil)
        let (ready, done) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        _ = Loop.spawn { loop in
            mailbox.withLock { $0 = loop.mailbox }
            ready.signal()
        }
        ready.wait()
        let box = mailbox.withLock { $0 }
        for index in 0..<10_000 {
            box?.post { seen.withLock { $0.append(index) } }
        }
        box?.post { done.signal() }
        done.wait()
        #expect(seen.withLock { $0 } == Array(0..<10_000))
    }

    @Test func `a timer never fires before its instant`() {
        let early = Mutex(0)
        let done = DispatchSemaphore(value: 0)
        _ = Loop.spawn { loop in
            for nanos in [0, 1, 400_000, 1_000_000, 1_500_001, 7_999_999] as [UInt64] {
                let due = loop.readClock().advanced(byNanos: nanos)
                let timer = LoopTimer(loop) {
                    if loop.now < due { early.withLock { $0 += 1 } }
                    done.signal()
                }
                timer.arm(at: due)
            }
        }
        for _ in 0..<6 { done.wait() }
        #expect(early.withLock { $0 } == 0)
    }

    @Test func `a port that is taken is named before it is shared`() throws {
        let port = Mutex<UInt16>(0)
        let ready = DispatchSemaphore(value: 0)
        _ = Loop.spawn { loop in
            let listener = try? Listener(
                loop, address: SocketAddress(host: "127.0.0.1", port: 0), delegate: Deaf.shared
            ) { $0.close() }
            port.withLock { $0 = listener?.address.port ?? 0 }
            ready.signal()
        }
        ready.wait()
        let taken = SocketAddress(host: "127.0.0.1", port: port.withLock { $0 })
        #expect(throws: StreamError.self) { try Listener.probe(taken) }
    }

    @Test func `addresses are read as they are written`() {
        #expect(SocketAddress(parsing: ":80")?.description == "127.0.0.1:80")
        #expect(SocketAddress(parsing: "localhost:80")?.description == "127.0.0.1:80")
        #expect(SocketAddress(parsing: "[::1]:8080")?.isLoopback == true)
        #expect(SocketAddress(parsing: "0.0.0.0:1")?.isLoopback == false)
        for text in ["", "80", "host:80", "1.2.3.4", "1.2.3.4:65536", "1.2.3:80", "1.2.3.4:-1"] {
            #expect(SocketAddress(parsing: text) == nil, "\(text)")
        }
    }
}

/// A delegate to whom nothing happens.
private final class Deaf: EventLoop.StreamDelegate, Sendable {
    static let shared = Deaf()

    func streamConnected(_ stream: EventLoop.Stream) {}
    func streamBuffer(_ stream: EventLoop.Stream) -> UnsafeMutableRawBufferPointer {
        stream.loop.discard
    }
    func streamRead(_ stream: EventLoop.Stream, count: Int) {}
    func streamEnded(_ stream: EventLoop.Stream, _ error: StreamError?) {}
    func streamDrained(_ stream: EventLoop.Stream) {}
}
