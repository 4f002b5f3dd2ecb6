import Config
import Testing

/// Bytes no editor would write, and files made to be expensive.
@Suite struct HostileInputTests {
    @Test func `bytes that are not UTF-8 are named with their place`() {
        #expect(
            faults(Array("a: b\nc: ü".utf8) + [0xFF, 0x0A])
                == ["2:5: byte 0xFF is not UTF-8: save the file as UTF-8"])
        for broken: [UInt8] in [[0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF5], [0xE2, 0x82], [0x80]] {
            #expect(faults(broken).count == 1)
        }
    }

    @Test func `control characters are all named`() {
        #expect(
            faults("a: \0\r\nb: \u{1B}\n\u{2028}") == [
                "1:4: control character 0x00 is not allowed: remove it",
                "2:4: control character 0x1B is not allowed: remove it",
                "3:1: invisible character U+2028 is not allowed: remove it",
            ])
    }

    @Test func `a byte order mark and Windows line ends are accepted`() throws {
        let text = wholeBudget.split(separator: "\n", omittingEmptySubsequences: false)
            .joined(separator: "\r\n")
        _ = try accepted("\u{FEFF}" + text)
    }

    @Test func `columns count characters, not bytes`() {
        #expect(faults("\"üß\": 1").first?.hasPrefix("1:1: apiVersion is missing") == true)
        #expect(
            faults("{ü: 1, apiVersion: x}")
                == ["1:20: apiVersion: \"x\" is not plimsoll.dev/v1alpha1"])
    }

    @Test func `a file above the bound is refused at once`() {
        let large = [UInt8](repeating: UInt8(ascii: "["), count: 10 << 20)
        #expect(
            faults(large) == [
                "1:1: the file has 10485760 bytes: at most 1048576 are read, split it into several"
            ])
    }

    @Test func `deep nesting stops at the bound`() {
        #expect(
            faults(String(repeating: "[", count: 1 << 20))
                == ["1:65: nested deeper than 64 levels"])
        #expect(
            faults(String(repeating: "- ", count: 1 << 19))
                == ["1:129: nested deeper than 64 levels"])
    }

    @Test func `many values stop at the bound`() {
        let many = "a: [" + String(repeating: "b,", count: 200_000) + "]"
        #expect(faults(many) == ["1:200003: more than 100000 values in one file"])
    }

    @Test func `many documents stop at the bound`() {
        let many = String(repeating: "--- a\n", count: 5000)
        #expect(faults(many).contains("4097:1: more than 4096 documents in one file"))
    }

    @Test func `a bomb of aliases is refused without following one`() {
        let bomb = """
            a: &a [x, x, x, x, x, x, x, x, x]
            b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]
            c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b]
            """
        let found = faults(bomb)
        #expect(found.count { $0.contains("aliases") } == 18)
        #expect(found.count { $0.contains("anchors") } == 3)
    }

    @Test func `more faults than anyone reads are counted`() {
        let found = faults(
            "apiVersion: plimsoll.dev/v1alpha1\n"
                + (0..<2000).map { "x\($0): 1\n" }.joined())
        #expect(found.count == 501)
        #expect(found.last?.hasSuffix("more faults: fix those above first") == true)
    }

    @Test func `long values are cut where they are quoted`() {
        let found = faults("apiVersion: \(String(repeating: "x", count: 100_000))")
        #expect(found.allSatisfy { $0.utf8.count < 300 })
    }

    @Test func `a ladder through thousands of models is followed without recursion`() {
        let models = (0..<2000).map { index in
            "{apiVersion: plimsoll.dev/v1alpha1, kind: Model, metadata: {name: m\(index)}, spec: "
                + "{engine: {kind: simulated}, budget: {deadline: {timeToFirstToken: 1s}}, "
                + "overload: {degrade: [{model: m\((index + 1) % 2000)}]}}}\n"
        }
        let found = faults(models.joined(separator: "---\n"))
        #expect(
            found == ["3999:182: the ladder leads back: m0 -> m1 -> m2 -> m3 -> m4 -> ... -> m0"])
    }
}
