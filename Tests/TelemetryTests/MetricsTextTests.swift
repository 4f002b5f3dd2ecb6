import Telemetry
import Testing
import Wire

struct MetricsTextTests {
    @Test("A family has its help and type before its samples")
    func family() {
        var text = MetricsText()
        text.open("plimsoll_things_total", .counter, "Things.")
        text.sample(UInt64(3), [.init("kind", "a")])
        #expect(
            string(text) == """
                # HELP plimsoll_things_total Things.
                # TYPE plimsoll_things_total counter
                plimsoll_things_total{kind="a"} 3

                """)
    }

    @Test("Label values and help are escaped as the format wants")
    func escaping() {
        var text = MetricsText()
        text.open("x", .gauge, "a\\b\n\"c\"")
        text.sample(1.5, [.init("l", "a\\b\n\"c\"")])
        #expect(
            string(text) == """
                # HELP x a\\\\b\\n"c"
                # TYPE x gauge
                x{l="a\\\\b\\n\\"c\\""} 1.5

                """)
    }

    @Test("A histogram is cumulative, in seconds, and ends with +Inf")
    func histogram() {
        var text = MetricsText()
        text.open("h_seconds", .histogram, "H.")
        text.histogram(
            bounds: [10_000_000, 2_500_000_000], counts: [1, 2, 4], sumNanos: 1_500_000_000)
        #expect(
            string(text).split(separator: "\n").dropFirst(2) == [
                "h_seconds_bucket{le=\"0.01\"} 1", "h_seconds_bucket{le=\"2.5\"} 3",
                "h_seconds_bucket{le=\"+Inf\"} 7", "h_seconds_sum 1.5", "h_seconds_count 7",
            ])
    }

    @Test("Numbers that are no numbers are written as Prometheus spells them")
    func specials() {
        var text = MetricsText()
        text.open("x", .gauge, "X.")
        for value in [Double.nan, .infinity, -.infinity] { text.sample(value) }
        #expect(
            string(text).split(separator: "\n").dropFirst(2) == ["x NaN", "x +Inf", "x -Inf"])
    }

    @Test("The project's own strict reader takes every line back")
    func roundTrip() {
        var text = MetricsText()
        text.open("x_seconds", .histogram, "X\nY")
        text.histogram(
            bounds: [1, 1000], counts: [0, 1, 2], sumNanos: 3,
            [.init("model", "a\"},b{\\\n"), .init("class", "é")])
        var reader = PrometheusText()
        var samples = 0
        while reader.next(text.bytes.span) != nil { samples += 1 }
        #expect(samples == 5)
        #expect(reader.badLines == 0)
    }

    private func string(_ text: MetricsText) -> String {
        String(decoding: text.bytes, as: UTF8.self)
    }
}
