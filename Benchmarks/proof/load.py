"""Item 1: goodput in work against offered load, beside the field's policies."""

from . import chart
from .figures import (
    Mark, median, millis, number, one, paired, percent, values)
from .page import Page
from .pairs import (
    FIELD, TITLES, WORKLOADS, Pair, inside, is_here, path_of, refused, work_of)
from .twin import say

FACTORS = (0.5, 1, 1.5, 2, 3)
SWEEP_SEEDS, SWEEP_REQUESTS = 2, 3_000
# What a policy must reach of the bound on a bursty replay.
OF_BOUND = {"conversation": 0.95, "code": 0.90, "mooncake": 0.90}


def pairs(twin, scope):
    """The pairs that can be had here. A quick run has the drawn one, and one trace if there."""
    names = scope.either(tuple(WORKLOADS), ("drawn", "conversation"))
    return [
        Pair(twin, profile, name, scope.either(6_000, 2_000), scope.seeds(10, 3))
        for profile in scope.profiles for name in names if is_here(name)]


def missing():
    return [TITLES[name] for name in WORKLOADS if not is_here(name)]


class Point:
    """Everything that ran at one pair, kind of arrivals and load."""

    def __init__(self, pair, factor, is_bursty, scope):
        self.pair, self.factor, self.is_bursty = pair, factor, is_bursty
        self.words = pair.bursty(factor) if is_bursty else pair.stationary(factor)
        self.ours, self.command = pair.runs(self.words)
        self.field = {}
        for gate in scope.either(tuple(FIELD), ("gauge-gate", "no-gate")):
            default, _ = pair.runs(self.words, gate)
            best = self._best(gate, scope)
            at_best, _ = pair.runs(self.words, gate, *best) if best else (default, None)
            # A sweep is shorter than a run: what it liked best may not be.
            if median(at_best, work_of) < median(default, work_of):
                at_best, best = default, None
            self.field[gate] = (default, at_best, best)

    def _best(self, gate, scope):
        if scope.quick:
            return None
        # The trace's burst may stand anywhere in it: only a whole replay can tell settings apart.
        words = self.words if self.is_bursty else self.pair.stationary(
            self.factor, requests=SWEEP_REQUESTS)
        return self.pair.best(words, gate, 1 if self.is_bursty else SWEEP_SEEDS, work_of)

    def of_capacity(self, runs):
        """Goodput in work, of the work of a load at capacity."""
        return median(runs, work_of) * self.factor

    def bound(self):
        """What a clairvoyant could serve, of the offered work; None where it was not computed."""
        return median(self.ours, lambda run: (run.get("bound") or {}).get("share"))

    def best_of_field(self):
        """The gate whose best setting has the highest goodput, and its runs."""
        return max(((gate, runs[1]) for gate, runs in self.field.items()),
                   key=lambda entry: median(entry[1], work_of))


def marks(page, point):
    pair, factor = point.pair, point.factor
    what = f"{pair.title}, {'bursty' if point.is_bursty else 'steady'} {factor:g}x"
    if not point.is_bursty and factor in (1.5, 3):
        page.mark(Mark(
            f"{what}: goodput in work, of capacity", "at least 95 %",
            point.of_capacity(point.ours), at_least=0.95, quick=0.90, figure=one,
            command=point.command))
        page.mark(Mark(
            f"{what}: TTFT p99 of admitted", f"at most {pair.bounds.ttft_ms:,} ms",
            median(point.ours, "ttft_ms.p99"), at_most=pair.bounds.ttft_ms,
            quick=pair.bounds.ttft_ms * 1.05, figure=millis, command=point.command))
        page.mark(Mark(
            f"{what}: ITL p99 of admitted", f"at most {pair.bounds.itl_ms:,} ms",
            median(point.ours, "itl_ms.p99"), at_most=pair.bounds.itl_ms,
            quick=pair.bounds.itl_ms * 1.05, figure=millis, command=point.command))
    if point.is_bursty and point.bound():
        least = OF_BOUND[pair.workload]
        page.mark(Mark(
            f"{what}: goodput in work, of the clairvoyant bound", f"at least {percent(least, 0)}",
            median(point.ours, work_of) / point.bound(), at_least=least, quick=least - 0.05,
            figure=one, command=point.command))
    gate, theirs = point.best_of_field()
    mean, low, high = paired(values(point.ours, work_of), values(theirs, work_of))
    page.mark(Mark(
        f"{what}: goodput in work less the best baseline's", "interval from -1 %", low,
        at_least=-0.01, quick=-0.03, command=point.command,
        figure=lambda value: f"{gate}: {percent(mean)} ({percent(low)} to {percent(high)})"))


