"""Item 2: refusals come early, little is wasted, and nothing is refused without need."""

from .figures import Mark, median, number, one, percent, two, worst
from .load import missing, pairs
from .page import Page
from .pairs import inside, outside, path_of, refused
from .twin import say

FACTORS = (1.5, 2, 3)


def late_share(run):
    """Of admitted, those that did not get the first token inside the bound."""
    return outside(run, "ttft")


def regret(run):
    """The part of what a clairvoyant could have served that was not; None without a bound."""
    return run.get("regret")


def judge(page, pair, words, kind, factor):
    runs, command = pair.runs(words)
    what = f"{pair.title}, {kind} {factor:g}x"
    is_refusing = (median(runs, refused) or 0) > 0
    if factor == 0.5:
        page.mark(Mark(f"{what}: refused", "none", worst(runs, refused), at_most=0, quick=0.001,
                       figure=two, command=command))
    elif is_refusing:
        page.mark(Mark(
            f"{what}: of requests not served by the deadline, refused on arrival",
            "at least 95 %", median(runs, "early_refusal_share"), at_least=0.95, quick=0.90,
            figure=one, command=command))
        page.mark(Mark(
            f"{what}: tokens computed in vain", "at most 1 %",
            median(runs, "wasted_token_share"), at_most=0.01, quick=0.02, figure=two,
            command=command))
        page.mark(Mark(
            f"{what}: admitted that exceed the TTFT bound", "at most 1 %",
            median(runs, late_share), at_most=0.01, quick=0.02, figure=two, command=command))
        if median(runs, regret) is not None:
            page.mark(Mark(
                f"{what}: regret", "at most 5 %", median(runs, regret), at_most=0.05, quick=0.10,
                figure=one, command=command))
    return (
        kind, f"{factor:g}x", percent(median(runs, refused), 2),
        percent(median(runs, "early_refusal_share")),
        percent(median(runs, "wasted_token_share"), 2), percent(median(runs, late_share), 2),
        percent(median(runs, lambda run: outside(run, "itl")), 2),
        percent(median(runs, regret)), number(median(runs, "refusal_delay_ms.p99"), 1),
        percent(median(runs, inside), 2))


def make(twin, scope):
    page = Page(2, "refusals", "Early refusals, little waste", (
        "Under overload a request that will not be served is told so when it arrives, what engines "
        "compute is of use, and what is admitted is served in time; while engines have room, "
        "nothing is refused. Regret is what a fluid server that knows the whole load could have "
        "served and the policy did not, of the former, in work."))
    here = pairs(twin, scope)
    page.profiles = list(dict.fromkeys(pair.profile for pair in here))
    for pair in here:
        rows = [judge(page, pair, pair.stationary(factor), "steady", factor)
                for factor in (0.5, *scope.either(FACTORS, (1.5, 3)))]
        if path_of(pair.workload):
            rows += [judge(page, pair, pair.bursty(factor), "bursty", factor)
                     for factor in scope.either(FACTORS, (1.5,))]
        say(f"refusals: {pair.title}: done")
        page.text(f"## {pair.title}\n\n{pair.bounds}; medians of {pair.seeds} seeds.")
        page.table(
            ["arrivals", "load", "refused", "refused on arrival, of the unserved",
             "tokens in vain", "admitted past the TTFT bound", "past the ITL bound", "regret",
             "until refused, p99 ms", "inside TTFT"], rows)
    for name in missing():
        page.text(f"{name} is not here: left out.")
    return page
