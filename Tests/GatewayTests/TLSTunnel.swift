import Foundation
import Testing

/// Two certificates for this machine, `good` and `other`, that sign themselves.
final class Certificates {
    let folder: String
    var good: String { self.folder + "/good.pem" }
    var other: String { self.folder + "/other.pem" }

    init() throws {
        self.folder = NSTemporaryDirectory() + "plimsoll-tls-\(UInt64.random(in: 0...(.max)))"
        try FileManager.default.createDirectory(
            atPath: self.folder, withIntermediateDirectories: true)
        for name in ["good", "other"] {
            try self.run(
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                "-nodes", "-keyout", "\(self.folder)/\(name).key", "-out",
                "\(self.folder)/\(name).pem", "-days", "2", "-subj", "/CN=localhost", "-addext",
                "subjectAltName=DNS:localhost,IP:127.0.0.1")
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: self.folder) }

    private func run(_ command: String...) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = command
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(command)")
    }
}

/// Ends TLS with the certificate `good` and passes the bytes on.
struct TLSTunnel {
    let port: UInt16
    private let process: Process
    private let lifeline: Pipe

    private static let script = """
        import os, socket, ssl, sys, threading
        folder, to = sys.argv[1], int(sys.argv[2])
        # The test holds the other end: the tunnel ends with it, however it ends.
        threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder + '/good.pem', folder + '/good.key')
        listener = socket.create_server(('127.0.0.1', 0))
        print(listener.getsockname()[1], flush=True)
        def pump(source, sink):
            try:
                while data := source.recv(65536): sink.sendall(data)
            except OSError: pass
            for end in (source, sink):
                try: end.shutdown(socket.SHUT_RDWR)
                except OSError: pass
        def serve(raw):
            try: client = context.wrap_socket(raw, server_side=True)
            except OSError: return raw.close()
            engine = socket.create_connection(('127.0.0.1', to))
            threading.Thread(target=pump, args=(engine, client), daemon=True).start()
            pump(client, engine)
        while True:
            raw = listener.accept()[0]
            threading.Thread(target=serve, args=(raw,), daemon=True).start()
        """

    /// `nil` without a Python.
    init?(_ certificates: Certificates, to port: UInt16) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "python3", "-c", Self.script, certificates.folder, String(port),
        ]
        let (lifeline, output) = (Pipe(), Pipe())
        process.standardInput = lifeline
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        guard let port = UInt16(line.filter(\.isNumber)) else { return nil }
        (self.port, self.process, self.lifeline) = (port, process, lifeline)
    }

    func stop() { self.process.terminate() }
}