def rows(point):
    out = []
    bound = point.bound()
    full = median(point.ours, "engine_bound.share")

    def row(name, runs):
        out.append((
            f"{point.factor:g}x", name, number(point.of_capacity(runs), 3),
            percent(median(runs, work_of) / bound) if bound else "-",
            percent(median(runs, work_of) / full) if full else "-",
            percent(median(runs, "goodput.share")), percent(median(runs, refused)),
            number(median(runs, "ttft_ms.p50")), number(median(runs, "ttft_ms.p99")),
            number(median(runs, "itl_ms.p99")), percent(median(runs, inside))))

    row("plimsoll", point.ours)
    for gate, (default, best, setting) in point.field.items():
        row(f"{gate}, default", default)
        if setting and best is not default:
            row(f"{gate}, {setting[0]}, {setting[1]}", best)
    return out


def panel(pair, points):
    lines = [("plimsoll", [(0, 0)] + [(p.factor, p.of_capacity(p.ours)) for p in points])]
    for gate in points[0].field:
        lines.append((f"{gate} at its best", [(0, 0)] + [
            (p.factor, p.of_capacity(p.field[gate][1])) for p in points]))
    return chart.Panel(pair.title, lines, bound=1)


def make(twin, scope):
    page = Page(1, "load", "Goodput against offered load", (
        "How much work is answered inside the budget when half to three times of what the engines "
        "can do is offered: the product's admission, and the field's gates at their defaults and "
        "at the best setting of their main knob for that very point. Work is tokens of prompt and "
        "answer: a gate that refuses long prompts would flatter a count of requests. Steady is a "
        "Poisson process of the pair's lengths; bursty is the trace's own times, made faster as a "
        "whole. Capacity is the highest steady rate at which 99 % of what is offered is inside "
        "the budget, the best policy compared; engines compute at most 1,024 tokens in a step. The "
        "bound is what a fluid server that knows every arrival makes of the same load at that "
        "capacity; engines that are kept full, and refuse, can do more than that, and then stand "
        "above 100 %: the same server with every step of every engine full is what nothing passes "
        "but by cached prefixes."))
    here = pairs(twin, scope)
    page.profiles = list(dict.fromkeys(pair.profile for pair in here))
    factors = scope.either(FACTORS, (0.5, 1.5, 3))
    for is_bursty in (False, True):
        panels = []
        for pair in here:
            if is_bursty and path_of(pair.workload) is None:
                continue
            points = []
            for factor in factors:
                points.append(Point(pair, factor, is_bursty, scope))
                marks(page, points[-1])
            say(f"load: {pair.title}, {'bursty' if is_bursty else 'steady'}: done")
            panels.append(panel(pair, points))
            page.text(f"## {pair.title}, {'bursty' if is_bursty else 'steady'}\n\n"
                      f"{pair.bounds}; capacity {pair.capacity:.2f} requests/s of "
                      f"{pair.replicas} engines; medians of {pair.seeds} seeds.")
            page.table(
                ["load", "policy", "goodput in work / capacity", "of the bound",
                 "of full engines", "good requests",
                 "refused", "TTFT p50 ms", "p99 ms", "ITL p99 ms", "admitted inside TTFT"],
                [row for point in points for row in rows(point)])
        if panels and not scope.quick:
            kind = "bursty" if is_bursty else "steady"
            page.chart(kind, chart.grid(
                panels, len(panels) // len(scope.profiles), "offered load / capacity",
                "goodput in work", f"Goodput in work against offered load, {kind}"),
                f"Goodput in work against offered load, {kind}, all policies at their best")
    for name in missing():
        page.text(f"{name} is not here: left out.")
    return page
