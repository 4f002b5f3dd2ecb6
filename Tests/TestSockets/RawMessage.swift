/// An HTTP message as it came over a socket.
package struct RawMessage: Sendable {
    package var startLine = ""
    /// Field lines, names in lower case.
    package var fields: [(name: String, value: String)] = []
    package var body: [UInt8] = []
    /// The body came to the end that its framing promised.
    package var isWhole = false

    package var text: String { String(decoding: self.body, as: UTF8.self) }
    package var status: Int {
        Int(self.startLine.split(separator: " ").dropFirst().first ?? "") ?? 0
    }
    package var path: String {
        String(self.startLine.split(separator: " ").dropFirst().first ?? "")
    }

    package subscript(name: String) -> String? {
        self.fields.first { $0.name == name }?.value
    }
}

extension RawSocket {
    /// Reads one message; `toHead`: no body follows. `nil` when none began.
    package func message(toHead: Bool = false) -> RawMessage? {
        let head = self.receive(until: "\r\n\r\n")
        guard !head.isEmpty else { return nil }
        var message = RawMessage()
        let lines = String(decoding: head, as: UTF8.self).split(separator: "\r\n")
        message.startLine = lines.first.map(String.init) ?? ""
        message.fields = lines.dropFirst().map { line in
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            let value = parts.count > 1 ? String(parts[1]) : ""
            return (parts[0].lowercased(), String(value.drop { $0 == " " }))
        }
        if toHead || [204, 304].contains(message.status) {
            message.isWhole = true
        } else if let length = message["content-length"].flatMap(Int.init) {
            message.body = self.receive(count: length)
            message.isWhole = message.body.count == length
        } else if message["transfer-encoding"] == "chunked" {
            self.receiveChunks(into: &message)
        } else if message.startLine.hasPrefix("HTTP/") {
            message.body = self.receiveAll()
            message.isWhole = true
        } else {
            message.isWhole = true
        }
        return message
    }

    private func receiveChunks(into message: inout RawMessage) {
        while true {
            let line = String(decoding: self.receive(until: "\r\n"), as: UTF8.self)
            guard line.hasSuffix("\r\n"), let size = Int(line.dropLast(), radix: 16) else { return }
            let chunk = self.receive(count: size + 2)
            message.body += chunk.prefix(size)
            guard chunk.count == size + 2 else { return }
            if size == 0 {
                message.isWhole = true
                return
            }
        }
    }
}
