import EventLoop
import Foundation
import Gateway
import TestSockets
import Testing

/// The stock `openai` Python client through the gateway.
@Suite struct OpenAIClientTests {
    /// A Python with the client: named by the environment, or the project's own.
    private static let python: String? = {
        let root = "\(#filePath)".split(separator: "/").dropLast(3).joined(separator: "/")
        let named = ProcessInfo.processInfo.environment["PLIMSOLL_PYTHON"]
        return [named, "/\(root)/.build/venv/bin/python3"].compactMap { $0 }.first {
            FileManager.default.isExecutableFile(atPath: $0)
        }
    }()

    private static let script = """
        import sys, openai
        c = openai.OpenAI(base_url=sys.argv[1], api_key='none', max_retries=0)
        m = [{'role': 'user', 'content': 'hello'}]
        def say(*words): print(*words, flush=True)
        r = c.chat.completions.create(model='m', messages=m)
        say('whole', r.choices[0].message.content, r.usage.prompt_tokens)
        parts = list(c.chat.completions.create(model='m', messages=m, stream=True))
        say('stream', ''.join(p.choices[0].delta.content or '' for p in parts),
            all(p.usage is None for p in parts))
        parts = list(c.chat.completions.create(model='m', messages=m, stream=True,
                     stream_options={'include_usage': True}))
        say('usage', parts[-1].usage.completion_tokens, len(parts[-1].choices))
        for words in ('x', 'bad', 'busy', 'die', 'nonsense'):
            model = 'none' if words == 'x' else 'm'
            try:
                s = c.chat.completions.create(model=model, stream=words == 'die',
                        messages=[{'role': 'user', 'content': words}])
                say(words, [p.choices[0].delta.content for p in s])
            except openai.APIStatusError as e: say(words, type(e).__name__, e.status_code)
            except openai.APIError as e: say(words, type(e).__name__)
        s = c.chat.completions.create(model='m', messages=m, stream=True, max_tokens=7)
        next(iter(s)); s.close()
        say('models', [x.id for x in c.models.list()])
        """

    @Test func `the stock client streams, reads, cancels and sees errors for what they are`() throws
    {
        guard let python = Self.python else {
            try Test.cancel("no Python with the openai client; scripts/setup makes one")
        }
        let usage =
            #"data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"#
            + #""total_tokens":5}}"# + "\n\n"
        let server = engine { socket, request in
            let body = request.text
            if body.contains("bad") {
                return socket.send(Wire.text(400, #"{"error":{"message":"no"}}"#))
            }
            if body.contains("busy") { return socket.send(Wire.text(503, "{}")) }
            if body.contains("nonsense") {
                socket.send("nonsense\r\n\r\n")
                return false
            }
            if body.contains("die") {
                socket.send(Wire.streamHead + Wire.chunk(Wire.role))
                return false
            }
            guard body.contains("\"stream\":true") else {
                return socket.send(Wire.text(200, Wire.answer))
            }
            return socket.send(
                Wire.stream([Wire.role, Wire.token("he"), Wire.token("llo"), usage, Wire.done]))
        }
        let gateway = try TestGateway([server.port])
        let process = Process()
        process.executableURL = URL(fileURLWithPath: python)
        process.arguments = ["-c", Self.script, "http://\(gateway.gateway.address)/v1"]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let said = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(
            String(decoding: said, as: UTF8.self) == """
                whole hi 3
                stream hello True
                usage 2 0
                x NotFoundError 404
                bad BadRequestError 400
                busy InternalServerError 503
                die APIError
                nonsense InternalServerError 502
                models ['m']

                """)
    }
}
