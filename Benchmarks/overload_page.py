"""The page of the overload proof: what was asked for, what came of it, run by run."""

import os
import re
import statistics
import time

TTFT_P99_MS, ITL_P99_MS = 2000, 80
LATE_SHARE_MAX = 0.01
REFUSAL_MS_MAX = 10
GROWTH_MAX = 0.10
CROWD_RATIO_MAX = 2


def pick(row, path):
    for key in path.split("."):
        row = row[key]
    return row


def values(rows, path):
    return [value for row in rows if (value := pick(row, path)) is not None]


def middle(rows, path):
    found = values(rows, path)
    return statistics.median(found) if found else 0


def figure(number, digits=1, unit=""):
    return f"{number:,.{digits}f}{unit}"


def share(number, digits=1):
    return f"{number * 100:.{digits}f} %"


def spread(rows, path, digits=1, unit=""):
    """The median, and all runs behind it."""
    found = values(rows, path)
    if not found:
        return "none"
    runs = ", ".join(figure(value, digits) for value in found)
    return f"{figure(statistics.median(found), digits, unit)} ({runs})"


def shares(rows, path, digits=1):
    found = values(rows, path)
    runs = ", ".join(f"{value * 100:.{digits}f}" for value in found)
    return f"{share(statistics.median(found), digits)} ({runs})"


def verdict(holds):
    return "yes" if holds else "**no**"


def noise(rows):
    """Cores that others used, run by run."""
    def each(key):
        return ", ".join(f"{row[key]:.2f}" for row in rows if key in row)

    text = f"steal {each('steal')}; others' CPU {each('other_cpu')}"
    if any("gateway_ran_s" in row for row in rows):
        text += (f"; seconds the gateway ran {each('gateway_ran_s')}"
                 f" and was kept from a core {each('gateway_waited_s')}")
    return text


