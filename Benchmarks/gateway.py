"""A gateway under measurement: a stub engine, a budget with one key, the process, and a client.

Standard library only. Everything listens on loopback, on ports the kernel chose.
"""

import os
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BINARY = os.path.join(ROOT, ".build", "release", "plimsoll")
MODEL = "mock"

BUDGET = """\
apiVersion: plimsoll.dev/v1alpha1
kind: Model
metadata: {{name: {model}, namespace: bench}}
spec:
  engine:
    kind: openai
    endpoints: [{endpoints}]
    maxContextTokens: 131072
  budget:
    objectives: {{timeToFirstToken: {{p99: 20s}}}}
    deadline: {{timeToFirstToken: 30s}}
  classes:
    standard: {{priority: 50, queue: {{requests: 10000, bytes: 1Gi}}}}
---
apiVersion: plimsoll.dev/v1alpha1
kind: Tenant
metadata: {{name: bench}}
spec:
  keys: [{key}]
"""


def new_key(binary=BINARY):
    """The secret of a new key, and its entry for a Tenant's `keys`."""
    text = subprocess.run([binary, "key", "new"], capture_output=True, text=True, check=True).stdout
    secret = re.search(r"plm_[A-Za-z0-9]+_[A-Za-z0-9_-]{43}", text)
    entry = re.search(r"\{\s*id:.*\}", text)
    if not secret or not entry:
        raise SystemExit("plimsoll key new printed no key or no {id: ..., salt: ..., hash: ...}")
    return secret.group(), entry.group()


def write_budget(path, endpoints, entry):
    """Writes a budget so wide that nothing is ever refused: relaying is what is measured."""
    urls = ", ".join(f'"http://{endpoint}"' for endpoint in endpoints if endpoint)
    with open(path, "w") as file:
        file.write(BUDGET.format(model=MODEL, endpoints=urls, key=entry))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def read_message(file):
    """Start line and whole body of one HTTP/1.1 message; None at the end of the connection."""
    start = file.readline()
    if not start:
        return None
    length, chunked = 0, False
    while (line := file.readline()) not in (b"\r\n", b"\n", b""):
        name, _, value = line.partition(b":")
        name = name.strip().lower()
        if name == b"content-length":
            length = int(value)
        elif name == b"transfer-encoding":
            chunked = b"chunked" in value.lower()
    if not chunked:
        return start, file.read(length)
    body = bytearray()
    while (size := int(file.readline().split(b";")[0], 16)) > 0:
        body += file.read(size)
        file.readline()
    while file.readline() not in (b"\r\n", b"\n", b""):
        pass
    return start, bytes(body)


class StubEngine:
    """Answers chat completions at once, or as `max_tokens` chunks a millisecond apart."""

    ANSWER = (
        b'{"id":"1","object":"chat.completion","created":1,"model":"mock","choices":[{"index":0,'
        b'"message":{"role":"assistant","content":"ok"},"finish_reason":"stop"}],'
        b'"usage":{"prompt_tokens":8,"completion_tokens":1,"total_tokens":9}}'
    )
    EVENT = (
        b'data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"mock","choices":'
        b'[{"index":0,"delta":{"content":"token "},"finish_reason":%s}]}\n\n'
    )
    USAGE = (
        b'data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"mock","choices":[],'
        b'"usage":{"prompt_tokens":8,"completion_tokens":8,"total_tokens":16}}\n\n'
    )

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            connection, _ = self.listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            with connection, connection.makefile("rb") as file:
                while (message := read_message(file)) is not None:
                    self._answer(connection, *message)
        except OSError:
            pass  # The gateway closed the connection: nothing is left to answer.

    def _answer(self, connection, start, body):
        if not start.startswith(b"POST"):
            reply = b'{"object":"list","data":[{"id":"mock","object":"model"}]}'
        elif re.search(rb'"stream"\s*:\s*true', body):
            self._stream(connection, int(re.search(rb'"max_tokens"\s*:\s*(\d+)', body).group(1)))
            return
        else:
            reply = self.ANSWER
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
        connection.sendall(head % len(reply) + reply)

    def _stream(self, connection, count):
        def chunk(data):
            return b"%x\r\n%s\r\n" % (len(data), data)

        connection.sendall(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
            b"transfer-encoding: chunked\r\n\r\n"
        )
        for index in range(count):
            last = index == count - 1
            connection.sendall(chunk(self.EVENT % (b'"stop"' if last else b"null")))
            time.sleep(0.001)
        connection.sendall(chunk(self.USAGE) + chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n")


class Client:
    """One keep-alive connection that sends chat completions and checks every answer."""

    def __init__(self, port, secret):
        self.secret = secret
        self.connection = socket.create_connection(("127.0.0.1", port), timeout=120)
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.connection.makefile("rb")

    def chat(self, chunks=0):
        stream = ',"stream":true,"stream_options":{"include_usage":true}' if chunks else ""
        body = (
            f'{{"model":"{MODEL}","messages":[{{"role":"user","content":"Say a few words."}}],'
            f'"max_tokens":{max(chunks, 8)}{stream}}}'
        ).encode()
        head = (
            "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n"
            f"content-type: application/json\r\nauthorization: Bearer {self.secret}\r\n"
            f"content-length: {len(body)}\r\n\r\n"
        )
        self.connection.sendall(head.encode() + body)
        message = read_message(self.file)
        if message is None or b" 200 " not in message[0]:
            raise SystemExit(f"the gateway answered {message}")
        if chunks and not message[1].endswith(b"data: [DONE]\n\n"):
            raise SystemExit("the gateway cut a stream")


class Gateway:
    """A running gateway on one loop; `wrapper` stands before its command line."""

    def __init__(
        self, engine, wrapper=(), environment=None, patience=30, binary=BINARY
    ):
        self.folder = tempfile.TemporaryDirectory(prefix="plimsoll-bench-")
        budget = os.path.join(self.folder.name, "budget.yaml")
        self.secret, entry = new_key()
        write_budget(budget, [engine.address], entry)
        self.port = free_port()
        self.log = open(os.path.join(self.folder.name, "log"), "w+")
        self.process = subprocess.Popen(
            [
                *wrapper, binary, "gateway", "-f", budget,
                "--listen", f"127.0.0.1:{self.port}",
                "--admin", f"127.0.0.1:{free_port()}", "--loops", "1",
            ],
            stdout=self.log, stderr=subprocess.STDOUT, env={**os.environ, **(environment or {})},
        )
        end = time.monotonic() + patience
        while True:
            try:
                Client(self.port, self.secret).chat()
                return
            except (OSError, SystemExit) as fault:
                if self.process.poll() is None and time.monotonic() < end:
                    time.sleep(0.05)
                    continue
                self.stop()
                self.log.seek(0)
                raise SystemExit(f"the gateway did not serve ({fault}):\n{self.log.read()}")

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
