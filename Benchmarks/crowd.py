"""Clients that no load generator plays: a probe of refusals' headers, a probe of bare answers, and
a crowd of idle and of hostile connections.

Standard library only. Each runs in a process of its own until told to stop, and then says what it
saw. The crowd comes from loopback addresses of its own, so that it leaves the others their ports.
"""

import errno
import multiprocessing
import random
import select
import socket
import threading
import time

SLOW_HEAD = b"GET /v1/models HTTP/1.1\r\nhost: localhost\r\nx-slow: " + b"a" * 4096
MODELS = b"GET /v1/models HTTP/1.1\r\nhost: localhost\r\n\r\n"


class Peer:
    """A function in a process of its own: `function(stop, *arguments)` returns what it saw."""

    def __init__(self, function, *arguments):
        context = multiprocessing.get_context("fork")
        self.pipe, theirs = context.Pipe()
        self.ready = context.Event()
        self.stopped = context.Event()
        self.process = context.Process(
            target=self._run, args=(function, theirs, arguments), daemon=True)
        self.process.start()
        self.pid = self.process.pid

    def _run(self, function, pipe, arguments):
        pipe.send(function(self, *arguments))

    def stop(self):
        """Ends the process; returns what the function did."""
        self.stopped.set()
        seen = self.pipe.recv() if self.pipe.poll(60) else None
        self.process.join(10)
        if seen is None:
            raise SystemExit("a client of the measurement died; its traceback is above")
        return seen


def read_answer(file):
    """Status and fields of one answer with a Content-Length, whose body is read; None at the end
    of the connection."""
    line = file.readline()
    if not line:
        return None
    status, fields = int(line.split()[1]), {}
    while (line := file.readline()) not in (b"\r\n", b""):
        name, _, value = line.partition(b":")
        fields[name.strip().lower().decode()] = value.strip().decode()
    file.read(int(fields.get("content-length", "0")))
    return status, fields


def open_connection(port, source="127.0.0.1"):
    connection = socket.create_connection(("127.0.0.1", port), 30, source_address=(source, 0))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def refusal_faults(status, fields):
    """What a refusal lacks: names of fields that are absent or make no sense."""
    faults = []
    seconds, millis = fields.get("retry-after", ""), fields.get("retry-after-ms", "")
    if not seconds.isdigit() or int(seconds) < 1:
        faults.append("retry-after")
    if not millis.isdigit() or int(millis) < 1:
        faults.append("retry-after-ms")
    elif seconds.isdigit() and not 0 <= int(seconds) * 1000 - int(millis) < 1000:
        faults.append("retry-after against retry-after-ms")
    if "x-plimsoll-refused" not in fields:
        faults.append("x-plimsoll-refused")
    return faults


