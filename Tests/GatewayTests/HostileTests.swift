import Foundation
import TestSockets
import Testing

@testable import Gateway

/// Clients and engines that write what nobody should.
struct HostileTests {
    private func answering(_ text: String = Wire.text(200, Wire.answer)) -> RawServer {
        engine { socket, _ in socket.send(text) }
    }

    @Test func `no two numbers of a client end the process`() throws {
        let server = self.answering()
        let gateway = try TestGateway([server.port])
        for most in ["9223372036854775807", "4294967296", "1"] {
            for count in ["3", "9223372036854775807", "128"] {
                let status = gateway.ask(",\"max_tokens\":\(most),\"n\":\(count)")?.status
                #expect(status != nil, "\(most) times \(count)")
            }
        }
        #expect(gateway.ask()?.status == 200)
    }

    @Test func `an engine that lies about tokens shuts nobody out`() throws {
        let usage = #""usage":{"prompt_tokens":4294967295,"completion_tokens":4294967295}}"#
        let server = self.answering(Wire.text(200, #"{"id":"c","choices":[],"# + usage))
        let budget = TestGateway.budget([server.port], engine: ", maxContextTokens: 100000")
        let gateway = try TestGateway([server.port], budget: budget)
        let more = ",\"user\":\"\(String(repeating: "u", count: 12_000))\""
        for _ in 0..<10 { #expect(gateway.ask(more)?.status == 200) }
    }

    @Test(arguments: [204, 304])
    func `an answer without a body ends with its head`(_ status: Int) throws {
        let head =
            "HTTP/1.1 \(status) X\r\ncontent-type: text/event-stream\r\n"
            + "connection: x-hop\r\nx-hop: 1\r\nx-kept: 2\r\n\r\n"
        let server = self.answering(head)
        let gateway = try TestGateway([server.port])
        let client = gateway.client()
        client.send(TestGateway.chat(",\"stream\":true") + TestGateway.chat(model: "none"))
        let text = String(decoding: client.receive(until: "model_not_found"), as: UTF8.self)
        let first = text.prefix(while: { $0 != "{" }).lowercased()
        #expect(first.hasPrefix("http/1.1 \(status) "))
        // The next answer's head follows at once, and what the engine's hop alone needs is gone.
        #expect(first.components(separatedBy: "\r\n\r\n").count == 3, "\(first)")
        #expect(!first.contains("transfer-encoding") && !first.contains("x-hop"))
        #expect(first.contains("x-kept: 2"))
    }

    @Test func `an engine's error that is too long to read is not shown in part`() throws {
        let body = "{\"error\":\"\(String(repeating: "e", count: 40_000))\"}"
        let gateway = try TestGateway([self.answering(Wire.text(500, body)).port])
        let answer = gateway.ask()
        #expect(answer?.status == 502 && answer?.text.contains("eeee") == false)
    }

    @Test(arguments: [
        "/v1/chat/c%6fmpletions", "/v1/../admin", "/v1/%2e%2e/admin", "/v1//files", "/v1/./files",
        "/v1/a\\b", "/v1/chat/completions#x", "/v1/chat/completions?a#b",
    ])
    func `a path that others may read otherwise goes nowhere`(_ path: String) throws {
        let server = self.answering()
        let gateway = try TestGateway([server.port])
        let client = gateway.client()
        client.send(TestGateway.post("{\"model\":\"m\"}", path: path))
        let status = client.message()?.status
        #expect(status == 404 || status == 400)
        #expect(server.requests(to: path).isEmpty)
    }

    @Test(
        "a head that two readers take apart in two ways, or that costs much to read, is refused",
        arguments: [
            "content-type: application/json; x=1\r\n",
            "Connection: " + String(repeating: "a,", count: 129) + "\r\n",
            String(
                repeating: "Connection: " + String(repeating: "b", count: 100) + "\r\n", count: 3),
        ])
    func head(_ fields: String) throws {
        let server = self.answering()
        let gateway = try TestGateway([server.port])
        #expect(gateway.ask(fields: fields)?.status == 400)
        #expect(gateway.ask(fields: "Connection: a, b\r\n")?.status == 200)
        #expect(server.requests(to: "/v1/chat/completions").count == 1)
    }

    @Test func `the model of a form is the field of that name, written once`() throws {
        let server = self.answering()
        let gateway = try TestGateway([server.port])
        func part(_ disposition: String, _ value: String) -> String {
            "--B\r\nContent-Disposition: form-data; \(disposition)\r\n\r\n\(value)\r\n"
        }
        func send(_ parts: String) -> Int? {
            let client = gateway.client()
            let body = parts + "--B--\r\n"
            client.send(
                "POST /v1/audio/transcriptions HTTP/1.1\r\nHost: g\r\nContent-Type: "
                    + "multipart/form-data; boundary=B\r\nContent-Length: \(body.utf8.count)"
                    + "\r\n\r\n" + body)
            return client.message()?.status
        }
        let file = part("name=\"file\"; filename=\"model\"", "name=\"model\"\r\n\r\nnone")
        #expect(send(file + part("name=\"model\"", "m")) == 200)
        #expect(send(part("name=\"model\"", "none") + file) == 404)
        #expect(send(file) == 404)
        #expect(send(part("name=\"model\"", "m") + part("name=\"model\"", "m")) == 400)
        #expect(send("name=\"model\"\r\n\r\nm\r\n") == 404)
        // What the engine could take for another model than the gateway did.
        let model = part("name=\"model\"", "m")
        #expect(send(part("name=model", "m")) == 200)
        #expect(send(part("NAME=\"model\"; filename=\"a\\\";x\"", "m")) == 200)
        for other in [
            "name=model", "NAME=\"model\"", "name*=utf-8''model", "name=\"mo\\del\"",
            "x=\"\"; name=\"file\"; name=\"model\"", "name=\"file\"\r\n ;name=\"model\"",
        ] {
            #expect(send(model + part(other, "none")) == 400, "\(other)")
        }
        // A delimiter begins a line: this one is a part of the file.
        let inside = "Content-Disposition: form-data; name=\"model\"\r\n\r\nm"
        #expect(send(part("name=\"file\"", "x--B\r\n" + inside)) == 404)
        // Some readers take a line feed alone for the end of a line.
        #expect(send(part("name=\"file\"", "x\n--B\r\n" + inside)) == 400)
        // An alias is the engine's own name there, and nothing else is touched.
        #expect(send(file + part("name=\"model\"", "alias") + part("name=\"n\"", "alias")) == 200)
        let last = server.requests(to: "/v1/audio/transcriptions").last
        #expect(
            last?.text
                == file + part("name=\"model\"", "m") + part("name=\"n\"", "alias") + "--B--\r\n")
        #expect(last?.isWhole == true)
    }
}
