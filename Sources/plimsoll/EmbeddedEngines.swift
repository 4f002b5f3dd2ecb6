import Budget
import EventLoop
import Gateway
import Glibc

/// Simulated engines as child processes: they listen on ports of their own choosing and end with
/// this process, however it ends.
final class EmbeddedEngines {
    /// One child. It lives until `lifeline` closes.
    private struct Child {
        var process: pid_t
        var lifeline: Int32
    }

    private var children: [EngineEndpoint: Child] = [:]
    /// Asked to end and perhaps not gone yet.
    private var ending: [pid_t] = []

    /// Starts engines for every simulated model that names no endpoints and is not left out, and
    /// returns the budget with their addresses in it.
    func start(
        for configuration: Configuration, perModel: Int, options: [String],
        isLeftOut: (String) -> Bool
    ) throws(UsageError) -> Configuration {
        var models = configuration.models
        for index in models.indices {
            let engine = models[index].engine
            guard engine.kind == .simulated, engine.endpoints.isEmpty,
                !isLeftOut(models[index].name)
            else { continue }
            let name = engine.servedModelName ?? models[index].name
            for _ in 0..<perModel {
                models[index].engine.endpoints.append(
                    try self.startOne(model: name, options: options))
            }
        }
        return Configuration(
            models: models, tenants: configuration.tenants, pools: configuration.pools)
    }

    /// Ends all children and waits for them.
    func end() {
        for child in self.children.values { close(child.lifeline) }
        for process in self.children.values.map(\.process) + self.ending {
            var status: Int32 = 0
            waitpid(process, &status, 0)
        }
        self.children = [:]
        self.ending = []
    }

    /// Ends one child, in its own time; one that ended by itself is let go.
    func end(_ endpoint: EngineEndpoint) {
        guard let child = self.children.removeValue(forKey: endpoint) else { return }
        close(child.lifeline)
        self.ending.append(child.process)
        self.reap()
    }

    /// Whether the child is there: it has not ended by itself.
    func isAlive(_ endpoint: EngineEndpoint) -> Bool {
        self.reap()
        guard let child = self.children[endpoint] else { return false }
        var info = siginfo_t()
        let options = WEXITED | WNOHANG | WNOWAIT
        guard waitid(P_PID, id_t(child.process), &info, options) == 0 else { return false }
        return info.si_signo == 0
    }

    private func reap() {
        self.ending.removeAll { process in
            var status: Int32 = 0
            return waitpid(process, &status, WNOHANG) != 0
        }
    }

    /// Starts one engine that serves `model`, and returns where it listens.
    func startOne(model: String, options: [String]) throws(UsageError) -> EngineEndpoint {
        var lifeline: [Int32] = [-1, -1]
        var words: [Int32] = [-1, -1]
        guard pipe(&lifeline) == 0, pipe(&words) == 0 else {
            for descriptor in lifeline where descriptor >= 0 { close(descriptor) }
            throw UsageError("no pipe to an engine could be made: out of file descriptors")
        }
        // No child may hold another one's lifeline.
        for descriptor in lifeline + words { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, lifeline[0], STDIN_FILENO)
        posix_spawn_file_actions_adddup2(&actions, words[1], STDERR_FILENO)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        // Ctrl-C is for this process: a group of its own keeps it from the engines.
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
            close(lifeline[0])
            close(words[1])
        }
        let text =
            ["plimsoll", "engine", "--listen", "127.0.0.1:0", "--model", model, "--with-stdin"]
            + options
        var arguments = text.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var process: pid_t = 0
        let status = posix_spawn(
            &process, "/proc/self/exe", &actions, &attributes, &arguments, environ)
        guard status == 0 else {
            close(lifeline[1])
            close(words[0])
            throw UsageError("an engine could not be started: \(String(cString: strerror(status)))")
        }
        let line = Self.readLine(words[0])
        close(words[0])
        // "plimsoll: engine on http://ADDRESS:PORT", or why there is none.
        guard let slashes = line.lastIndex(of: "/"),
            let address = SocketAddress(parsing: String(line[line.index(after: slashes)...]))
        else {
            close(lifeline[1])
            self.ending.append(process)
            throw UsageError("an engine did not start: \(line)")
        }
        let endpoint = EngineEndpoint(host: address.host, port: address.port)
        self.children[endpoint] = Child(process: process, lifeline: lifeline[1])
        return endpoint
    }

    /// The first line a child writes: where it listens, or what is wrong.
    private static func readLine(_ descriptor: Int32) -> String {
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while bytes.count < 4096, read(descriptor, &byte, 1) == 1, byte != 0x0A {
            bytes.append(byte)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