def probe_refusals(peer, port, model, threads):
    """Sends one request a second on each of `threads` connections and looks at each refusal."""
    seen = {"statuses": {}, "refused": 0, "faulty": [], "delays_ms": [], "retry_after_ms": []}
    lock = threading.Lock()

    def one(index):
        draw = random.Random(index)
        time.sleep(index / threads)
        connection, file = None, None
        while not peer.stopped.is_set():
            words = "word " * draw.randint(160, 1200)
            body = (
                f'{{"model":"{model}","messages":[{{"role":"user","content":"{words}"}}],'
                '"max_tokens":8}').encode()
            head = (
                "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n"
                f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n").encode()
            begin = sent = time.monotonic()
            try:
                if connection is None:
                    connection = open_connection(port)
                    file = connection.makefile("rb")
                connection.sendall(head + body)
                sent = time.monotonic()
                answer = read_answer(file)
            except OSError:
                answer = None
            delay = (time.monotonic() - sent) * 1000
            with lock:
                status = answer[0] if answer else 0
                seen["statuses"][status] = seen["statuses"].get(status, 0) + 1
                if status in (429, 503):
                    seen["refused"] += 1
                    seen["delays_ms"].append(delay)
                    faults = refusal_faults(*answer)
                    if faults:
                        seen["faulty"].append(faults)
                    else:
                        seen["retry_after_ms"].append(int(answer[1]["retry-after-ms"]))
            if answer is None:
                connection = None
            peer.stopped.wait(max(0, begin + 1 - time.monotonic()))

    workers = [threading.Thread(target=one, args=(index,)) for index in range(threads)]
    for worker in workers:
        worker.start()
    peer.ready.set()
    for worker in workers:
        worker.join()
    return seen


def probe_answers(peer, port, rate):
    """Asks for the list of models `rate` times a second, which the gateway answers by itself:
    over a kept connection, and each time over a new one. Milliseconds of each, and failures."""
    seen = {"kept_ms": [], "new_ms": [], "failed": 0}
    kept = open_connection(port)
    peer.ready.set()
    due = time.monotonic()
    while not peer.stopped.is_set():
        due += 1 / rate
        try:
            for name in ("kept_ms", "new_ms"):
                begin = time.monotonic()
                connection = kept if name == "kept_ms" else open_connection(port)
                connection.sendall(MODELS)
                with connection.makefile("rb") as file:
                    answer = read_answer(file)
                if answer is None or answer[0] != 200:
                    raise OSError("no answer")
                seen[name].append((time.monotonic() - begin) * 1000)
                if connection is not kept:
                    connection.close()
        except OSError:
            seen["failed"] += 1
        peer.stopped.wait(max(0, due - time.monotonic()))
    return seen


class Crowd:
    """`idle` connections that asked once and stay; `slow` ones that send a head byte by byte."""

    # The slow ones' bytes are spread over the second.
    TICKS = 50

    def __init__(self, port, idle, slow):
        self.port = port
        self.poll = select.epoll()
        self.idle = {}
        self.slow = {}
        self.seen = {"idle_asked": idle, "slow_asked": slow, "idle_answered": 0, "idle_closed": 0,
                     "slow_closed": 0, "slow_bytes": 0, "refused_connections": 0}

    def _open(self, source):
        connection = socket.socket()
        connection.bind((source, 0))
        connection.setblocking(False)
        status = connection.connect_ex(("127.0.0.1", self.port))
        if status not in (0, errno.EINPROGRESS):
            self.seen["refused_connections"] += 1
            connection.close()
            return None
        self.poll.register(connection, select.EPOLLIN)
        return connection

    def _drop(self, table, descriptor):
        self.poll.unregister(descriptor)
        table.pop(descriptor)[0].close()

    def _look(self, seconds):
        """Takes what came; counts connections that the gateway closed."""
        for descriptor, _ in self.poll.poll(seconds):
            table = self.idle if descriptor in self.idle else self.slow
            try:
                data = table[descriptor][0].recv(65536)
            except OSError:
                data = b""
            if not data:
                self.seen["idle_closed" if table is self.idle else "slow_closed"] += 1
                self._drop(table, descriptor)
            elif table is self.idle and b" 200 " in data:
                self.seen["idle_answered"] += 1

    def _fill_idle(self):
        """Opens the idle ones a hundred at a time and lets each ask once."""
        asked = self.seen["idle_asked"]
        opened = 0
        while opened < asked:
            fresh = []
            for _ in range(min(100, asked - opened)):
                opened += 1
                if connection := self._open("127.0.0.2"):
                    self.idle[connection.fileno()] = [connection]
                    fresh.append(connection)
            time.sleep(0.02)
            for connection in fresh:
                try:
                    connection.send(MODELS)
                except OSError:
                    pass  # Closed by the gateway: counted by the look below.
            self._look(0.02)
        end = time.monotonic() + 5
        while time.monotonic() < end and self.seen["idle_answered"] < len(self.idle):
            self._look(0.1)

    def _send_slowly(self, tick):
        for descriptor in [key for key in self.slow if key % self.TICKS == tick]:
            entry = self.slow[descriptor]
            try:
                entry[0].send(SLOW_HEAD[entry[1]:entry[1] + 1])
                entry[1] += 1
                self.seen["slow_bytes"] += 1
            except OSError:
                self.seen["slow_closed"] += 1
                self._drop(self.slow, descriptor)

    def run(self, peer):
        self._fill_idle()
        tick = 0
        due = time.monotonic()
        while not peer.stopped.is_set():
            # Who was thrown out comes back, two hundred in a tick at most.
            for _ in range(min(200, self.seen["slow_asked"] - len(self.slow))):
                if connection := self._open("127.0.0.3"):
                    self.slow[connection.fileno()] = [connection, 0]
            if len(self.slow) == self.seen["slow_asked"]:
                peer.ready.set()
            self._send_slowly(tick)
            tick = (tick + 1) % self.TICKS
            due += 1 / self.TICKS
            while (left := due - time.monotonic()) > 0:
                self._look(left)
        self.seen["idle_open_at_end"] = len(self.idle)
        self.seen["slow_open_at_end"] = len(self.slow)
        return self.seen


def crowd(peer, port, idle, slow):
    """Keeps the crowd there until told to stop; ready when all have connected."""
    return Crowd(port, idle, slow).run(peer)
