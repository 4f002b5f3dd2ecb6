import Testing
import Wire

@Suite struct FormTests {
    private static let type = "multipart/form-data; boundary="

    private func read(_ boundary: String, _ body: [UInt8]) -> MultipartForm.Parts? {
        let type = Array((Self.type + boundary).utf8)
        let bytes = type + body
        return MultipartForm.read(
            bytes.span, contentType: ByteRange(start: 0, end: type.count),
            body: ByteRange(start: type.count, end: bytes.count))
    }

    @Test func `files are counted, and the bytes of what is no file`() {
        let body =
            "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n\r\n"
            + String(repeating: "x", count: 10_000)
            + "\r\n--B\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper\r\n"
            + "--B\r\nContent-Disposition: form-data; name=\"prompt\"\r\n\r\nabc\r\n"
            + "--B\r\nContent-Disposition: form-data; name=f; filename*=utf-8''b\r\n\r\nxx\r\n--B--"
        let parts = self.read("B", Array(body.utf8))
        #expect(parts?.files == 2 && parts?.textBytes == 10 && parts?.model?.count == 7)
    }

    @Test func `a body of what nearly are delimiters is read as fast as any other`() {
        let boundary = String(repeating: "-", count: 69) + "x"
        func time(_ piece: String) -> Duration {
            let count = (2 << 20) / piece.utf8.count
            let body = Array(String(repeating: piece, count: count).utf8)
            let times = (0..<3).map { _ in
                ContinuousClock().measure { #expect(self.read(boundary, body) == nil) }
            }
            return times.min() ?? .zero
        }
        let plain = time("xy")
        #expect(time("-") < plain * 30)
        // Each of its bytes is compared once, where those of the others are searched 16 at a time.
        #expect(time("\r\n" + String(repeating: "-", count: 70)) < plain * 100)
    }
}
