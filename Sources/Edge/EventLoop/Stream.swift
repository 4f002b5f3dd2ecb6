internal import CUV
import Glibc

/// What happens on a stream. Called on the loop's thread; a stream may be closed inside any of
/// them.
package protocol StreamDelegate: AnyObject {
    /// An outgoing connection stands (and its TLS handshake is done).
    func streamConnected(_ stream: Stream)
    /// Where the next bytes shall go; never empty.
    func streamBuffer(_ stream: Stream) -> UnsafeMutableRawBufferPointer
    /// `count` bytes lie at the start of the buffer given last.
    func streamRead(_ stream: Stream, count: Int)
    /// The stream ended: the peer closed (`nil`) or something broke. It is closed already.
    func streamEnded(_ stream: Stream, _ error: StreamError?)
    /// Everything written has left for the kernel after some of it had to wait.
    func streamDrained(_ stream: Stream)
}

/// Why a stream ended.
package struct StreamError: Error, Equatable {
    /// Kinds of ends that are told apart.
    package enum Code: Equatable {
        case refused, reset, timedOut, unreachable, tls, other
    }
    package var code: Code
    /// What the system or OpenSSL said.
    package var message: String

    package init(code: Code, message: String) {
        self.code = code
        self.message = message
    }

    init(uv status: Int32) {
        let code: Code =
            switch status {
            case UV_ECONNREFUSED.rawValue: .refused
            case UV_ECONNRESET.rawValue, UV_EPIPE.rawValue, UV_ECONNABORTED.rawValue: .reset
            case UV_ETIMEDOUT.rawValue: .timedOut
            case UV_EHOSTUNREACH.rawValue, UV_ENETUNREACH.rawValue: .unreachable
            default: .other
            }
        self.init(code: code, message: uv_strerror(status).map { String(cString: $0) } ?? "error")
    }
}

