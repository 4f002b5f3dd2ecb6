"""Runs of `plimsoll simulate`: each is made once for a binary, and known by its command line."""

import hashlib
import json
import os
import shlex
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WORK = os.path.join(ROOT, "Benchmarks", ".work", "evidence")
# Relative to the project, as a reader would type it: every command runs there.
TYPED = ".build/release/plimsoll"
BINARY = os.environ.get("PLIMSOLL", TYPED)
THREADS = os.environ.get("THREADS", str(os.cpu_count() or 1))
NICE = 15


class Refused(Exception):
    """The twin would not run a command; the message is its own."""


class Twin:
    """Runs commands, keeps what they printed, and tells how far it is."""

    def __init__(self):
        os.makedirs(os.path.join(WORK, "runs"), exist_ok=True)
        try:
            with open(os.path.join(ROOT, BINARY), "rb") as file:
                self.binary = hashlib.sha256(file.read()).hexdigest()
        except OSError:
            raise SystemExit(f"evidence: there is no {BINARY}; run `make build` first")
        self.made = 0
        self.reused = 0
        self.seconds = 0.0

    def simulate(self, *words):
        """The JSON that `plimsoll simulate WORDS` prints. Whether the budget was kept is for the
        caller to see: only input that the twin refuses is an error."""
        words = [str(word) for word in words]
        path = os.path.join(WORK, "runs", self._key(words) + ".json")
        if os.path.exists(path):
            self.reused += 1
            with open(path) as file:
                return json.load(file)
        begin = time.monotonic()
        done = subprocess.run(
            ["nice", "-n", str(NICE), BINARY, "simulate", *words, "--threads", THREADS,
             "--output", "json"],
            cwd=ROOT, capture_output=True, text=True)
        self.seconds += time.monotonic() - begin
        if done.returncode not in (0, 1) or not done.stdout:
            raise Refused(f"{command(words)}\n{done.stderr.strip()}")
        result = json.loads(done.stdout)
        for run in result["runs"]:
            if run["broken_invariants"]:
                say(f"BROKEN INVARIANT: {command(words)}\n{run['broken_invariants'][0]}")
        self.made += 1
        with open(path + ".new", "w") as file:
            json.dump(result, file)
        os.rename(path + ".new", path)
        return result

    def _key(self, words):
        """Stands for the command: the binary, the words, and the files they name."""
        sum = hashlib.sha256(self.binary.encode())
        for word in words:
            sum.update(b"\0" + word.encode())
            path = os.path.join(ROOT, word.split(":")[-1])
            if path.startswith(WORK) and os.path.isfile(path):
                with open(path, "rb") as file:
                    sum.update(hashlib.sha256(file.read()).digest())
        return sum.hexdigest()[:32]


def command(words):
    """A command as a reader would type it."""
    return shlex.join([TYPED, "simulate", *[str(word) for word in words]])


def say(text):
    print(f"evidence: {text}", file=sys.stderr, flush=True)


def kept(name, text):
    """Writes a file that a command reads, under the work folder; its path for the command."""
    path = os.path.join(WORK, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)
    return os.path.relpath(path, ROOT)