def table(headings, rows):
    lines = ["| " + " | ".join(headings) + " |", "|" + "---|" * len(headings)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def capacity(part):
    rows = [
        (f"{run['rate']:g}", str(run["offered"]), share(run["good"]), share(run["degraded"]),
         figure(run["ttft_p99_ms"], 0), f"{run['steal']:.2f}", f"{run['other_cpu']:.2f}")
        for run in sorted(part["runs"], key=lambda run: run["rate"])]
    return (
        f"## Capacity: {part['rate']:g} requests/s\n\n"
        "The highest steady rate, of those tried in runs of 30 s on fresh processes, at which 99 % "
        "of the requests are good and at most 1 % degraded:\n\n"
        + table(["requests/s", "offered", "good", "degraded", "TTFT p99 ms", "steal",
                 "others' CPU"], rows))


def overload(part):
    runs = part["runs"]
    growth = [run["rss_mib"]["after"] / runs[0]["rss_mib"]["after"] - 1 for run in runs[1:]]
    refused = sum(run["probe"]["refused"] for run in runs)
    faulty = sum(len(run["probe"]["faulty"]) for run in runs)
    ttft, itl = middle(runs, "ttft_ms.p99"), middle(runs, "itl_ms.p99")
    late = middle(runs, "late")
    delay = middle(runs, "refusal_delay_ms.p99")
    rows = [
        ("TTFT p99 of admitted, ms", spread(runs, "ttft_ms.p99", 0), f"{TTFT_P99_MS}",
         verdict(ttft <= TTFT_P99_MS)),
        ("TTFT p50 of admitted, ms", spread(runs, "ttft_ms.p50", 0), "-", "-"),
        ("ITL p99 of admitted, ms", spread(runs, "itl_ms.p99", 0), f"{ITL_P99_MS}",
         verdict(itl <= ITL_P99_MS)),
        ("goodput, of requests", shares(runs, "goodput"), "-", "-"),
        ("goodput, of work", shares(runs, "goodput_work"), "-", "-"),
        ("good requests/s", spread([{"v": run["good"] / 60} for run in runs], "v"), "-", "-"),
        ("refused", shares(runs, "refused"), "-", "-"),
        ("failed", spread(runs, "failed", 0), "0", verdict(max(values(runs, "failed")) == 0)),
        ("refusals decided late", shares(runs, "late", 2), share(LATE_SHARE_MAX, 0),
         verdict(late <= LATE_SHARE_MAX)),
        ("refusal on arrival, p50 ms", spread(runs, "refusal_delay_ms.p50", 2), "-", "-"),
        ("p99 ms", spread(runs, "refusal_delay_ms.p99", 2), f"{REFUSAL_MS_MAX}",
         verdict(delay <= REFUSAL_MS_MAX)),
        ("longest, ms", spread(runs, "refusal_delay_ms.max", 2), "-", "-"),
        ("the replayer's own send delay, p99 ms", spread(runs, "send_delay_ms.p99", 2), "-", "-"),
        ("refusals seen by a second client, p50 ms", spread(runs, "probe_delay_ms.p50", 2), "-",
         "-"),
        ("its p99 ms", spread(runs, "probe_delay_ms.p99", 2), "-", "-"),
        ("refusals without whole Retry-After, retry-after-ms", f"{faulty} of {refused}", "0",
         verdict(faulty == 0 and refused > 0)),
        ("retry-after-ms asked for, p50", spread(runs, "retry_after_ms.p50", 0), "-", "-"),
        ("RSS MiB: fresh", figure(part["rss_fresh_mib"]), "-", "-"),
        ("RSS MiB: peak of the run", spread(runs, "rss_mib.peak"), "-", "-"),
        ("RSS MiB: 30 s after", spread(runs, "rss_mib.after"), "-", "-"),
        ("growth against the first run", ", ".join(share(value) for value in growth),
         share(GROWTH_MAX, 0), verdict(max(growth, default=0) <= GROWTH_MAX)),
    ]
    return (
        f"## Overload: {part['rate']:g} requests/s for 60 s\n\n"
        f"{len(runs)} identical runs through one gateway process; median, and each run behind "
        "it.\n\n" + table(["figure", "measured", "bound", "held"], rows)
        + f"\n\nNoise, in cores: {noise(runs)}.")


def crowd(part):
    runs = part["runs"]
    if not runs:
        return (
            "## Idle and slow connections\n\nNot done: a process here may open only "
            f"{part['files_max']} files, and cannot raise that.")
    rows = []
    for name, key in (
        ("TTFT of small streams", "ttft"), ("latency of small whole answers", "e2e"),
        ("the gateway's own answer, kept connection", "kept"),
        ("the gateway's own answer, new connection", "new"),
    ):
        for quantile in ("p50", "p99"):
            path = f"{key}_{quantile}_ms"
            ratios = [run["with"][path] / run["without"][path] for run in runs]
            ratio = statistics.median(ratios)
            rows.append((
                f"{name}, {quantile} ms", spread(runs, f"without.{path}", 2),
                spread(runs, f"with.{path}", 2),
                f"{ratio:.2f} ({', '.join(f'{value:.2f}' for value in ratios)})",
                verdict(ratio <= CROWD_RATIO_MAX)))
    people = runs[0]["crowd"]
    lost = sum(run[side]["lost"] for run in runs for side in ("with", "without"))
    offered = sum(run[side]["offered"] for run in runs for side in ("with", "without"))
    facts = [
        ("other clients' requests lost or refused", f"{lost} of {offered}"),
        ("connections the gateway held", spread(runs, "connections", 0)),
        ("idle ones answered once", spread(runs, "crowd.idle_answered", 0)),
        ("idle ones the gateway closed", spread(runs, "crowd.idle_closed", 0)),
        ("slow ones the gateway closed", spread(runs, "crowd.slow_closed", 0)),
        ("connections turned away so far", spread(runs, "turned_away", 0)),
        ("RSS MiB: before", spread(runs, "rss_mib.before")),
        ("RSS MiB: with the crowd", spread(runs, "rss_mib.during")),
        ("RSS MiB: 3 s after it", spread(runs, "rss_mib.after")),
        ("open files: before", spread(runs, "files.before", 0)),
        ("open files: with the crowd", spread(runs, "files.during", 0)),
        ("open files: 3 s after it", spread(runs, "files.after", 0)),
    ]
    return (
        "## Idle and slow connections\n\n"
        f"{people['idle_asked']:,} kept connections that asked once and stay idle, and "
        f"{people['slow_asked']:,} that send a head a byte a second and come back when they are "
        "thrown out, while others send 20 small streams and 20 small whole requests a second; "
        f"without and with them, {len(runs)} times in turn. A process may open "
        f"{part['files_max']:,} files here.\n\n"
        + table(["figure", "without", "with", "ratio", f"within {CROWD_RATIO_MAX}x"], rows)
        + "\n\n" + table(["fact", "measured"], facts)
        + f"\n\nNoise, in cores: without: {noise([run['without'] for run in runs])}; "
        f"with: {noise([run['with'] for run in runs])}.")


def ends(part):
    def lost(row):
        reasons = [f"{name} {count}" for name, count in sorted(row["failures"].items())
                   if not name.startswith("connect_")]
        return ", ".join([str(row["lost"]), *reasons])

    def agrees(row):
        """The gateway's log knows of nothing but what the client has an answer to."""
        refused = {f"refused: {name}": count for name, count in row["refused_by_reason"].items()}
        return row["logged"] == {"completed": row["completed"], **refused}

    drains = [
        (str(row["offered"]), str(row["completed"]), str(row["refused"]), str(row["not_accepted"]),
         ", ".join(f"{name} {count}" for name, count in sorted(row["logged"].items())),
         figure(row["live"], 0), figure(row["queued"], 0), f"{row['seconds']:.1f}",
         str(row["exit"]), lost(row),
         verdict(row["lost"] == 0 and row["exit"] == 0 and agrees(row)))
        for row in part["drains"]]
    reloads = [
        (str(row["offered"]), str(row["completed"]), str(row["refused"]),
         figure(row["accepted"], 0), figure(row["bad"], 0), lost(row),
         verdict(row["lost"] == 0 and row["not_accepted"] == 0 and row["refused"] == 0))
        for row in part["reloads"]]
    return (
        "## SIGTERM and reload under load\n\n"
        f"Counted by the client. SIGTERM at {part['drain_rate']:g} requests/s, after 8 of "
        "12 s: what comes later finds no listener and was never accepted. The gateway's access "
        "log has each request that it took.\n\n"
        + table(["offered", "completed", "refused", "not accepted", "the gateway's log",
                 "live at SIGTERM", "of them queued", "seconds to exit", "exit",
                 "lost", "held"], drains)
        + f"\n\nSIGHUP at {part['reload_rate']:g} requests/s, twice a second for 14 s, in turn "
        "with both engines, with one of them, and with a file that has a fault:\n\n"
        + table(["offered", "completed", "refused", "reloads", "bad ones", "lost", "held"],
                reloads)
        + f"\n\nNoise, in cores: SIGTERM: {noise(part['drains'])}; "
        f"reload: {noise(part['reloads'])}.")


PARTS = {"capacity": capacity, "overload": overload, "crowd": crowd, "ends": ends}


def text(results):
    """Everything there is a result for."""
    with open("/proc/cpuinfo") as file:
        machine = re.search(r"model name\s*: (.*)", file.read())
    head = (
        f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores of "
        f"{machine.group(1) if machine else 'an unknown processor'}, which engines, gateway and "
        "clients share.\n\n")
    return head + "\n\n".join(
        f"{PARTS[name](results[name])}\n\nCommand: `Benchmarks/awake Benchmarks/overload "
        f"{name}`, at nice "
        f"{results[name].get('nice', 0)}."
        for name in PARTS if name in results)


def keep(page, made):
    """Puts the text between the page's markers."""
    with open(page) as file:
        whole = file.read()
    whole, count = re.subn(
        r"(<!-- overload -->\n).*?(<!-- /overload -->)",
        lambda found: f"{found[1]}{made}\n{found[2]}", whole, flags=re.DOTALL)
    if count != 1:
        raise SystemExit(f"{page} has no place for the figures")
    with open(page, "w") as file:
        file.write(whole)
