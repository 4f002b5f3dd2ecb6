"""Item 6: one of eight endpoints ten times as slow, and all endpoints down at once."""

from .figures import Mark, median, number, percent, two, worst
from .page import Page
from .pairs import Pair, inside, is_here, refused, work_of
from .twin import kept, say

EIGHT = 8
LOAD = 0.5
SLOW = "at 20s endpoint 3 slow 10x\n"
DOWN_AT_S, DOWN_FOR_S = 60, 30
DOWN = f"at {DOWN_AT_S}s for {DOWN_FOR_S}s endpoint all kill\n"
LEAST_GAIN, EXTRA_MOST, AMPLIFICATION_MOST = 0.60, 0.02, 1.1


def extra_work(run):
    """Dispatches beyond the first of each request."""
    return run["dispatch_amplification"] - 1


def slow(page, pair):
    faults = kept("faults/slow", SLOW)
    words = [*pair.stationary(LOAD), "--faults", faults]
    theirs, _ = pair.runs(words, "no-gate", "p2c")
    rows = []
    for policy, choice in (("plimsoll", None), ("no-gate", "p2c"), ("no-gate", "least-load"),
                           ("no-gate", "scores-2-2-3"), ("gauge-gate", "scores-2-2-3")):
        runs, how = pair.runs(words, policy, choice)
        if policy == "plimsoll":
            gain = 1 - median(runs, "ttft_ms.p99") / median(theirs, "ttft_ms.p99")
            what = f"{pair.title}, one of {EIGHT} 10x slow at {LOAD:g}x"
            page.mark(Mark(
                f"{what}: TTFT p99 below p2c's", f"at least {percent(LEAST_GAIN, 0)}", gain,
                at_least=LEAST_GAIN, quick=LEAST_GAIN - 0.05, figure=percent, command=how))
            page.mark(Mark(f"{what}: extra work", f"at most {percent(EXTRA_MOST, 0)}",
                           worst(runs, extra_work), at_most=EXTRA_MOST, figure=two, command=how))
        rows.append((
            "plimsoll" if not choice else f"{policy}, {choice}",
            number(median(runs, "ttft_ms.p50")), number(median(runs, "ttft_ms.p99")),
            number(median(runs, "ttft_ms.p999")), percent(worst(runs, extra_work), 2),
            percent(median(runs, work_of)), percent(median(runs, refused), 2),
            percent(median(runs, inside))))
    return rows


def down(page, pair):
    """Clients come back as refusals tell them; what arrives while all is down is counted."""
    rate = pair.capacity * LOAD
    faults = kept("faults/all-down", DOWN)
    words = [*pair.base(), "--trace", pair.trace, "--rate", f"{rate:.4f}", "--requests",
             int(rate * (DOWN_AT_S + DOWN_FOR_S)), "--warm-up", f"{DOWN_AT_S}s", "--faults",
             faults, "--retry", "honour"]
    if pair.workload != "drawn":
        words += ["--spacing", "poisson"]
    rows = []
    for policy in ("plimsoll", "no-gate", "gauge-gate", "slot-class"):
        runs, how = pair.runs(words, policy)
        if policy == "plimsoll":
            what = f"{pair.title}, all endpoints down for {DOWN_FOR_S} s"
            page.mark(Mark(
                f"{what}: tries of clients for each request", "at most 1.1",
                worst(runs, "retry_amplification"), at_most=AMPLIFICATION_MOST,
                figure=lambda value: f"{value:.3f}", command=how))
            page.mark(Mark(
                f"{what}: dispatches for each request dispatched", "at most 1.1",
                worst(runs, "dispatch_amplification"), at_most=AMPLIFICATION_MOST,
                figure=lambda value: f"{value:.3f}", command=how))
        rows.append((
            policy, f"{worst(runs, 'retry_amplification'):.3f}",
            f"{worst(runs, 'dispatch_amplification'):.3f}", percent(median(runs, refused)),
            percent(median(runs, lambda run: run["failed"] / max(1, run["offered"]))),
            percent(median(runs, work_of))))
    return rows


def make(twin, scope):
    page = Page(6, "faults", "A slow endpoint, and none at all", (
        f"{EIGHT} endpoints at {LOAD:g} times their capacity, of which one takes ten times as long "
        "for each step from the 20th second on, beside the field's choices without a gate, which "
        "do not hedge. Then all endpoints are gone for "
        f"{DOWN_FOR_S} s while clients come back as refusals tell them to, twice at most: of what "
        "is offered meanwhile, how often clients ask, and how often the gateway sends."))
    page.profiles = list(scope.profiles)
    for profile in scope.profiles:
        name = "drawn" if scope.quick or not is_here("conversation") else "conversation"
        pair = Pair(twin, profile, name, scope.either(6_000, 2_000), scope.seeds(10, 2),
                    replicas=EIGHT)
        page.text(f"## {pair.title}\n\n{pair.bounds}; medians of {pair.seeds} seeds, of "
                  "amplification the largest.")
        page.table(
            ["policy", "TTFT p50 ms", "p99 ms", "p99.9 ms", "extra work", "goodput in work",
             "refused", "admitted inside TTFT"], slow(page, pair))
        page.text("All down:")
        page.table(
            ["policy", "tries of clients", "dispatches", "refused", "failed", "goodput in work"],
            down(page, pair))
        say(f"faults: {profile}: done")
    return page
