"""Item 11: replicas that come and go, beside the field's scalers and one that knows the trace."""

from .figures import Mark, median, number, one, percent, two
from .page import Page
from .pairs import TITLES, WORKLOADS, is_here
from .twin import Refused, command, say

LEADS = ("30s", "120s", "300s")
SMALL, LARGE = "llama-3.1-8b-a100-tp2", "llama2-70b-h100-tp8"
LENGTHS = "in=100-1900,out=1-400"
# Traces at their own pace on the large profile, where they need several replicas; drawn loads on
# the small one. Name, profile, trace, words.
DRAWN = {
    "step of 2x": f"step:rate=30,to=60,at=20m,for=20m,{LENGTHS}",
    "step of 5x": f"step:rate=15,to=75,at=20m,for=20m,{LENGTHS}",
    "step of 20x": f"step:rate=5,to=100,at=20m,for=20m,{LENGTHS}",
    "diurnal": f"diurnal:rate=20,to=50,period=2h,{LENGTHS}",
}
LASTS = {"diurnal": ("4h", "1h")}
SHORT = ("1h", "5m")
FIELD = ("hpa", "kpa", "keda", "ratio")
MODELLED = ("means", "planner", "oracle")
COST_MOST = 1.02


def cases(quick):
    found = []
    for name in () if quick else ("conversation", "code", "mooncake"):
        if is_here(name):
            found.append((TITLES[name], LARGE, WORKLOADS[name], "60m", "5m", "1,2,4,8,12,16,24"))
        else:
            say(f"scaling: {name} is not here")
    for name, trace in DRAWN.items():
        if quick and name != "step of 5x":
            continue
        length, warm_up = LASTS.get(name, SHORT)
        found.append((
            name, SMALL, trace, *(("45m", warm_up, "16,24") if quick else (
                length, warm_up, "8,12,16,20,24,28,32"))))
    return found


def points(twin, case, lead, seeds, others):
    """Attainment, GPU hours, turns and seconds short of each scaler at each setting; medians."""
    name, profile, trace, length, warm_up, per_replica = case
    words = ["--pair-budget", "--profile", profile, "--trace", trace, "--for", length,
             "--warm-up", warm_up, "--replicas", "4", "--lead-time", lead,
             "--scaler", ",".join(("plimsoll", *others)),
             "--per-replica", per_replica, "--headroom", "0.9,1,1.2,1.5",
             # That of the HPA, and of it alone in the field.
             "--stabilization", "5m", "--runs", seeds]
    by_setting = {}
    for run in twin.simulate(*words)["runs"]:
        by_setting.setdefault((run["scaler"], run.get("scaler_setting")), []).append(run)
    found = {}
    for (scaler, setting), runs in by_setting.items():
        found.setdefault(scaler, []).append({
            "setting": setting, "good": median(runs, "goodput.share"),
            "hours": median(runs, "gpu_seconds") / 3600,
            "turns": median(runs, "direction_changes_per_hour"),
            "short": median(runs, "time_short_of_capacity_s")})
    return found, command(words)


def hours_at(good, options):
    """GPU hours that a scaler takes for a share of good requests, between its settings; None where
    none of them reaches it."""
    front = []
    for point in sorted(options, key=lambda point: (-point["good"], point["hours"])):
        if not front or point["hours"] < front[-1]["hours"]:
            front.append(point)
    if not front or front[0]["good"] < good:
        return None
    above = front[0]
    for point in front[1:]:
        if point["good"] >= good:
            above = point
            continue
        part = (good - point["good"]) / (above["good"] - point["good"])
        return point["hours"] + part * (above["hours"] - point["hours"])
    return above["hours"]


def make(twin, scope):
    page = Page(11, "scaling", "Scaling that knows its cold start", (
        "Replicas of one model under a scaler, each started within a lead time and paid for from its "
        "being asked for to its last request. The gate is the product's for all. The field's scalers "
        "at each setting of their main knob (requests a replica; a factor on what a model finds); the "
        "product has none. At the product's share of good requests their GPU hours are interpolated "
        "between settings; a dash: no setting reaches it."))
    rows, worst = [], {}
    for case in cases(scope.quick):
        for lead in LEADS[1:2] if scope.quick else LEADS:
            try:
                found, how = points(
                    twin, case, lead, scope.seeds(1, 1),
                    ("hpa", "kpa") if scope.quick else (*FIELD, *MODELLED))
            except Refused as refused:
                say(f"scaling: {case[0]} left out: {refused}")
                continue
            ours = found["plimsoll"][0]
            costs = {name: hours_at(ours["good"], found[name])
                     for name in (*FIELD, *MODELLED) if name in found}
            rivals = [cost for name, cost in costs.items() if cost and name != "oracle"]
            ratio = ours["hours"] / min(rivals) if rivals else 0
            page.mark(Mark(
                f"{case[0]}, lead time {lead}: GPU hours beside the best of the field at the same "
                "share of good requests", f"at most {COST_MOST:.2f}", ratio, at_most=COST_MOST,
                quick=1.6, figure=lambda value: f"{value:.2f}" if value else "none reaches it",
                command=how))
            oracle = costs.get("oracle")
            rows.append((
                case[0], lead, two(ours["good"]), number(ours["hours"], 1),
                *(number(costs.get(name), 1) if costs.get(name) else "-"
                  for name in (*FIELD, "means", "planner")),
                percent(ours["hours"] / oracle - 1) if oracle else "-",
                number(ours["turns"], 1), number(ours["short"])))
            say(f"scaling: {case[0]}, {lead}: {one(ours['good'])} good, {ours['hours']:.1f} GPU "
                f"hours, {ratio:.2f} of the field's best")
    page.table(
        ["load", "lead time", "good", "GPU hours", *(f"{name} at that" for name in FIELD),
         "means at that", "planner at that", "above the oracle", "turns/h", "short of work, s"],
        rows)
    page.profiles = [SMALL, LARGE]
    return page
