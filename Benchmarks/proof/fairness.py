"""Item 4: tenants share by weight and not by how much they ask for; the lowest class waits no
longer than its bound."""

import random

from . import budget
from .figures import Mark, median, millis, number, percent, worst
from .page import Page
from .pairs import Pair, inside, refused, work_of
from .twin import command, kept, say

SKEW = 100
HEAVY, LIGHT = (2_000, 200), (20, 2)
NOISE = 20
WAIT_S = 20
FAIR_SECONDS, NOISY_SECONDS, CLASS_SECONDS = 40, 240, 120


def trace(name, columns, streams, seconds, seed):
    """A CSV load: streams of `(rate, input, output, tag)`, each a Poisson process. Lengths are
    numbers or ranges to draw from evenly."""
    draw = random.Random(seed)

    def length(value):
        return value if isinstance(value, int) else draw.randint(*value)

    rows = []
    for rate, tokens_in, tokens_out, tag in streams:
        at = draw.expovariate(rate)
        while at < seconds:
            rows.append((at, length(tokens_in), length(tokens_out), tag))
            at += draw.expovariate(rate)
    rows.sort()
    lines = [f"arrival_s,input_tokens,output_tokens,{columns}"]
    lines += [f"{at:.6f},{i},{o},{tag}" for at, i, o, tag in rows]
    return "csv:" + kept(f"traces/{name}-{seed}.csv", "\n".join(lines) + "\n")


def seeded(twin, words, name, columns, streams, seconds, seeds, extra=()):
    """A run of a CSV load for each seed, and the command of the first."""
    runs, first = [], None
    for seed in range(1, seeds + 1):
        whole = [*words, "--trace", trace(name, columns, streams, seconds, seed),
                 "--seed", seed, *extra]
        first = first or command(whole)
        runs += twin.simulate(*whole)["runs"]
    return runs, first


def skew(page, twin, pair):
    """Two tenants, one of whose requests cost a hundred times as much; each alone would fill the
    engines one and a half times."""
    path = budget.write(f"{pair.name}-tenants", budget.model(pair.bounds),
                        budget.tenants(heavy=1, light=1))
    probe = trace("skew-probe", "tenant",
                  [(1, *HEAVY, "heavy"), (SKEW, *LIGHT, "light")], 50, 1)
    together = pair.capacity_of(probe, path=path)
    heavy = together / (1 + SKEW) * 3
    rows = []
    for policy in ("plimsoll", "no-gate", "slot-class"):
        words = [*pair.base(path), "--policy", policy, "--warm-up", "10s"]
        runs, how = seeded(
            twin, words, f"{pair.name}-skew", "tenant",
            [(heavy, *HEAVY, "heavy"), (heavy * SKEW, *LIGHT, "light")], FAIR_SECONDS,
            pair.seeds)
        if policy == "plimsoll":
            page.mark(Mark(
                f"{pair.profile}: Jain's index of attained work, {SKEW}:1 in cost",
                "at least 0.98", median(runs, "jain"), at_least=0.98, quick=0.96,
                figure=lambda value: f"{value:.4f}", command=how))
        rows.append((
            policy, f"{median(runs, 'jain'):.4f}", percent(median(runs, work_of)),
            percent(median(runs, refused)), number(median(runs, "ttft_ms.p99"))))
    return rows


