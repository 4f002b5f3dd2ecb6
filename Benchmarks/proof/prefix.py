"""Item 9: prompts go where their prefix is cached, as nearly as if every cache were known."""

import json
from collections import OrderedDict

from .figures import Mark, median, number, percent, worst
from .page import Page
from .pairs import Pair, is_here, path_of, refused, work_of
from .twin import say

BLOCK = 512
LOADS = (0.5, 1)
OF_ORACLE, BUSIEST_MOST = 0.95, 1.3
# Context and KV tokens of an engine, as the profiles have them.
MEMORY = {
    "llama2-70b-h100-tp8": (32_768, 83_000 * 16),
    "llama-3.1-8b-a100-tp2": (131_072, 61_000 * 16),
    "llama-3.2-3b-a100-tp2": (131_072, 75_000 * 16),
}


def oracle(requests, context_max, blocks_max):
    """The share of prompt tokens that one cache would have which is as large as all engines'
    together, forgets the least recently used, and knows at once what any engine has computed. No
    choice among engines can find more: theirs hold popular prefixes several times, and share their
    memory with what runs."""
    cache, cached, prompts, taken = OrderedDict(), 0, 0, 0
    with open(path_of("mooncake")) as file:
        for line in file:
            row = json.loads(line)
            tokens = row["input_length"]
            if tokens + row["output_length"] > context_max:
                continue
            blocks = row["hash_ids"][:tokens // BLOCK]
            most = min(len(blocks), (tokens - 1) // BLOCK)
            hits = 0
            while hits < most and blocks[hits] in cache:
                hits += 1
            cached += hits * BLOCK
            prompts += tokens
            # The last block first: what follows is forgotten before what it follows.
            for block in reversed(blocks):
                cache[block] = None
                cache.move_to_end(block)
            while len(cache) > blocks_max:
                cache.popitem(last=False)
            taken += 1
            if taken == requests:
                break
    return cached / max(1, prompts)


def judge(page, pair, load, known):
    rows = []
    words = pair.bursty(load)
    for policy, choice in (("plimsoll", None), ("no-gate", "scores-2-2-3"),
                           ("no-gate", "least-load"), ("no-gate", "round-robin")):
        runs, how = pair.runs(words, policy, choice)
        share, busiest = median(runs, "cached_prompt_share"), worst(
            runs, "busiest_endpoint_over_mean")
        if policy == "plimsoll":
            what = f"{pair.profile}, {load:g}x"
            page.mark(Mark(
                f"{what}: prompt tokens found in caches, of the oracle's", "at least 95 %",
                share / known, at_least=OF_ORACLE, quick=0.90, figure=percent, command=how))
            page.mark(Mark(
                f"{what}: busiest endpoint over the mean", "at most 1.3x", busiest,
                at_most=BUSIEST_MOST, figure=lambda value: f"{value:.2f}x", command=how))
        rows.append((
            f"{load:g}x", "plimsoll" if not choice else f"{policy}, {choice}", percent(share),
            percent(share / known), f"{busiest:.2f}x", percent(median(runs, refused), 2),
            percent(median(runs, work_of)), number(median(runs, "ttft_ms.p99"))))
    return rows


def make(twin, scope):
    page = Page(9, "prefix", "Cached prefixes", (
        "Mooncake's conversation trace in its own times; every 512 tokens of a prompt have a hash. "
        "The share of prompt tokens that engines found in their prefix caches, against an oracle: "
        "one cache with the memory of all of them, least recently used first out, that knows at "
        "once what any engine has computed. Work of an endpoint is what it computed; the share is "
        "of completed requests."))
    if not is_here("mooncake"):
        page.text("The trace is not here: left out.")
        return page
    page.profiles = list(scope.profiles)
    for profile in scope.profiles:
        pair = Pair(twin, profile, "mooncake", 12_031, scope.seeds(3, 1))
        context_max, tokens = MEMORY[profile]
        known = oracle(pair.requests, context_max, pair.replicas * tokens // BLOCK)
        rows = [row for load in scope.either(LOADS, LOADS[:1])
                for row in judge(page, pair, load, known)]
        page.text(f"## {profile}\n\n{pair.bounds}; {pair.replicas} engines, medians of "
                  f"{pair.seeds} seeds, of the busiest the largest; the oracle finds "
                  f"{percent(known)}.")
        page.table(
            ["load", "policy", "found in caches", "of the oracle's", "busiest over mean",
             "refused", "goodput in work", "TTFT p99 ms"], rows)
        say(f"prefix: {profile}: done")
    return page
