"""The pairs of the evidence: three profiles, each with three traces and one drawn load."""

import os

from . import budget
from .twin import ROOT, command, say

DATA = "../shared/data"
PROFILES = ("llama2-70b-h100-tp8", "llama-3.1-8b-a100-tp2", "llama-3.2-3b-a100-tp2")
# What the profiles' own comments say of their fits, for the foot of each page.
ERRORS = {
    "llama2-70b-h100-tp8": "prefill median 6.5 %, decode mean 2.3 %",
    "llama-3.1-8b-a100-tp2": "prefill mean 4.0 %, decode mean 0.3 %",
    "llama-3.2-3b-a100-tp2": "prefill mean 5.4 %, decode mean 1.1 %",
}
WORKLOADS = {
    "conversation": f"azure:{DATA}/azure/AzureLLMInferenceTrace_conv.csv",
    "code": f"azure:{DATA}/azure/AzureLLMInferenceTrace_code.csv",
    "mooncake": f"mooncake:{DATA}/mooncake/conversation_trace.jsonl",
    "drawn": "poisson:rate=10,in=100-1900,out=1-400",
}
TITLES = {
    "conversation": "Azure conversation", "code": "Azure code",
    "mooncake": "Mooncake conversation", "drawn": "drawn",
}
REPLICAS = 4
# The gates of the field with the choice each is published with; `no-gate` has no knob but that.
FIELD = {
    "gauge-gate": "scores-2-2-3", "no-gate": "scores-2-2-3", "slot-class": "least-load",
    "busy-all": "round-robin", "gradient2": "round-robin",
}
CHOICES = ("round-robin", "p2c", "least-load", "scores-2-2-3")


def path_of(workload):
    """The file of a trace; None for a drawn load."""
    kind, _, rest = WORKLOADS[workload].partition(":")
    return None if kind == "poisson" else os.path.join(ROOT, rest)


def is_here(workload):
    path = path_of(workload)
    return path is None or os.path.exists(path)


class Pair:
    """A profile and a workload: its budget, its capacity, and runs under it."""

    def __init__(self, twin, profile, workload, requests, seeds, replicas=REPLICAS):
        self.twin, self.profile, self.workload = twin, profile, workload
        self.requests, self.seeds, self.replicas = requests, seeds, replicas
        self.trace = WORKLOADS[workload]
        self.name = f"{profile}-{workload}"
        self._bounds = self._capacity = self._budget = None

    @property
    def title(self):
        return f"{TITLES[self.workload]}, {self.profile}"

    @property
    def bounds(self):
        """The committed budget of the pair, from the workload on idle engines."""
        if self._bounds is None:
            self._bounds = self._survey()
        return self._bounds

    def _survey(self):
        words = ["--pair-budget", "--profile", self.profile, "--trace", self.trace,
                 "--requests", 20_000, "--policy", "plimsoll", "--replicas", self.replicas]
        found = self.twin.simulate(*words)["load"]["pair_budget"]
        return budget.Bounds(
            found["ttft_p99_ms"], found["ttft_deadline_ms"], found["itl_p99_ms"])

    @property
    def budget(self):
        """The pair's budget as a file."""
        if self._budget is None:
            self._budget = budget.write(self.name, budget.model(self.bounds))
        return self._budget

    def base(self, path=None, replicas=None):
        return ["-f", path or self.budget, "--profile", self.profile,
                "--replicas", replicas or self.replicas]

    @property
    def capacity(self):
        """Requests a second: the highest stationary rate that any policy compared serves."""
        if self._capacity is None:
            self._capacity = self.capacity_of(self.trace)
        return self._capacity

    def capacity_of(self, trace, path=None, replicas=None):
        """The capacity for another trace or budget of the same engines."""
        words = [*self.base(path, replicas), "--trace", trace, "--requests", 5_000,
                 "--load-factor", 1, "--policy", "plimsoll,no-gate", "--choice", ",".join(CHOICES)]
        found = self.twin.simulate(*words)["load"]["capacity"]
        say(f"{self.name}: capacity {found['requests_per_s']:.2f} requests/s, "
            f"{found['policy']}, {found['choice']}")
        return found["requests_per_s"]

    def stationary(self, factor, requests=None, warm=0.1, path=None):
        """The words of a steady load: the pair's lengths, Poisson times of each seed's own, the
        first tenth served and not counted."""
        requests = requests or self.requests
        rate = self.capacity * factor
        words = [*self.base(path), "--trace", self.trace, "--requests", requests,
                 "--load-factor", f"{factor:g}", "--capacity", f"{self.capacity:.4f}",
                 "--warm-up", f"{int(requests / rate * warm * 1_000)}ms"]
        return words if self.workload == "drawn" else [*words, "--spacing", "poisson"]

    def bursty(self, factor, path=None):
        """The words of the trace in its own times, made faster or slower as a whole."""
        return [*self.base(path), "--trace", self.trace, "--load-factor", f"{factor:g}",
                "--capacity", f"{self.capacity:.4f}"]

    def runs(self, words, policy="plimsoll", choice=None, setting=None, seeds=None):
        """The runs of one policy, a seed each, and the command that makes them."""
        words = [*words, "--policy", policy, "--runs", seeds or self.seeds]
        if policy != "plimsoll":
            words += ["--choice", choice or FIELD[policy]]
            words += ["--setting", setting] if setting and setting != "default" else []
        return self.twin.simulate(*words)["runs"], command(words)

    def best(self, words, policy, seeds, score):
        """The best of a gate's settings (of `no-gate`, of the choices) by the median of `score`
        over a few seeds: choice and setting."""
        choices = CHOICES if policy == "no-gate" else [FIELD[policy]]
        sweep = [*words, "--policy", policy, "--choice", ",".join(choices), "--sweep",
                 "--runs", seeds]
        groups = {}
        for run in self.twin.simulate(*sweep)["runs"]:
            groups.setdefault((run["choice"], run["setting"]), []).append(score(run))
        # The first of equals, in the order of the sweep.
        return max(groups, key=lambda key: sorted(groups[key])[len(groups[key]) // 2])


def work_of(run):
    """Goodput in work, as a share of what was offered."""
    return run["goodput_in_work"]["share"]


def inside(run, stage="ttft"):
    """Inside the bound of a stage, of those admitted that had a figure to judge."""
    objectives = [entry for item in run["classes"] for entry in item["objectives"]
                  if entry["stage"] == stage]
    total = sum(entry["total"] for entry in objectives)
    return sum(entry["inside"] for entry in objectives) / total if total else None


def outside(run, stage="ttft"):
    share = inside(run, stage)
    return None if share is None else 1 - share


def refused(run):
    return run["refused"]["total"] / max(1, run["offered"])
