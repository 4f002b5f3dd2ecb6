import Testing
import Wire

@Suite struct PrometheusTests {
    private func read(_ bytes: [UInt8]) -> (samples: [String], badLines: Int) {
        var reader = PrometheusText()
        var samples: [String] = []
        func string(_ range: ByteRange) -> String {
            String(decoding: bytes[range.start..<range.end], as: UTF8.self)
        }
        while let sample = reader.next(bytes.span) {
            samples.append("\(string(sample.name))|\(string(sample.labels))|\(sample.value)")
        }
        return (samples, reader.badLines)
    }

    private func read(_ text: String) -> (samples: [String], badLines: Int) {
        self.read(Array(text.utf8))
    }

    @Test func `samples are read with their labels and values`() {
        let text = """
            # HELP a b
            a 1
              b:c{x="1",y="a\\"}b"} 2.5 1395066363000

            c{} +Inf
            d -Inf
            e NaN
            f\t1e3
            """
        #expect(
            self.read(text).samples == [
                "a||1.0", "b:c|x=\"1\",y=\"a\\\"}b\"|2.5", "c||inf", "d||-inf", "e||nan",
                "f||1000.0",
            ])
        #expect(self.read(text).badLines == 0)
    }

    @Test func `a bad line is counted and hides no other`() {
        let text = "a{x=\"1\n\nb\nc one\nd1.5\n{x=\"1\"} 1\ne 1\n f{ 1\ng 2"
        #expect(self.read(text).samples == ["e||1.0", "g||2.0"])
        #expect(self.read(text).badLines == 6)
    }

    @Test func `labels are found by their whole name`() {
        let bytes = Array("a{xy=\"1\", y=\"2\\\",z=\\\"3\",z=\"4\"} 1".utf8)
        var reader = PrometheusText()
        let labels = reader.next(bytes.span)?.labels ?? .empty
        func label(_ name: StaticString) -> String? {
            PrometheusText.label(name, in: bytes.span, labels).map {
                String(decoding: bytes[$0.start..<$0.end], as: UTF8.self)
            }
        }
        #expect(label("xy") == "1" && label("z") == "4" && label("q") == nil)
        #expect(label("y") == "2\\\",z=\\\"3")
    }

    @Test(
        "a real engine's metrics are read to the last line",
        arguments: [
            "vllm_metrics.txt", "vllm_metrics_idle.txt", "vllm_metrics_overloaded.txt",
            "vllm_metrics_lora_kv.txt",
        ])
    func samples(_ name: String) throws {
        guard let file = Samples.read(name) else {
            try Test.cancel("no samples beside the checkout")
        }
        let lines = file.split(separator: 0x0A).count { $0.first != 0x23 }
        let read = self.read(file)
        #expect(read.samples.count == lines && read.badLines == 0)
        #expect(read.samples.contains { $0.hasPrefix("vllm:num_requests_running|") })
    }
}
