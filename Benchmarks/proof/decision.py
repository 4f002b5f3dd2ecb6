"""Item 8: what a decision costs, in time and in allocations."""

import json
import os
import struct
import subprocess

from .figures import Mark, median, number, percent
from .page import Page
from .pairs import Pair
from .twin import ROOT, WORK, say

# Queued requests, endpoints, whether it has a mark.
SIZES = ((10_000, 1_000), (10_000, 2), (100_000, 10_000))
P99_MOST_NS = 5_000
ROUNDS = 3
COUNTED = 20_000


def build():
    """Builds the benchmark of `step` in release; its path."""
    # The flags of scripts/build, so that the rooms are compiled once for both.
    words = ["swift", "build", "-c", "release", "--static-swift-stdlib", "-Xlinker",
             "--gc-sections", "--product", "DecisionCost"]
    environment = {**os.environ, "PLIMSOLL_BENCHMARKS": "1"}
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"evidence: {' '.join(words)} failed:\n{done.stdout}{done.stderr}")
    return os.path.join(ROOT, ".build", "release", "DecisionCost")


def mallocs(binary, queued, endpoints):
    """Allocations for each request, from the difference of two lengths of run."""
    counter = os.path.join(WORK, "malloc_count.so")
    source = os.path.join(ROOT, "Benchmarks", "malloc_count.c")
    subprocess.run(
        ["cc", "-O2", "-fno-builtin", "-shared", "-fPIC", "-o", counter, source], check=True)
    counts = os.path.join(WORK, "malloc_count")

    def calls(requests):
        if os.path.exists(counts):
            os.remove(counts)
        environment = {**os.environ, "LD_PRELOAD": counter, "MALLOC_COUNT_FILE": counts}
        subprocess.run(
            [binary, str(queued), str(endpoints), str(requests), "untimed"], check=True,
            env=environment, stdout=subprocess.DEVNULL)
        with open(counts, "rb") as file:
            return struct.unpack("<Q", file.read(8))[0]

    return (calls(2 * COUNTED) - calls(COUNTED)) / COUNTED


def measure(binary, queued, endpoints, scope):
    """The quietest of a few rounds: what else the machine does only ever adds."""
    rounds = []
    for _ in range(scope.either(ROUNDS, 1)):
        words = [binary, str(queued), str(endpoints), scope.either("100000", "20000")]
        rounds.append(json.loads(subprocess.run(
            words, check=True, capture_output=True, text=True).stdout))
    best = min(rounds, key=lambda one: one["step"]["p99_ns"])
    return {**best, "mallocs": mallocs(binary, queued, endpoints)}


def large_pool(twin, scope):
    """Goodput at capacity of a pool whose endpoints are all compared, and of one twice as large
    of which eight are: what is lost by not looking at every one."""
    rows = []
    for profile in scope.profiles[:1]:
        found = {}
        for replicas in (16, 32):
            pair = Pair(twin, profile, "drawn", 6_000, scope.seeds(5, 2), replicas=replicas)
            small = Pair(twin, profile, "drawn", 6_000, scope.seeds(5, 2), replicas=16)
            pair._capacity = small.capacity * replicas / 16
            runs, _ = pair.runs(pair.stationary(0.95, requests=300 * replicas))
            found[replicas] = runs
        for replicas, runs in found.items():
            rows.append((
                profile, str(replicas), "all" if replicas == 16 else "8",
                percent(median(runs, "goodput.share"), 2), number(median(runs, "ttft_ms.p50")),
                number(median(runs, "ttft_ms.p99")), number(median(runs, "itl_ms.p99"))))
    return rows


def make(twin, scope):
    page = Page(8, "decision", "What a decision costs", (
        "Every event that admission is told on a saturated model: an arrival, with the dispatch "
        "and refusals that follow it, a first token, progress, an end. 100 tenants; one request "
        "arrives for each that ends. These are times of a machine, unlike all other figures here: "
        "the quietest of three rounds."))
    binary = build()
    rows = []
    for queued, endpoints in scope.either(SIZES, SIZES[:1]):
        cost = measure(binary, queued, endpoints, scope)
        what = f"{queued:,} queued, {endpoints:,} endpoints"
        how = f".build/release/DecisionCost {queued} {endpoints} 100000"
        if endpoints == 1_000:
            page.mark(Mark(f"{what}: a step, p99", "at most 5 µs", cost["step"]["p99_ns"],
                           at_most=P99_MOST_NS, quick=3 * P99_MOST_NS,
                           figure=lambda value: number(value) + " ns", command=how))
            page.mark(Mark(f"{what}: allocations for each request", "none", cost["mallocs"],
                           at_most=0.005, quick=0.02, figure=lambda value: f"{value:.4f}",
                           command=how))
        for name in ("step", "arrive", "firstToken", "progress", "finish"):
            one = cost[name]
            rows.append((
                what, name, number(one["mean_ns"]), number(one["p50_ns"]), number(one["p99_ns"]),
                number(one["p999_ns"]), f"{cost['mallocs']:.4f}" if name == "step" else ""))
        say(f"decision: {what}: {cost['step']['p99_ns']:.0f} ns p99")
    page.table(
        ["world", "event", "mean ns", "p50 ns", "p99 ns", "p99.9 ns", "allocations a request"],
        rows)
    if not scope.quick:
        page.text(
            "Of a pool above sixteen endpoints eight with room are compared, from a place drawn "
            "at random. At 95 % of the capacity of a pool of sixteen, all compared, and of a pool "
            "twice as large under twice the load:")
        page.table(["profile", "endpoints", "compared", "good", "TTFT p50 ms", "p99 ms",
                    "ITL p99 ms"], large_pool(twin, scope))
    return page
