import Console
import EventLoop
import Foundation
import Gateway
import Testing

struct AdminServerTests {
    @Test("Alive is not ready: without an open endpoint /readyz says which model has none")
    func notReady() throws {
        let test = try TestGateway()
        #expect(try test.get("/healthz", probe: true).status == 200)
        let answer = try test.get("/readyz", probe: true)
        #expect(answer.status == 503)
        #expect(answer.body == "model chat: none of its 1 endpoints takes work\n")
    }

    @Test("Draining turns /readyz while requests are still served")
    func draining() throws {
        let test = try TestGateway(engine: try TestEngine.start())
        try test.waitUntilReady()
        test.status.update { $0.isDraining = true }
        #expect(try test.get("/readyz").body == "draining\n")
        #expect(try test.get("/readyz").status == 503)
        #expect(try test.get("/healthz").status == 200)
        #expect(try test.chat() == 200)
    }

    @Test("The probe listener has health and metrics and no console")
    func probe() throws {
        let test = try TestGateway()
        #expect(try test.get("/metrics", host: "pod-7.cluster", probe: true).status == 200)
        for path in ["/", "/api/state", "/api/events", "/console.js"] {
            #expect(try test.get(path, probe: true).status == 404)
        }
    }

    @Test("The console answers its own names only, so that no other site's name leads to it")
    func rebinding() throws {
        let test = try TestGateway()
        for host in ["localhost", "localhost:9", "127.0.0.1:8081", "[::1]:80", "LOCALHOST"] {
            #expect(try test.get("/api/state", host: host).status == 200, "\(host)")
        }
        for host in [
            "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1",
        ] {
            #expect(try test.get("/api/state", host: host).status == 403, "\(host)")
        }
    }

    @Test("Every answer carries the security headers, and none allows another origin")
    func headers() throws {
        let test = try TestGateway()
        for path in ["/", "/api/state", "/metrics", "/none"] {
            let head = try test.get(path).head
            #expect(head.contains("content-security-policy: default-src 'self'"))
            #expect(head.contains("x-content-type-options: nosniff"))
            #expect(head.contains("x-frame-options: DENY"))
            #expect(!head.lowercased().contains("access-control-"))
        }
    }

    @Test("Only reading is possible")
    func methods() throws {
        let test = try TestGateway()
        let address = try #require(test.admin.adminAddress)
        for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
            let answer = try Client.exchange(
                address,
                "\(method) /api/state HTTP/1.1\r\nHost: localhost\r\n"
                    + "content-length: 0\r\nconnection: close\r\n\r\n")
            #expect(answer.status == 405)
        }
    }

    @Test("The state holds the numbers and never a prompt or an answer")
    func state() throws {
        let test = try TestGateway(engine: try TestEngine.start())
        try test.waitUntilReady()
        for index in 0..<3 { #expect(try test.chat(id: "req-\(index)") == 200) }
        let body = try test.get("/api/state").body
        let state = try #require(
            try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any])
        let all = try #require(state["all"] as? [String: Any])
        #expect(all["offered"] as? Int == 3)
        #expect(all["good"] as? Int == 3)
        let slowest = try #require(state["slowest"] as? [[String: Any]])
        #expect(Set(slowest.compactMap { $0["id"] as? String }) == ["req-0", "req-1", "req-2"])
        #expect(slowest.allSatisfy { ($0["stages_ms"] as? [Double])?.count == 10 })
        #expect(!body.contains("secret words"))
        #expect(!body.contains("hidden answer"))
    }

    @Test("A scaler's replicas and decisions are shown, and counted for Prometheus")
    func scaling() throws {
        let test = try TestGateway(engine: try TestEngine.start())
        #expect(!(try test.get("/metrics").body.contains("plimsoll_replicas")))
        var scaling = ScalingStatus(model: "chat", least: 0, most: 8)
        scaling.ready = 2
        scaling.startingSeconds = [12.5, 0]
        scaling.demand = 3.25
        scaling.standby = 1.5
        scaling.decisions = [.init(t: 1, text: "2 -> 4 replicas <b>")]
        let shown = [scaling]
        test.status.update { $0.scaling = shown }
        let body = try test.get("/api/state").body
        let state = try #require(
            try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any])
        let model = try #require((state["scaling"] as? [[String: Any]])?.first)
        #expect(model["ready"] as? Int == 2)
        #expect(model["starting_seconds"] as? [Double] == [12.5, 0])
        #expect(model["demand"] as? Double == 3.25)
        let metrics = try test.metrics()
        #expect(metrics["plimsoll_replicas{model=\"chat\",state=\"starting\"}"] == 2)
        #expect(metrics["plimsoll_replicas{model=\"chat\",state=\"draining\"}"] == 0)
        #expect(metrics["plimsoll_demand_replicas{model=\"chat\"}"] == 3.25)
        #expect(metrics["plimsoll_standby_replicas{model=\"chat\"}"] == 1.5)
    }

    @Test(
        "Events stream a first whole snapshot, then one a second; too many watchers are turned away"
    )
    func events() throws {
        let test = try TestGateway()
        let address = try #require(test.admin.adminAddress)
        var watchers: [Int32] = []
        defer { for watcher in watchers { close(watcher) } }
        for _ in 0..<16 {
            let watcher = try Client.connect(address)
            watchers.append(watcher)
            try Client.send(watcher, "GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        }
        var seen = ""
        while seen.components(separatedBy: "data: {").count < 3,
            let more = Client.receive(watchers[0])
        {
            seen += String(decoding: more, as: UTF8.self)
        }
        #expect(seen.contains("content-type: text/event-stream"))
        #expect(seen.components(separatedBy: "\"schema\":\"plimsoll.state/v1\"").count >= 3)
        // All sixteen are in: each has its first bytes.
        for watcher in watchers.dropFirst() { #expect(Client.receive(watcher) != nil) }
        #expect(try test.get("/api/events").status == 503)
    }

    @Test("A console that does not read is dropped and holds nobody up")
    func slowWatcher() throws {
        var options = AdminServer.Options()
        options.everyMillis = 1
        options.watcherBytesMax = 10_000
        let test = try TestGateway(options: options)
        let address = try #require(test.admin.adminAddress)
        let watcher = try Client.connect(address)
        defer { close(watcher) }
        try Client.send(watcher, "GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        // Never read: what the kernel holds fills up, then the bound is passed.
        var most = 0.0
        for _ in 0..<20_000 {
            let watchers = try test.metrics()["plimsoll_console_watchers"] ?? -1
            most = max(most, watchers)
            if most == 1, watchers == 0 { break }
        }
        #expect(most == 1)
        #expect(try test.metrics()["plimsoll_console_watchers"] == 0)
    }
}
