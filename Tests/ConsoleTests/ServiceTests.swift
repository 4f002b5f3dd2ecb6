import EventLoop
import Foundation
import Testing

/// The built program as a process: its log, its reloads, its end.
struct ServiceTests {
    @Test("A changed file is taken up, a bad one leaves the last good one, and the log says both")
    func reload() throws {
        guard let service = try RunningService() else { return }
        defer { service.kill() }
        let started = try service.line("started")
        #expect(started["console"] as? String != nil)
        try service.write(budget: "10s", "11s")
        #expect(try service.line("configuration_reloaded")["level"] as? String == "info")
        try service.write(text: "kind: Modl\n")
        let refused = try service.line("configuration_refused")
        #expect(refused["level"] as? String == "warn")
        #expect((refused["faults"] as? [String])?.isEmpty == false)
        let page = try service.get("/metrics")
        #expect(page.body.contains("plimsoll_config_reloads_total{result=\"accepted\"} 1\n"))
        #expect(page.body.contains("plimsoll_config_reloads_total{result=\"refused\"} 1\n"))
        #expect(!page.body.contains("plimsoll_config_faults 0\n"))
        #expect(page.body.contains("plimsoll_config_version 2\n"))
    }

    @Test("SIGTERM turns readiness, keeps listening for the delay, then the process ends with 0")
    func drain() throws {
        guard let service = try RunningService("--drain-delay", "1s") else { return }
        defer { service.kill() }
        _ = try service.line("started")
        service.signal(SIGTERM)
        _ = try service.line("draining")
        #expect(try service.get("/readyz").body == "draining\n")
        #expect(try service.get("/v1/models", client: true).status == 200)
        #expect(try service.line("drained")["all_finished"] as? Bool == true)
        #expect(service.waitForEnd() == 0)
    }

    @Test("A second signal ends the process at once")
    func secondSignal() throws {
        guard let service = try RunningService("--drain-delay", "1h") else { return }
        defer { service.kill() }
        _ = try service.line("started")
        service.signal(SIGTERM)
        _ = try service.line("draining")
        service.signal(SIGTERM)
        #expect(service.waitForEnd() == 128 + SIGTERM)
    }
}

/// `plimsoll gateway` on ports of the system's choice, in front of no engine.
private final class RunningService {
    private let process = Process()
    private let errors = Pipe()
    private let folder: URL
    private var unread: [UInt8] = []
    private var listen: SocketAddress?
    private var admin: SocketAddress?

    /// `nil`, saying so, where the program was not built beside the tests.
    init?(_ options: String...) throws {
        let program = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
            .appending(path: "plimsoll")
        guard FileManager.default.isExecutableFile(atPath: program.path) else {
            print("skipped: no program at \(program.path)")
            return nil
        }
        self.folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: self.folder, withIntermediateDirectories: true)
        try self.write(budget: "10s")
        self.process.executableURL = program
        self.process.arguments =
            [
                "gateway", "-f", self.budget.path, "--loops", "1", "--listen", "127.0.0.1:0",
                "--admin", "127.0.0.1:0",
            ] + options
        self.process.standardError = self.errors
        try self.process.run()
    }

    private var budget: URL { self.folder.appending(path: "budget.yaml") }

    /// Writes a sound budget; `bound` and `deadline` are for the first token.
    func write(budget bound: String, _ deadline: String = "20s") throws {
        try self.write(
            text: """
                apiVersion: plimsoll.dev/v1alpha1
                kind: Model
                metadata: {name: chat}
                spec:
                  engine: {kind: openai, endpoints: ["http://127.0.0.1:1"]}
                  budget:
                    objectives: {timeToFirstToken: {p99: \(bound)}}
                    deadline: {timeToFirstToken: \(deadline)}
                """)
    }

    func write(text: String) throws {
        try Data(text.utf8).write(to: self.budget, options: .atomic)
    }

    /// The next log line of an event; those before it are passed over.
    func line(_ event: String) throws -> [String: Any] {
        while true {
            let text = try self.nextLine()
            guard let object = try JSONSerialization.jsonObject(with: text) as? [String: Any]
            else { throw TestFault("no JSON object: \(String(decoding: text, as: UTF8.self))") }
            if event == "started" {
                self.listen = Self.address(object["serving"])
                self.admin = Self.address(object["console"])
            }
            if object["event"] as? String == event { return object }
        }
    }

    private func nextLine() throws -> Data {
        while true {
            if let end = self.unread.firstIndex(of: 0x0A) {
                defer { self.unread.removeFirst(end + 1) }
                return Data(self.unread[..<end])
            }
            let more = self.errors.fileHandleForReading.availableData
            guard !more.isEmpty else { throw TestFault("the log ended") }
            self.unread += more
        }
    }

    private static func address(_ url: Any?) -> SocketAddress? {
        let text = (url as? String)?.dropFirst("http://".count) ?? ""
        return SocketAddress(parsing: text.hasSuffix("/") ? String(text.dropLast()) : String(text))
    }

    func get(_ path: String, client: Bool = false) throws -> Answer {
        guard let address = client ? self.listen : self.admin else {
            throw TestFault("no address was told")
        }
        return try Client.exchange(
            address, "GET \(path) HTTP/1.1\r\nHost: localhost\r\nconnection: close\r\n\r\n")
    }

    func signal(_ signal: Int32) {
        Foundation.kill(self.process.processIdentifier, signal)
    }

    func waitForEnd() -> Int32 {
        self.process.waitUntilExit()
        return self.process.terminationStatus
    }

    func kill() {
        if self.process.isRunning { self.signal(SIGKILL) }
        try? FileManager.default.removeItem(at: self.folder)
    }
}
