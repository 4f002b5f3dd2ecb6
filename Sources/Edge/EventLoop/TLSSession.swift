internal import COpenSSL

/// TLS settings for outgoing connections: verified against the system's or a given CA.
// Safety: an SSL_CTX is reference counted and locked by OpenSSL; it is not changed after `init`.
package final class TLSContext: @unchecked Sendable {
    let context: OpaquePointer

    /// Throws with OpenSSL's words when the CA file cannot be read.
    package init(caFile: String?) throws(StreamError) {
        // At exit OpenSSL would free what a loop that still runs is using.
        OPENSSL_init_crypto(UInt64(OPENSSL_INIT_NO_ATEXIT), nil)
        guard let context = SSL_CTX_new(TLS_client_method()) else {
            throw StreamError(code: .tls, message: TLSContext.lastError())
        }
        self.context = context
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
        _ = SSL_CTX_ctrl(context, SSL_CTRL_SET_MIN_PROTO_VERSION, Int(TLS1_2_VERSION), nil)
        let status: Int32
        if let caFile {
            status = SSL_CTX_load_verify_locations(context, caFile, nil)
        } else {
            status = SSL_CTX_set_default_verify_paths(context)
        }
        guard status == 1 else {
            throw StreamError(
                code: .tls, message: "the CA file cannot be used: \(TLSContext.lastError())")
        }
    }

    deinit {
        SSL_CTX_free(self.context)
    }

    static func lastError() -> String {
        let code = ERR_peek_last_error()
        ERR_clear_error()
        guard code != 0 else { return "unknown TLS fault" }
        var text = [CChar](repeating: 0, count: 256)
        ERR_error_string_n(code, &text, text.count)
        return String(
            decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// The client side of one TLS connection over memory buffers; the stream moves the bytes.
package final class TLSSession {
    enum Handshake {
        case done, needsMore
        case failed(String)
    }
    enum Read {
        case bytes(Int)
        case needsMore, ended
        case failed(String)
    }

    private let ssl: OpaquePointer
    private let incoming: OpaquePointer
    private let outgoing: OpaquePointer
    private(set) var isReady = false

    /// `host` is verified against the peer's certificate, and sent as SNI when it is a name.
    package init(_ context: TLSContext, host: String) throws(StreamError) {
        guard let ssl = SSL_new(context.context), let incoming = BIO_new(BIO_s_mem()),
            let outgoing = BIO_new(BIO_s_mem())
        else { throw StreamError(code: .tls, message: TLSContext.lastError()) }
        self.ssl = ssl
        self.incoming = incoming
        self.outgoing = outgoing
        SSL_set_bio(ssl, incoming, outgoing)
        SSL_set_connect_state(ssl)
        let parameters = SSL_get0_param(ssl)
        if X509_VERIFY_PARAM_set1_ip_asc(parameters, host) != 1 {
            ERR_clear_error()
            X509_VERIFY_PARAM_set1_host(parameters, host, 0)
            var name = Array(host.utf8CString)
            _ = SSL_ctrl(
                ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, Int(TLSEXT_NAMETYPE_host_name), &name)
        }
    }

    deinit {
        SSL_free(self.ssl)
    }

    func receive(_ bytes: UnsafeRawBufferPointer) {
        BIO_write(self.incoming, bytes.baseAddress, Int32(bytes.count))
    }

    func handshake() -> Handshake {
        ERR_clear_error()
        let status = SSL_do_handshake(self.ssl)
        if status == 1 {
            self.isReady = true
            return .done
        }
        switch SSL_get_error(self.ssl, status) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return .needsMore
        default:
            let verify = SSL_get_verify_result(self.ssl)
            if verify != 0, let text = X509_verify_cert_error_string(verify) {
                ERR_clear_error()
                return .failed("certificate not accepted: \(String(cString: text))")
            }
            return .failed(TLSContext.lastError())
        }
    }

    func read(into space: UnsafeMutableRawBufferPointer) -> Read {
        ERR_clear_error()
        let count = SSL_read(self.ssl, space.baseAddress, Int32(clamping: space.count))
        if count > 0 { return .bytes(Int(count)) }
        switch SSL_get_error(self.ssl, count) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return .needsMore
        case SSL_ERROR_ZERO_RETURN: return .ended
        default: return .failed(TLSContext.lastError())
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count > 0 else { return }
        // A memory BIO takes everything, so a partial write cannot happen.
        SSL_write(self.ssl, bytes.baseAddress, Int32(clamping: bytes.count))
    }

    /// Hands every encrypted byte that waits to `send`.
    func drain(_ send: (UnsafeRawBufferPointer) -> Void) {
        withUnsafeTemporaryAllocation(byteCount: 16 << 10, alignment: 16) { scratch in
            while true {
                let count = BIO_read(self.outgoing, scratch.baseAddress, Int32(scratch.count))
                guard count > 0 else { return }
                send(UnsafeRawBufferPointer(rebasing: scratch[..<Int(count)]))
            }
        }
    }
}