/// A TCP connection on one loop, with TLS on top where asked for.
package final class Stream {
    package let loop: Loop
    package unowned(unsafe) var delegate: any StreamDelegate
    /// Bytes written that the kernel has not taken yet.
    package private(set) var pendingBytes = 0
    package private(set) var isClosed = false
    /// The peer of an accepted connection.
    package var tls: TLSSession?
    private let tcp: UnsafeMutablePointer<uv_tcp_t>
    private var connectRequest: UnsafeMutablePointer<uv_connect_t>?
    private var isReading = false

    private var uvStream: UnsafeMutablePointer<uv_stream_t> {
        UnsafeMutableRawPointer(self.tcp).assumingMemoryBound(to: uv_stream_t.self)
    }
    private var uvHandle: UnsafeMutablePointer<uv_handle_t> {
        UnsafeMutableRawPointer(self.tcp).assumingMemoryBound(to: uv_handle_t.self)
    }

    /// `delegate` must close the stream before it goes: it is not retained.
    package init(_ loop: Loop, delegate: any StreamDelegate) {
        self.loop = loop
        self.delegate = delegate
        self.tcp = .allocate(capacity: 1)
        uv_tcp_init(loop.uv, self.tcp)
        // Taken back in the close callback: an open handle keeps its stream alive.
        self.tcp.pointee.data = Unmanaged.passRetained(self).toOpaque()
    }

    deinit {
        self.tcp.deallocate()
    }

    private static func from(_ handle: UnsafeMutablePointer<uv_stream_t>?) -> Stream? {
        guard let data = handle?.pointee.data else { return nil }
        return Unmanaged<Stream>.fromOpaque(data).takeUnretainedValue()
    }

    // MARK: Opening

    /// Takes the next connection from a listener's backlog.
    func accept(from server: UnsafeMutablePointer<uv_stream_t>) -> Bool {
        guard uv_accept(server, self.uvStream) == 0 else { return false }
        uv_tcp_nodelay(self.tcp, 1)
        return true
    }

    /// Takes over a connected socket.
    func open(_ descriptor: Int32) -> Bool {
        guard uv_tcp_open(self.tcp, descriptor) == 0 else { return false }
        uv_tcp_nodelay(self.tcp, 1)
        return true
    }

    /// Bytes written that the kernel has not taken, counted down as it takes them.
    package var unsentBytes: Int { uv_stream_get_write_queue_size(self.uvStream) }

    /// Whether bytes have come that were not read yet.
    package var hasUnreadBytes: Bool {
        var descriptor: uv_os_fd_t = -1
        var byte: UInt8 = 0
        return uv_fileno(self.uvHandle, &descriptor) == 0
            && recv(descriptor, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT)) > 0
    }

    /// Opens a connection; ends in `streamConnected` or `streamEnded`.
    package func connect(to address: SocketAddress) {
        let request = UnsafeMutablePointer<uv_connect_t>.allocate(capacity: 1)
        self.connectRequest = request
        let status = address.withSockaddr { sockaddr in
            uv_tcp_connect(request, self.tcp, sockaddr) { request, status in
                guard let request else { return }
                let stream = Stream.from(request.pointee.handle)
                request.deallocate()
                stream?.connectEnded(status)
            }
        }
        guard let status, status == 0 else {
            request.deallocate()
            self.connectRequest = nil
            return self.fail(StreamError(uv: status ?? UV_EINVAL.rawValue))
        }
    }

    /// Ends the stream with `error`, told from the loop, so that callers see one order of events.
    package func fail(_ error: StreamError) {
        self.loop.mailbox.post(UncheckedBox(self).run { $0.end(error) })
    }

    private func connectEnded(_ status: Int32) {
        self.connectRequest = nil
        guard !self.isClosed else { return }
        self.loop.refresh()
        guard status == 0 else { return self.end(StreamError(uv: status)) }
        uv_tcp_nodelay(self.tcp, 1)
        if let tls = self.tls {
            self.readStart()
            self.handshake(tls)
        } else {
            self.delegate.streamConnected(self)
        }
    }

    // MARK: Reading

    /// Lets bytes flow to the delegate.
    package func readStart() {
        guard !self.isReading, !self.isClosed else { return }
        self.isReading = true
        uv_read_start(
            self.uvStream,
            { handle, _, buffer in
                guard let data = handle?.pointee.data, let buffer else { return }
                let space = Unmanaged<Stream>.fromOpaque(data)._withUnsafeGuaranteedRef {
                    $0.readSpace()
                }
                buffer.pointee.base = space.baseAddress?.assumingMemoryBound(to: CChar.self)
                buffer.pointee.len = space.count
            },
            { handle, count, _ in
                guard let data = handle?.pointee.data else { return }
                // The open handle keeps its stream alive over the call.
                Unmanaged<Stream>.fromOpaque(data)._withUnsafeGuaranteedRef { $0.didRead(count) }
            })
    }

    private func readSpace() -> UnsafeMutableRawBufferPointer {
        self.tls == nil ? self.delegate.streamBuffer(self) : self.loop.cipherScratch
    }

    private func didRead(_ count: Int) {
        guard !self.isClosed else { return }
        self.loop.refresh()
        if count > 0 {
            if self.tls == nil {
                self.delegate.streamRead(self, count: count)
            } else {
                self.readCipher(count)
            }
        } else if count < 0 {
            let ended = count == Int(UV_EOF.rawValue)
            self.end(ended ? nil : StreamError(uv: Int32(count)))
        }
    }

    /// Holds bytes back in the kernel.
    package func readStop() {
        guard self.isReading, !self.isClosed else { return }
        self.isReading = false
        uv_read_stop(self.uvStream)
    }

    // MARK: Writing

    /// Writes `buffers` in order. What the kernel does not take at once is copied and sent later.
    package func write(_ buffers: UnsafeMutableBufferPointer<WriteBuffer>) {
        guard !self.isClosed else { return }
        if let tls = self.tls {
            for buffer in buffers { tls.write(buffer.bytes) }
            return self.flush(tls)
        }
        self.writePlain(buffers)
    }

    /// Writes one run of bytes.
    package func write(_ bytes: UnsafeRawBufferPointer) {
        var one = WriteBuffer(bytes)
        withUnsafeMutablePointer(to: &one) { pointer in
            self.write(UnsafeMutableBufferPointer(start: pointer, count: 1))
        }
    }

    /// Writes the bytes of an array.
    package func write(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { self.write($0) }
    }

    private func writePlain(_ buffers: UnsafeMutableBufferPointer<WriteBuffer>) {
        guard let base = buffers.baseAddress, buffers.count > 0 else { return }
        var written = 0
        if self.pendingBytes == 0 {
            let raw = UnsafeMutableRawPointer(base).assumingMemoryBound(to: uv_buf_t.self)
            let status = uv_try_write(self.uvStream, raw, UInt32(buffers.count))
            if status >= 0 {
                written = Int(status)
            } else if status != UV_EAGAIN.rawValue {
                // The read side tells the end; a write fault alone must not be seen twice.
                return self.fail(StreamError(uv: status))
            }
        }
        var total = 0
        for buffer in buffers { total += buffer.bytes.count }
        if written < total { self.queue(buffers, skipping: written, count: total - written) }
    }

    /// A write request with its bytes behind it in one block.
    private func queue(
        _ buffers: UnsafeMutableBufferPointer<WriteBuffer>, skipping: Int, count: Int
    ) {
        let headBytes = MemoryLayout<uv_write_t>.stride
        let block = UnsafeMutableRawPointer.allocate(byteCount: headBytes + count, alignment: 16)
        var skip = skipping
        var at = block + headBytes
        for buffer in buffers {
            let dropped = min(skip, buffer.bytes.count)
            skip -= dropped
            let rest = UnsafeRawBufferPointer(rebasing: buffer.bytes[dropped...])
            if let base = rest.baseAddress, rest.count > 0 {
                at.copyMemory(from: base, byteCount: rest.count)
                at += rest.count
            }
        }
        let request = block.bindMemory(to: uv_write_t.self, capacity: 1)
        request.pointee.data = UnsafeMutableRawPointer(bitPattern: count)
        self.pendingBytes += count
        var buffer = uv_buf_init(
            (block + headBytes).assumingMemoryBound(to: CChar.self), UInt32(count))
        uv_write(request, self.uvStream, &buffer, 1) { request, status in
            guard let request else { return }
            let stream = Stream.from(request.pointee.handle)
            let count = Int(bitPattern: request.pointee.data)
            UnsafeMutableRawPointer(request).deallocate()
            stream?.writeEnded(count, status)
        }
    }

    private func writeEnded(_ count: Int, _ status: Int32) {
        self.pendingBytes -= count
        guard !self.isClosed else { return }
        self.loop.refresh()
        if status < 0 { return self.end(StreamError(uv: status)) }
        if self.pendingBytes == 0 { self.delegate.streamDrained(self) }
    }

    // MARK: TLS

    private func handshake(_ tls: TLSSession) {
        switch tls.handshake() {
        case .done:
            self.flush(tls)
            self.delegate.streamConnected(self)
        case .needsMore: self.flush(tls)
        case .failed(let message):
            self.flush(tls)
            self.end(StreamError(code: .tls, message: message))
        }
    }

    private func readCipher(_ count: Int) {
        guard let tls = self.tls else { return }
        tls.receive(UnsafeRawBufferPointer(rebasing: self.loop.cipherScratch[..<count]))
        if !tls.isReady {
            self.handshake(tls)
            guard !self.isClosed, tls.isReady else { return }
        }
        while !self.isClosed {
            let space = self.delegate.streamBuffer(self)
            switch tls.read(into: space) {
            case .bytes(let count): self.delegate.streamRead(self, count: count)
            case .needsMore: return self.flush(tls)
            case .ended: return self.end(nil)
            case .failed(let message):
                return self.end(StreamError(code: .tls, message: message))
            }
        }
    }

    private func flush(_ tls: TLSSession) {
        tls.drain { bytes in
            var one = WriteBuffer(bytes)
            withUnsafeMutablePointer(to: &one) { pointer in
                self.writePlain(UnsafeMutableBufferPointer(start: pointer, count: 1))
            }
        }
    }

    // MARK: Closing

    private func end(_ error: StreamError?) {
        guard !self.isClosed else { return }
        let delegate = self.delegate
        self.close()
        delegate.streamEnded(self, error)
    }

    /// Closes at once; nothing is told to the delegate any more.
    package func close() {
        guard !self.isClosed else { return }
        self.isClosed = true
        self.isReading = false
        uv_close(self.uvHandle) { handle in
            guard let data = handle?.pointee.data else { return }
            Unmanaged<Stream>.fromOpaque(data).release()
        }
    }

    /// Says that no more bytes will be sent, behind everything written so far.
    package func shutdownWrite() {
        guard !self.isClosed else { return }
        let request = UnsafeMutablePointer<uv_shutdown_t>.allocate(capacity: 1)
        let status = uv_shutdown(request, self.uvStream) { request, _ in request?.deallocate() }
        if status != 0 { request.deallocate() }
    }

    /// Closes with a reset, so that the peer cannot mistake it for an end.
    package func reset() {
        guard !self.isClosed else { return }
        self.isClosed = true
        self.isReading = false
        let status = uv_tcp_close_reset(self.tcp) { handle in
            guard let data = handle?.pointee.data else { return }
            Unmanaged<Stream>.fromOpaque(data).release()
        }
        guard status != 0 else { return }
        // A reset is refused while a shutdown is under way: a plain close then.
        self.isClosed = false
        self.close()
    }
}

/// One run of bytes to write; laid out as libuv's `uv_buf_t`, so that no translation is needed.
package struct WriteBuffer {
    private var buffer: uv_buf_t

    package init(_ bytes: UnsafeRawBufferPointer) {
        self.buffer = uv_buf_t()
        self.buffer.base = UnsafeMutableRawPointer(mutating: bytes.baseAddress)?
            .assumingMemoryBound(to: CChar.self)
        self.buffer.len = bytes.count
    }

    /// The bytes to write.
    package var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: self.buffer.base, count: self.buffer.len)
    }
}

/// Carries a loop's own object through its mailbox and back to the same thread.
// Safety: the box is made on the loop's thread and opened there again by the loop's mailbox.
struct UncheckedBox<Value: AnyObject>: @unchecked Sendable {
    private let value: Value

    init(_ value: Value) {
        self.value = value
    }

    func run(_ body: @escaping (Value) -> Void) -> @Sendable () -> Void {
        let work = UncheckedWork(body: body)
        return { work.body(self.value) }
    }

    // Safety: for the same reason as the box.
    private struct UncheckedWork: @unchecked Sendable {
        let body: (Value) -> Void
    }
}
