"""Item 7: limits that tune themselves, against the best that are set by hand."""

from . import budget, chart
from .figures import Mark, median, number, paired, percent, values
from .page import Page
from .pairs import Pair, is_here, refused, work_of
from .twin import say

LIMITS = (4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256)
LOADS = (1, 1.5)


def sweep(page, pair, load, limits):
    """Goodput in work of every static limit on requests at one endpoint, and of none."""
    tuned, how = pair.runs(pair.stationary(load))
    points, best, best_runs = [], None, None
    for limit in limits:
        path = budget.write(f"{pair.name}-limit-{limit}", budget.model(
            pair.bounds, limits=f"{{concurrentRequests: {limit}}}"))
        runs, _ = pair.runs(pair.stationary(load, path=path))
        points.append((limit, median(runs, work_of), runs))
        if best is None or points[-1][1] > best[1]:
            best, best_runs = points[-1], runs
    slots = [(setting, median(runs, work_of)) for setting, runs in slot_class(pair, load)]
    ratio = median(tuned, work_of) / max(best[1], max(value for _, value in slots))
    page.mark(Mark(
        f"{pair.title}, {load:g}x: goodput in work, of the best static limit's", "at least 95 %",
        ratio, at_least=0.95, quick=0.93, figure=percent, command=how))
    _, low, high = paired(values(tuned, work_of), values(best_runs, work_of))
    rows = [(f"{load:g}x", "tunes itself", number(median(tuned, work_of) * load, 3),
             percent(median(tuned, refused)), number(median(tuned, "ttft_ms.p99")),
             number(median(tuned, "itl_ms.p99")), f"{percent(low)} to {percent(high)}")]
    rows += [(f"{load:g}x", f"at most {limit}", number(value * load, 3),
              percent(median(runs, refused)), number(median(runs, "ttft_ms.p99")),
              number(median(runs, "itl_ms.p99")), "-") for limit, value, runs in points]
    rows += [(f"{load:g}x", f"slot-class, {setting}", number(value * load, 3), "-", "-", "-", "-")
             for setting, value in slots]
    panel = chart.Panel(
        f"{pair.title}, {load:g}x",
        [("at most so many", [(limit, value * load) for limit, value, _ in points]),
         ("tunes itself", [(limits[0], median(tuned, work_of) * load),
                           (limits[-1], median(tuned, work_of) * load)])])
    return rows, panel


def slot_class(pair, load):
    """The field's static limit, at each of its settings."""
    words = [*pair.stationary(load), "--policy", "slot-class", "--choice", "least-load",
             "--sweep", "--runs", 2]
    groups = {}
    for run in pair.twin.simulate(*words)["runs"]:
        groups.setdefault(run["setting"], []).append(run)
    return list(groups.items())


def make(twin, scope):
    page = Page(7, "limits", "Limits that tune themselves", (
        "The same budget on every profile, without and with a written limit on the requests at "
        "one endpoint (`limits: {concurrentRequests: N}`, below which the rest still tunes "
        "itself), and slot-class at each number of its slots: what a hand-set limit could gain. "
        "The last column is the 95 % interval of the paired difference to the best limit."))
    page.profiles = list(scope.profiles)
    panels = []
    for profile in scope.profiles:
        for name in scope.either(("drawn", "conversation"), ("drawn",)):
            if not is_here(name):
                continue
            pair = Pair(twin, profile, name, scope.either(6_000, 2_000), scope.seeds(5, 2))
            page.text(f"## {pair.title}\n\n{pair.bounds}; medians of {pair.seeds} seeds.")
            rows = []
            for load in scope.either(LOADS, LOADS[1:]):
                more, panel = sweep(page, pair, load, scope.either(LIMITS, LIMITS[2::3]))
                rows += more
                panels.append(panel)
            page.table(
                ["load", "limit", "goodput in work / capacity", "refused", "TTFT p99 ms",
                 "ITL p99 ms", "less the best limit's"], rows)
        say(f"limits: {profile}: done")
    if not scope.quick:
        page.chart("sweep", chart.grid(
            panels, 4, "requests at one endpoint, at most", "goodput in work / capacity",
            "Goodput in work over a static limit"), "Goodput over a static limit, and without one")
    return page
