"""Item 3: ten times the load at once, and engines whose gauges cannot be read."""

from .figures import Mark, median, millis, number, percent, worst
from .page import Page
from .pairs import Pair, inside, refused, work_of
from .twin import command, kept, say

BASE = 0.5
AT_S, AFTER_S, LENGTH_S = 60, 10, 120
LENGTHS = "in=100-1900,out=1-400"
OUTAGE = "at 60s for 5s endpoint 0 scrape-outage\n"


def step_words(pair, seconds):
    rate = pair.capacity * BASE
    trace = f"step:rate={rate:.4f},to={rate * 10:.4f},at={AT_S}s,for={seconds}s,{LENGTHS}"
    return [*pair.base(), "--trace", trace, "--for", f"{LENGTH_S}s", "--scrape", "50ms"]


def steps(page, pair, seconds):
    """A step: the whole of it, and what came from ten seconds after its end on."""
    words = step_words(pair, seconds)
    back = [*words, "--warm-up", f"{AT_S + seconds + AFTER_S}s"]
    whole, how = pair.runs(words)
    after, how_after = pair.runs(back)
    what = f"{pair.profile}, step of {seconds} s"
    page.mark(Mark(
        f"{what}: prefill tokens waiting at an engine beyond max(its target, the largest prompt)",
        "none", worst(whole, "engine_queue_overshoot"), at_most=0, figure=number, command=how))
    page.mark(Mark(
        f"{what}: TTFT p99 from {AFTER_S} s after its end", f"at most {pair.bounds.ttft_ms:,} ms",
        median(after, "ttft_ms.p99"), at_most=pair.bounds.ttft_ms, figure=millis,
        command=how_after))
    rows = []
    for name, policy in (("plimsoll", "plimsoll"), ("gauge-gate", "gauge-gate"),
                         ("no-gate", "no-gate")):
        runs = whole if policy == "plimsoll" else pair.runs(words, policy)[0]
        later = after if policy == "plimsoll" else pair.runs(back, policy)[0]
        rows.append((
            f"{seconds} s", name, percent(median(runs, work_of)), percent(median(runs, refused)),
            number(worst(runs, "engine_queue_overshoot")),
            number(worst(runs, "engine_queue_peak_tokens")), number(median(runs, "ttft_ms.p99")),
            percent(median(runs, inside)), number(median(later, "ttft_ms.p99")),
            percent(median(later, work_of))))
    return rows


def outage(page, twin, pair):
    """One engine, more load than it can take, and five seconds without a scrape."""
    single = Pair(twin, pair.profile, "drawn", pair.requests, pair.seeds, replicas=1)
    faults = kept("faults/scrape-outage", OUTAGE)
    words = [*single.base(), "--trace", single.trace, "--load-factor", "1.5", "--capacity",
             f"{single.capacity:.4f}", "--for", f"{LENGTH_S}s", "--scrape", "50ms"]
    rows = []
    for name in ("plimsoll", "gauge-gate"):
        without, _ = single.runs(words, name)
        during, how = single.runs([*words, "--faults", faults], name)
        ratio = median(during, work_of) / max(1e-9, median(without, work_of))
        idle = worst(during, "idle_while_waiting_s")
        if name == "plimsoll":
            what = f"{pair.profile}, one engine, 5 s without scrapes"
            page.mark(Mark(f"{what}: engine idle while work waited", "at most 0.05 s", idle,
                           at_most=0.05, figure=lambda value: f"{value:.3f} s", command=how))
            page.mark(Mark(f"{what}: goodput in work, of the same without the outage",
                           "at least 99 %", ratio, at_least=0.99, figure=percent, command=how))
        rows.append((
            name, percent(median(without, work_of)), percent(median(during, work_of)),
            f"{worst(without, 'idle_while_waiting_s'):.3f}", f"{idle:.3f}",
            number(median(during, "ttft_ms.p99"))))
    return rows


def make(twin, scope):
    page = Page(3, "bursts", "Steps and blind spots", (
        f"From half of the capacity the load rises to ten times that at once, for 2 s and for "
        f"10 s, with gauges scraped every 50 ms: work waits at the gateway and not at engines, "
        f"and {AFTER_S} s after the step latencies are what they were. Then a pool of one engine "
        "whose gauges cannot be read for 5 s while 1.5 times its capacity is offered: a late "
        "scrape never stops dispatch. Lengths are drawn: " + LENGTHS + "."))
    page.profiles = list(scope.profiles)
    for profile in scope.profiles:
        pair = Pair(twin, profile, "drawn", scope.either(6_000, 2_000), scope.seeds(10, 3))
        rows = [row for seconds in (2, 10) for row in steps(page, pair, seconds)]
        page.text(f"## {profile}\n\n{pair.bounds}; medians of {pair.seeds} seeds, of queues the "
                  "largest of all.")
        page.table(
            ["step", "policy", "goodput in work", "refused", "queue overshoot, tokens",
             "queue peak, tokens", "TTFT p99 ms", "admitted inside TTFT",
             f"TTFT p99 ms from {AFTER_S} s after", "goodput in work then"], rows)
        page.text("Without scrapes:")
        page.table(
            ["policy", "goodput in work", "with the outage", "idle while waiting, s",
             "with the outage", "TTFT p99 ms"], outage(page, twin, pair))
        say(f"bursts: {profile}: done")
    return page
