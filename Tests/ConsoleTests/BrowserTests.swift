import Console
import Foundation
import Testing

struct BrowserTests {
    @Test("A browser shows the numbers of a live gateway")
    func numbers() throws {
        guard let dom = try Self.page(requests: 7) else { return }
        #expect(dom.contains(#"data-state="held""#))
        #expect(dom.contains(">HELD<"))
        #expect(dom.contains("7 of 7; 100 % since start"))
        #expect(dom.contains("chat / standard"))
        #expect(dom.contains("✓ met"))
        #expect(dom.contains("req-0"))
        #expect(!dom.contains("secret words"))
    }

    @Test("What a client names itself is text on the page and never markup")
    func escaping() throws {
        let name = "<img/src=x/onerror=document.title='owned'>"
        guard let dom = try Self.page(requests: 1, id: name) else { return }
        #expect(dom.contains("&lt;img/src=x/onerror="))
        #expect(!dom.contains("<img"))
        #expect(!dom.contains("<title>owned"))
    }

    @Test("A browser shows what a scaler does, its words as text")
    func scaling() throws {
        var scaling = ScalingStatus(model: "chat", least: 0, most: 8)
        scaling.ready = 2
        scaling.draining = 1
        scaling.startingSeconds = [12.4]
        scaling.demand = 3.25
        scaling.leadSeconds = 20
        scaling.decisions = [.init(t: 1, text: "2 -> 4 replicas <img>")]
        guard let dom = try Self.page(requests: 1, scaling: [scaling]) else { return }
        #expect(dom.contains("chat: 0 to 8 replicas"))
        #expect(dom.contains("the first in about 12 s"))
        #expect(dom.contains("1 more are draining"))
        #expect(dom.contains("2 -&gt; 4 replicas &lt;img&gt;"))
    }

    @Test("Without the chart library the figures stand in tables")
    func tables() throws {
        var options = AdminServer.Options()
        options.chartLibraries = []
        guard let dom = try Self.page(requests: 2, options: options) else { return }
        #expect(dom.contains(#"<div class="chart off">"#))
        #expect(dom.contains(#"<details id="rate-details" open="">"#))
        #expect(dom.contains(#"<th class="n" scope="col">Offered</th>"#))
    }

    @Test("A lost connection is visible, and the last figures stay")
    func lostConnection() throws {
        var options = AdminServer.Options()
        options.watchersMax = 0
        guard let dom = try Self.page(requests: 2, options: options, fragment: "") else { return }
        #expect(dom.contains(#"data-state="lost""#))
        #expect(dom.contains("connection lost: figures are of"))
        #expect(dom.contains("2 of 2; 100 % since start"))
    }

    /// The page's elements after its scripts ran; `nil` without a browser.
    private static func page(
        requests: Int, id: String? = nil, options: AdminServer.Options = AdminServer.Options(),
        fragment: String = "#still", scaling: [ScalingStatus] = []
    ) throws -> String? {
        guard let browser = Tool.find(["chromium", "chromium-browser", "google-chrome"]) else {
            print("skipped: no chromium on the path")
            return nil
        }
        let test = try TestGateway(engine: try TestEngine.start(), options: options)
        try test.waitUntilReady()
        test.status.update { $0.scaling = scaling }
        for index in 0..<requests { #expect(try test.chat(id: id ?? "req-\(index)") == 200) }
        let address = try #require(test.admin.adminAddress)
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: folder) }
        return try Tool.run(
            browser,
            [
                "--headless", "--no-sandbox", "--disable-gpu", "--user-data-dir=\(folder.path)",
                "--dump-dom", "--virtual-time-budget=5000", "http://\(address)/\(fragment)",
            ]
        ).output
    }
}
