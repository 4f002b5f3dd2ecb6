import Budget
import Config
import Foundation
import Testing

/// Loading from files and folders, and secrets from outside them.
@Suite struct FilesTests {
    private func withFolder(_ body: (URL) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "plimsoll-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder)
    }

    private func model(_ name: String, degrade: String = "") -> String {
        """
        apiVersion: plimsoll.dev/v1alpha1
        kind: Model
        metadata: {name: \(name)}
        spec:
          engine: {kind: simulated}
          budget: {deadline: {timeToFirstToken: 1s}}
          overload: {degrade: [\(degrade)]}
        """
    }

    private func write(_ text: String, _ folder: URL, _ name: String) throws {
        try Data(text.utf8).write(to: folder.appending(path: name))
    }

    @Test func `a folder is one configuration, in the order of its names`() throws {
        try self.withFolder { folder in
            try self.write(self.model("b", degrade: "{model: a}"), folder, "1.yml")
            try self.write(self.model("a"), folder, "2.yaml")
            try self.write("not: ours", folder, "notes.txt")
            try self.write("not: ours", folder, ".hidden.yaml")
            let result = Configuration.load(paths: [folder.path])
            guard case .accepted(let configuration, _) = result else {
                Issue.record("\(CheckReport(result).lines)")
                return
            }
            #expect(configuration.models.map(\.name) == ["b", "a"])
        }
    }

    @Test func `faults of several files come sorted, with both files in a clash`() throws {
        try self.withFolder { folder in
            try self.write(self.model("a"), folder, "1.yaml")
            try self.write(self.model("a", degrade: "{model: c}"), folder, "2.yaml")
            let report = CheckReport(Configuration.load(paths: [folder.path]))
            #expect(
                report.lines == [
                    "\(folder.path)/2.yaml:3:18: the model name or alias \"a\" is already used at "
                        + "\(folder.path)/1.yaml:3",
                    "\(folder.path)/2.yaml:7:32: the ladder's model \"c\" is not declared in this "
                        + "configuration; did you mean \"a\"?",
                    "2 faults",
                ])
            #expect(report.exitCode == 2)
        }
    }

    @Test func `what cannot be read is a fault`() throws {
        try self.withFolder { folder in
            let missing = folder.appending(path: "missing.yaml").path
            #expect(
                CheckReport(Configuration.load(paths: [missing, folder.path])).lines == [
                    "\(missing):1:1: cannot be read: No such file or directory",
                    "\(folder.path):1:1: the folder has no .yaml or .yml file",
                    "2 faults",
                ])
            #expect(!CheckReport(Configuration.load(paths: ["/dev/zero"])).ok)
        }
    }

    @Test func `a large file is refused by its size`() throws {
        try self.withFolder { folder in
            let path = folder.appending(path: "large.yaml").path
            #expect(FileManager.default.createFile(atPath: path, contents: nil))
            #expect(truncate(path, 10 << 30) == 0)
            let report = CheckReport(Configuration.load(paths: [path]))
            #expect(report.lines.first?.contains("the file has 10737418240 bytes") == true)
        }
    }

    @Test func `the report is JSON with places and suggestions`() throws {
        let report = CheckReport(
            Configuration.parse(
                bytes: Array("apiVersion: plimsol.dev/v1alpha1".utf8), fileName: "f"))
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let json = String(decoding: try encoder.encode(report), as: UTF8.self)
        #expect(
            json.hasPrefix(
                "{\"faults\":[{\"column\":1,\"file\":\"f\",\"line\":1,\"message\":\"kind is missing"
            ))
        #expect(json.contains("\"suggestion\":\"plimsoll.dev/v1alpha1\""))
        #expect(
            json.hasSuffix("\"models\":0,\"ok\":false,\"pools\":0,\"tenants\":0,\"warnings\":[]}"))
    }

    @Test func `warnings do not refuse`() throws {
        let text = """
            apiVersion: plimsoll.dev/v1alpha1
            kind: Model
            metadata: {name: m}
            spec:
              engine:
                kind: vllm
                endpoints: ["http://127.0.0.1:1", "http://gpu-1:8001"]
                auth: {bearerFrom: {env: KEY}}
              budget: {deadline: {timeToFirstToken: 1s}}
              scaling: {replicas: {min: 0, max: 1}}
            ---
            apiVersion: plimsoll.dev/v1alpha1
            kind: Tenant
            metadata: {name: t}
            spec: {}
            """
        let report = CheckReport(
            Configuration.parse(bytes: Array(text.utf8), fileName: "f"))
        #expect(
            report.lines == [
                "warning: f:4:1: scaling.replicas.min is 0 and budget.deadline.coldStart is not "
                    + "written: the first requests will miss their deadline",
                "warning: f:8:5: spec.engine.auth is sent unencrypted to http://gpu-1:8001: "
                    + "use https",
                "warning: f:15:1: tenant \"t\" has no keys: no client can be it "
                    + "(see plimsoll key new)",
                "ok: 1 model, 1 tenant, 0 pools",
            ])
        #expect(report.exitCode == 0)
    }

    @Test func `a bearer token is read from its file each time`() throws {
        try self.withFolder { folder in
            let source = BearerSource.file(folder.appending(path: "token").path)
            #expect(throws: BearerFault.self) { try source.token() }
            try self.write("first\n", folder, "token")
            #expect(try source.token() == "first")
            try self.write(" second \r\n", folder, "token")
            #expect(try source.token() == "second")
            for bad in ["", "\n", "two words", "two\nlines", "ümlaut"] {
                try self.write(bad, folder, "token")
                #expect(throws: BearerFault.self) { try source.token() }
            }
        }
    }

    @Test func `a bearer token is read from the environment`() throws {
        let source = BearerSource.env("PLIMSOLL_TEST_BEARER_\(UInt32.random(in: 0...(.max)))")
        guard case .env(let name) = source else { return }
        #expect(throws: BearerFault(message: "the environment variable \(name) is not set")) {
            try source.token()
        }
        #expect(try BearerSource.env("PATH").token().isEmpty == false)
    }
}