def noisy(page, twin, pair):
    """A victim that asks for a twentieth of what its neighbour does, alone and beside it."""
    path = budget.write(f"{pair.name}-noisy", budget.model(pair.bounds),
                        budget.tenants(victim=1, neighbour=1))
    rate = pair.capacity * 0.1
    lengths = ((100, 1_900), (1, 400))
    alone = [(rate, *lengths, "victim")]
    beside = [*alone, (rate * NOISE, *lengths, "neighbour")]
    rows = []
    for policy in ("plimsoll", "gauge-gate", "slot-class", "no-gate"):
        words = [*pair.base(path), "--policy", policy, "--warm-up", "20s"]
        extra = ["--only-tenant", "victim"]
        quiet, _ = seeded(twin, words, f"{pair.name}-alone", "tenant", alone, NOISY_SECONDS,
                          pair.seeds, extra)
        loud, how = seeded(twin, words, f"{pair.name}-beside", "tenant", beside, NOISY_SECONDS,
                           pair.seeds, extra)
        ratio = median(loud, "ttft_ms.p99") / median(quiet, "ttft_ms.p99")
        if policy == "plimsoll":
            page.mark(Mark(
                f"{pair.profile}: victim's TTFT p99 beside a neighbour of {NOISE}x, of alone",
                "at most 1.2x", ratio, at_most=1.2, figure=lambda value: f"{value:.2f}x",
                command=how))
        rows.append((
            policy, number(median(quiet, "ttft_ms.p99")), number(median(loud, "ttft_ms.p99")),
            f"{ratio:.2f}x", number(median(loud, "ttft_ms.p50")), percent(median(loud, refused)),
            percent(median(loud, inside))))
    return rows


def classes(page, twin, pair):
    """Interactive load beyond the capacity by itself, and a batch class below it."""
    path = budget.write(f"{pair.name}-classes", budget.model(
        pair.bounds, classes="{interactive: {priority: 100}, batch: {priority: 0, "
        f"deadline: {{timeToFirstToken: {WAIT_S}s}}, maxWait: {WAIT_S}s}}}}"))
    lengths = ((100, 1_900), (1, 400))
    streams = [(pair.capacity * 1.5, *lengths, "interactive"),
               (pair.capacity * 0.3, *lengths, "batch")]
    rows = []
    for policy in ("plimsoll", "slot-class", "gauge-gate"):
        runs, how = seeded(
            twin, [*pair.base(path), "--policy", policy, "--warm-up", "10s"],
            f"{pair.name}-classes", "class", streams, CLASS_SECONDS, pair.seeds)
        longest = worst(runs, lambda run: run["longest_wait_ms"][-1])
        if policy == "plimsoll":
            page.mark(Mark(
                f"{pair.profile}: longest wait of the lowest class under 1.5x of a higher one",
                f"at most {WAIT_S:,},000 ms", longest, at_most=WAIT_S * 1_000, figure=millis,
                command=how))
        served = median(runs, lambda run: run["classes"][-1]["goodput"]["share"])
        rows.append((
            policy, number(longest), percent(served),
            percent(median(runs, lambda run: run["classes"][0]["goodput"]["share"])),
            number(median(runs, lambda run: run["classes"][0]["ttft_ms"]["p99"]))))
    return rows


def make(twin, scope):
    page = Page(4, "fairness", "Fair shares", (
        f"Two tenants of one weight, of which each could fill the engines one and a half times, "
        f"the one with requests of {HEAVY[0]:,} and {HEAVY[1]} tokens, the other with {LIGHT[0]} "
        f"and {LIGHT[1]}, a hundred times as many: Jain's index of the tokens each was served. A "
        f"tenant at a tenth of the capacity, alone and beside one that sends {NOISE} times as "
        f"much. A class below another that alone exceeds the capacity, with {WAIT_S} s as the "
        "longest it may wait."))
    page.profiles = list(scope.profiles)
    for profile in scope.profiles:
        pair = Pair(twin, profile, "drawn", scope.either(6_000, 2_000), scope.seeds(5, 2))
        page.text(f"## {profile}\n\n{pair.bounds}; {pair.seeds} seeds. Cost skew of {SKEW}:1:")
        page.table(["policy", "Jain", "goodput in work", "refused", "TTFT p99 ms"],
                   skew(page, twin, pair))
        page.text("Victim beside a noisy neighbour:")
        page.table(
            ["policy", "alone, TTFT p99 ms", "beside, TTFT p99 ms", "ratio", "beside, p50 ms",
             "victim refused", "victim's admitted inside TTFT"], noisy(page, twin, pair))
        page.text("The lowest class:")
        page.table(
            ["policy", "longest wait ms", "good of the lowest class", "good of the highest",
             "its TTFT p99 ms"], classes(page, twin, pair))
        say(f"fairness: {profile}: done")
    return page
