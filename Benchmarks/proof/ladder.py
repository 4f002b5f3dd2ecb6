"""Item 5: the degrade ladder relieves where it can, stays off where it cannot, does not flap."""

import csv
import random

from . import budget
from .figures import Mark, median, number, one, percent, two, worst
from .load import missing
from .page import Page
from .pairs import Pair, inside, is_here, path_of, refused
from .twin import kept, say

CAP = 128
LEAST_GAIN = 1.05
DRAWN_REQUESTS = 8_000


def capped(workload):
    """The workload with every answer at most CAP tokens long, under the work folder: what the
    engines would do if everybody stood on the step."""
    lines = ["arrival_s,input_tokens,output_tokens"]
    path = path_of(workload)
    if path is None:
        draw = random.Random(1)
        rows = ((draw.randint(100, 1_900), draw.randint(1, 400)) for _ in range(DRAWN_REQUESTS))
    else:
        with open(path, newline="") as file:
            rows = [(int(row["ContextTokens"]), int(row["GeneratedTokens"]))
                    for row in csv.DictReader(file)]
    for index, (tokens_in, tokens_out) in enumerate(rows):
        lines.append(f"{index * 0.1:.1f},{tokens_in},{min(CAP, tokens_out)}")
    return "csv:" + kept(f"traces/{workload}-capped.csv", "\n".join(lines) + "\n")


def moves_per_minute(run):
    return run["ladder_moves"] / max(1e-9, run["duration_s"] / 60)


def degraded(run):
    return run["degraded"] / max(1, run["offered"])


def judge(page, runs, how, what):
    page.mark(Mark(f"{what}: admitted inside the TTFT bound", "at least 98 %",
                   median(runs, inside), at_least=0.98, quick=0.96, figure=one, command=how))
    page.mark(Mark(f"{what}: refused", "at most 1 %", median(runs, refused), at_most=0.01,
                   quick=0.02, figure=two, command=how))
    page.mark(Mark(f"{what}: changes of step a minute", "below 1",
                   median(runs, moves_per_minute), at_most=0.999, quick=1.5,
                   figure=lambda value: number(value, 2), command=how))


def row(name, gain, load, runs):
    return (name, f"{gain:.3f}", f"{load:.3f}x", percent(median(runs, inside), 2),
            percent(median(runs, refused), 2), percent(median(runs, degraded)),
            number(median(runs, moves_per_minute), 2), percent(median(runs, "goodput.share")),
            number(median(runs, "ttft_ms.p99")), number(median(runs, "itl_ms.p99")))


def caps(page, pair):
    """The step that shortens answers. Where it gains too little it must not be taken."""
    path = budget.write(f"{pair.name}-cap", budget.model(
        pair.bounds, degrade=f"[{{cap: {{outputTokens: {CAP}}}}}]"))
    gain = pair.capacity_of(capped(pair.workload)) / pair.capacity
    helps = gain >= LEAST_GAIN
    load = 1 + 0.5 * (gain - 1) if helps else 1.5
    runs, how = pair.runs(pair.stationary(load, path=path))
    what = f"{pair.title}, cap of {CAP} tokens"
    if helps:
        judge(page, runs, how, what)
    else:
        page.mark(Mark(f"{what}: degraded although it gains too little", "none",
                       worst(runs, degraded), at_most=0, quick=0, figure=two, command=how))
    return row(f"{pair.title}, cap {CAP}", gain, load, runs)


def model(page, pair):
    """The step to another model, whose engines are as many and have nothing else to do: together
    they can do twice the capacity."""
    path = budget.write(
        f"{pair.name}-model", budget.model(pair.bounds, degrade="[{model: spare}]"),
        budget.model(pair.bounds, name="spare"))
    gain, load = 2.0, 1.5
    runs, how = pair.runs(pair.stationary(load, path=path))
    judge(page, runs, how, f"{pair.title}, spare model")
    return row(f"{pair.title}, spare model", gain, load, runs)


def make(twin, scope):
    page = Page(5, "ladder", "The degrade ladder", (
        f"The gain G of a step is the capacity with everybody on it over the capacity without. At "
        f"1 + (G - 1) / 2 times the capacity the ladder must do what refusals would else do. A "
        f"step that gains less than {percent(LEAST_GAIN - 1, 0)} must stay off (offered 1.5x). "
        f"`cap` shortens answers to {CAP} tokens; `model` sends requests to the engines of a "
        "second model, as many and idle. An answer that the cap cut counts as degraded."))
    page.profiles = list(scope.profiles)
    rows = []
    for profile in scope.profiles:
        names = scope.either(("drawn", "conversation", "code"), ("drawn",))
        for name in names:
            if not is_here(name):
                continue
            pair = Pair(twin, profile, name, scope.either(6_000, 3_000), scope.seeds(10, 2))
            rows.append(caps(page, pair))
            if name == "drawn":
                rows.append(model(page, pair))
        say(f"ladder: {profile}: done")
    page.table(
        ["pair and step", "gain", "load", "admitted inside TTFT", "refused", "degraded",
         "changes a minute", "good", "TTFT p99 ms", "ITL p99 ms"], rows)
    for name in missing():
        page.text(f"{name} is not here: left out.")
    return page
