import EventLoop
import Glibc
import HTTP
import Synchronization
import Time
import Wire

/// What a test's server does with each request.
enum Reply: Sendable {
    /// A whole answer: the body is what the test makes of the request.
    case text(@Sendable (Request) -> String)
    /// The body streamed in these pieces, chunked.
    case pieces([String])
    /// Nothing, until the client goes.
    case silence
    /// This many bytes, however slowly they are read.
    case bytes(Int)
    /// Refuse from the head alone.
    case refuseHead(Int)
}

/// A request as the handler saw it.
struct Request: Sendable, Equatable {
    var method: String
    var target: String
    var body: [UInt8]
}

/// A server on a loop and a thread of its own, with what it saw.
final class TestServer: ServerHandler, @unchecked Sendable {
    // Safe: touched on the loop's thread; what tests read is behind the mutexes.
    let seen = Mutex<[Request]>([])
    let faults = Mutex<[WireFault]>([])
    let gone = Mutex<[UInt64]>([])
    let pendingMax = Mutex(0)
    private let reply: Reply
    private var server: HTTPServer?
    private let loop: Loop
    private let thread: LoopThread
    let port: UInt16

    private final class Start: @unchecked Sendable {
        // Safe: written by the loop's thread before `ready` is set, read after.
        var server: TestServer?
        let ready = Mutex<UInt16?>(nil)
        var loop: Loop?
    }

    private init(_ reply: Reply, loop: Loop, thread: LoopThread, port: UInt16) {
        fatalError("made by start")
    }

    private init(_ reply: Reply, on loop: Loop, limits: ServerLimits, buffered: Int) {
        self.reply = reply
        self.loop = loop
        self.thread = LoopThread {}
        self.port = 0
        self.server = HTTPServer(
            loop, handler: self, limits: limits, buffered: BufferedBytes(max: buffered))
    }
}
